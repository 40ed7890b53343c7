//! How the model looks.

use std::iter;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{
    Block, Cell, Clear, Paragraph, Row, Sparkline, SparklineBar, Table, TableState,
};

use super::keys;
use super::model::{Mode, Model, Question};
use super::tasks::{Age, Order, Task};

/// The columns left of the curves.
const LABELS: u16 = 16;

/// With colour, or with bold, underlined and reversed text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    Colour,
    Plain,
}

impl Theme {
    fn fore(self, colour: Color) -> Style {
        match self {
            Self::Colour => Style::new().fg(colour),
            Self::Plain => Style::new(),
        }
    }

    fn bad(self) -> Style {
        self.fore(Color::Red).add_modifier(Modifier::BOLD)
    }
}

/// Draws it all.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, theme: Theme) {
    let rows = [
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(2),
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(2),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [
        title,
        active,
        waiting,
        ended,
        times,
        totals,
        tasks,
        note,
        help,
    ] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(title_bar(model, title.width), title);
    curve(
        frame,
        active,
        theme.fore(Color::Green),
        &active_curve(model),
    );
    curve(
        frame,
        waiting,
        theme.fore(Color::Yellow),
        &waiting_curve(model),
    );
    curve(frame, ended, theme.fore(Color::Cyan), &ended_curve(model));
    frame.render_widget(times_line(model), times);
    frame.render_widget(totals_line(model, theme), totals);
    task_list(frame, tasks, model, theme);
    frame.render_widget(note_line(model, theme), note);
    frame.render_widget(help_line(model.stats.paused), help);
    if model.mode == Mode::Help {
        help_box(frame, theme);
    }
}

fn title_bar(model: &Model, width: u16) -> Line<'static> {
    let left = format!(" {} at {}", model.server, model.address);
    let mut right = String::new();
    if let Some(silence) = model.silence() {
        right += &format!("no news for {}  ", span(silence));
    }
    for (is_so, word) in [
        (model.stats.paused, "PAUSED  "),
        (model.stats.locked, "LOCKED  "),
    ] {
        if is_so {
            right += word;
        }
    }
    right += &format!("watched for {} ", span(model.now));
    let room = usize::from(width).saturating_sub(right.chars().count());
    let left: String = left.chars().take(room.saturating_sub(1)).collect();
    Line::styled(format!("{left:room$}{right}"), Modifier::REVERSED)
}

/// A name and a number, and how the number came to be.
struct Curve {
    name: &'static str,
    number: String,
    values: Vec<u64>,
    /// What fills the height; else the largest of the values that are seen.
    full: Option<u64>,
}

fn active_curve(model: &Model) -> Curve {
    let active = model.stats.active;
    Curve {
        name: "active",
        number: match model.stats.size {
            Some(size) => format!("{active} of {size}"),
            None => format!("{active}, no bound"),
        },
        values: model.history.values(|sample| sample.active),
        full: model.stats.size,
    }
}

fn waiting_curve(model: &Model) -> Curve {
    Curve {
        name: "waiting",
        number: model.stats.waiting.to_string(),
        values: model.history.values(|sample| sample.waiting),
        full: None,
    }
}

fn ended_curve(model: &Model) -> Curve {
    Curve {
        name: "ended",
        number: model.history.throughput().map_or("-".into(), rate),
        values: model.history.ends(),
        full: None,
    }
}

/// The newest value is at the right end.
fn curve(frame: &mut Frame<'_>, area: Rect, style: Style, curve: &Curve) {
    let [label, chart] =
        Layout::horizontal([Constraint::Length(LABELS), Constraint::Min(1)]).areas(area);
    let lines = [
        Line::styled(format!(" {}", curve.name), Modifier::BOLD),
        Line::raw(format!(" {}", curve.number)),
    ];
    frame.render_widget(Paragraph::new(lines.to_vec()), label);
    let columns = usize::from(chart.width);
    let missing = columns.saturating_sub(curve.values.len());
    let seen = &curve.values[curve.values.len().saturating_sub(columns)..];
    let bars = vec![None; missing]
        .into_iter()
        .chain(seen.iter().copied().map(Some));
    let bars = bars.map(SparklineBar::from);
    // Some are more than none, and a shrunk pool may have more active than its size.
    let most = seen.iter().copied().max().unwrap_or(0);
    let full = curve.full.unwrap_or(0).max(most).max(1);
    let chart_style = Sparkline::default().data(bars).max(full).style(style);
    frame.render_widget(chart_style, chart);
}

fn times_line(model: &Model) -> Line<'static> {
    let mean = |mean: Option<Duration>| mean.map_or("-".into(), |mean| format!("~{}", span(mean)));
    let longest = |active| model.tasks.longest(active).map_or("-".into(), age);
    Line::raw(format!(
        " wait  mean {}, longest now {}     run  mean {}, longest now {}",
        mean(model.history.mean_wait()),
        longest(false),
        mean(model.history.mean_run()),
        longest(true),
    ))
}

fn totals_line(model: &Model, theme: Theme) -> Line<'static> {
    let stats = &model.stats;
    let bad = [
        ("cancelled", stats.cancelled),
        ("panicked", stats.panicked),
        ("timed out", stats.timed_out),
        ("rejected", stats.rejected),
    ];
    let completed = Span::raw(format!(" completed {} ", stats.completed));
    let bad = bad.map(|(name, count)| {
        let style = if count > 0 {
            theme.fore(Color::Red)
        } else {
            Style::new()
        };
        Span::styled(format!(" {name} {count} "), style)
    });
    Line::from_iter(iter::once(completed).chain(bad))
}

fn task_list(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let title = |name: &'static str, order| match model.tasks.order == order {
        true => Cell::from(name).style(Modifier::BOLD),
        false => Cell::from(name),
    };
    let header = Row::new([
        title("TASK", Order::Id),
        title("NAME", Order::Name),
        Cell::from("GROUP"),
        title("STATE", Order::State),
        Cell::from(Line::from("AGE").alignment(Alignment::Right)).style(match model.tasks.order {
            Order::Age => Modifier::BOLD,
            _ => Modifier::empty(),
        }),
    ]);
    let widths = [
        Constraint::Length(8),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(7),
        Constraint::Length(9),
    ];
    let table = Table::new(
        model.tasks.listed.iter().map(|task| task_row(task, theme)),
        widths,
    )
    .header(header.style(Modifier::UNDERLINED))
    .highlight_symbol("▶")
    .row_highlight_style(Modifier::REVERSED)
    .highlight_spacing(ratatui::widgets::HighlightSpacing::Always);
    let selected = (!model.tasks.listed.is_empty()).then_some(model.tasks.selected);
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn task_row(task: &Task, theme: Theme) -> Row<'_> {
    let (state, colour) = match task.active {
        true => ("active", Color::Green),
        false => ("waiting", Color::Yellow),
    };
    Row::new([
        Cell::from(task.id.to_string()),
        Cell::from(task.name.as_str()),
        Cell::from(task.group.as_deref().unwrap_or("-")),
        Cell::from(state).style(theme.fore(colour)),
        Cell::from(Line::from(age(task.age)).alignment(Alignment::Right)),
    ])
}

/// What is asked, or typed, or came of the last command, or else where in the list the selection is.
fn note_line(model: &Model, theme: Theme) -> Line<'static> {
    match (&model.mode, &model.note) {
        (Mode::Asking(question), _) => Line::styled(ask(question, model), theme.bad()),
        (Mode::Typing(size), _) => Line::styled(format!(" New size: {size}_"), Modifier::BOLD),
        (_, Some(note)) if note.bad => Line::styled(format!(" {}", note.text), theme.bad()),
        (_, Some(note)) => Line::raw(format!(" {}", note.text)),
        (_, None) if model.tasks.listed.is_empty() => Line::raw(" no tasks"),
        (_, None) => {
            let all = model.tasks.listed.len() as u64 + model.tasks.more;
            Line::raw(format!(" {} of {all} tasks", model.tasks.selected + 1))
        }
    }
}

fn ask(question: &Question, model: &Model) -> String {
    match question {
        Question::Cancel { id, name } => format!(" Cancel task {id}, {name}? y/n"),
        Question::CancelGroup(name) => format!(" Cancel all tasks of the group {name}? y/n"),
        Question::CancelAll => {
            let all = model.stats.active + model.stats.waiting;
            format!(" Cancel all {all} tasks? y/n")
        }
    }
}

fn help_line(paused: bool) -> Line<'static> {
    let keys = [
        ("q", "quit"),
        ("?", "help"),
        ("p", if paused { "resume" } else { "pause" }),
        ("r", "resize"),
        ("c", "cancel"),
        ("X", "cancel all"),
        ("s", "sort"),
    ];
    Line::from_iter(keys.iter().flat_map(|(key, what)| {
        [
            Span::styled(format!(" {key} "), Modifier::REVERSED),
            Span::raw(format!(" {what}  ")),
        ]
    }))
}

fn help_box(frame: &mut Frame<'_>, theme: Theme) {
    let mut lines: Vec<Line<'_>> = keys::HELP
        .iter()
        .map(|(key, what)| {
            Line::from_iter([
                Span::styled(format!(" {key:9}"), Modifier::BOLD),
                Span::raw(*what),
            ])
        })
        .collect();
    lines.push(Line::default());
    lines.push(Line::raw(
        " ~ is reckoned from the counts; > is how long the dashboard has seen it,",
    ));
    lines.push(Line::raw(" where the pool takes no times."));
    let area = frame
        .area()
        .centered(Constraint::Length(76), Constraint::Length(17));
    let block = Block::bordered()
        .title(" Keys ")
        .title_bottom(" Any key closes this ")
        .border_style(theme.fore(Color::Cyan));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn age(age: Age) -> String {
    match age {
        Age::Exactly(age) => span(age),
        Age::AtLeast(age) => format!(">{}", span(age)),
    }
}

fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 100.0 => format!("{rate:.0} a second"),
        rate => format!("{rate:.1} a second"),
    }
}

/// A length of time in at most seven characters.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_millis() as f64 / 1000.0),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::{Buffer, Cell};
    use ratatui::style::{Color, Modifier};
    use serde_json::json;

    use super::{Theme, draw, span};
    use crate::top::model::{Mode, Model, Note, Question};

    fn drawn(model: &Model, columns: u16, lines: u16, theme: Theme) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
        terminal.draw(|frame| draw(frame, model, theme)).unwrap();
        terminal.backend().buffer().clone()
    }

    fn text(model: &Model) -> String {
        let buffer = drawn(model, 80, 24, Theme::Plain);
        let lines = buffer.content().chunks(80).map(|cells| {
            let line: String = cells.iter().map(Cell::symbol).collect();
            line.trim_end().to_string()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn model() -> Model {
        let mut model = Model::new(
            "SimpleTaskPool-demo",
            "localhost:8001",
            Duration::from_secs(1),
        );
        for second in 0..5 {
            let stats = json!({
                "name": "demo", "size": 4, "active": second, "waiting": 8 - 2 * second, "paused": false,
                "locked": false, "submitted": 12, "started": 4 + 2 * second, "completed": 2 * second,
                "panicked": 0, "cancelled": 0, "timed_out": 0, "rejected": 0
            });
            let tasks = json!({"tasks": [
                {"id": 9, "name": "resize-image", "group": "eu", "state": "active", "waited": 0.1, "running": 62.0},
                {"id": 11, "name": "demo-11", "group": null, "state": "waiting", "waited": 1.25, "running": null},
            ], "more": 0});
            model.update(Duration::from_secs(second), &stats, &tasks);
        }
        model
    }

    #[test]
    fn all_of_it_can_be_read_at_80_by_24() {
        let expected = "\
 SimpleTaskPool-demo at localhost:8001                        watched for 4.0 s
 active                                                                       ▄█
 4 of 4                                                                     ▄███
 waiting                                                                   █▄
 0                                                                         ███▄
 ended                                                                      ████
 2.0 a second                                                               ████
 wait  mean ~2.0 s, longest now 1.2 s     run  mean ~1.0 s, longest now 1m 02s
 completed 8  cancelled 0  panicked 0  timed out 0  rejected 0
 TASK     NAME                            GROUP                STATE         AGE
▶9        resize-image                    eu                   active     1m 02s
 11       demo-11                         -                    waiting     1.2 s










 1 of 2 tasks
 q  quit   ?  help   p  pause   r  resize   c  cancel   X  cancel all   s  sort";
        let text = text(&model());
        assert_eq!(text.trim_start(), expected, "\n{text}");
    }

    #[test]
    fn states_questions_and_answers_are_told() {
        for (change, expected) in [
            (|model| model.stats.paused = true, "PAUSED  watched for"),
            (|model| model.stats.locked = true, "LOCKED  watched for"),
            (
                |model| model.now = Duration::from_secs(64),
                "no news for 1m 00s  watched for 1m 04s",
            ),
            (|model| model.tasks.more = 7, "\n 1 of 9 tasks\n"),
            (|model| model.stats.size = None, "\n 4, no bound"),
            (
                |model| model.mode = Mode::Typing("20".into()),
                "\n New size: 20_\n",
            ),
            (
                |model| model.mode = Mode::Asking(Question::CancelAll),
                "\n Cancel all 4 tasks? y/n\n",
            ),
            (
                |model| model.mode = Mode::Asking(Question::CancelGroup("eu".into())),
                "\n Cancel all tasks of the group eu? y/n\n",
            ),
            (
                |model| {
                    let name = "resize-image".into();
                    model.mode = Mode::Asking(Question::Cancel { id: 9, name });
                },
                "\n Cancel task 9, resize-image? y/n\n",
            ),
            (
                |model| {
                    let text = "resize 0: no".into();
                    model.note = Some(Note { text, bad: true });
                },
                "\n resize 0: no\n",
            ),
        ] as [(fn(&mut Model), &str); 10]
        {
            let mut model = model();
            assert!(!text(&model).contains(expected), "{expected}");
            change(&mut model);
            let text = text(&model);
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }

    #[test]
    fn the_help_shows_every_key() {
        let mut model = model();
        model.mode = Mode::Help;
        let text = text(&model);
        for (key, what) in crate::top::keys::HELP {
            assert!(
                text.contains(&format!(" {key:9}{what}")),
                "{key} in\n{text}"
            );
        }
    }

    #[test]
    fn without_colour_there_is_none_and_what_matters_stands_out_all_the_same() {
        let mut model = model();
        model.stats.panicked = 1;
        model.mode = Mode::Asking(Question::CancelAll);
        let plain = drawn(&model, 80, 24, Theme::Plain);
        let colourless = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
        assert!(plain.content().iter().all(colourless));
        assert!(
            plain[(0, 0)].modifier.contains(Modifier::REVERSED),
            "the title"
        );
        assert!(
            plain[(2, 10)].modifier.contains(Modifier::REVERSED),
            "the selected task"
        );
        assert!(
            plain[(2, 22)].modifier.contains(Modifier::BOLD),
            "the question"
        );
        let coloured = drawn(&model, 80, 24, Theme::Colour);
        let colours = |colour| {
            coloured
                .content()
                .iter()
                .filter(|cell| cell.fg == colour)
                .count()
        };
        for colour in [Color::Green, Color::Yellow, Color::Cyan, Color::Red] {
            assert!(colours(colour) > 0, "{colour}");
        }
        let symbols = |buffer: &Buffer| {
            buffer
                .content()
                .iter()
                .map(|cell| cell.symbol().to_string())
                .collect::<String>()
        };
        assert_eq!(
            symbols(&plain),
            symbols(&coloured),
            "nothing is told by colour alone"
        );
    }

    #[test]
    fn no_terminal_is_too_small_and_the_selected_task_is_always_in_sight() {
        let mut model = model();
        let rows: Vec<_> = (0..300).map(|id| json!({"id": id, "name": format!("a\u{301}\u{1f980}\u{1b}[31m{id}"), "state": "active"})).collect();
        model.update(
            Duration::from_secs(9),
            &json!({"size": u64::MAX, "active": u64::MAX}),
            &json!({"tasks": rows, "more": u64::MAX}),
        );
        model.tasks.select(isize::MIN);
        model.tasks.select(250);
        for mode in [Mode::Looking, Mode::Help] {
            model.mode = mode;
            for (columns, lines) in [(1, 1), (5, 3), (20, 10), (80, 24), (300, 100)] {
                drawn(&model, columns, lines, Theme::Colour);
            }
        }
        model.mode = Mode::Looking;
        let text = text(&model);
        assert!(text.contains("▶250 ") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn times_are_short() {
        for (seconds, expected) in [
            (0.0, "0 ms"),
            (0.25, "250 ms"),
            (9.99, "10.0 s"),
            (59.9, "59.9 s"),
            (62.0, "1m 02s"),
            (7384.0, "2h 03m"),
            (90000.0, "1d 01h"),
        ] {
            assert_eq!(span(Duration::from_secs_f64(seconds)), expected);
        }
    }
}
