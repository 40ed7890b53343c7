//! Draws the model: curves at the top, the table of tasks below, lines around them, and the help on top of everything.

mod curves;
mod figures;
#[cfg(feature = "fleet")]
pub(super) mod fleet;
mod help;
mod lines;
mod table;
mod theme;

use ratatui::Frame;
use ratatui::buffer::Cell;
use ratatui::layout::{Constraint, Layout};

use super::model::{Mode, Model};
use crate::printable::is_obeyed;

pub(super) use self::theme::Theme;

/// Draws the whole dashboard.
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
    frame.render_widget(lines::title(model, title.width), title);
    curves::draw(frame, [active, waiting, ended], model, theme);
    frame.render_widget(lines::times(model), times);
    frame.render_widget(lines::totals(&model.stats, theme), totals);
    table::draw(frame, tasks, &model.tasks, theme);
    frame.render_widget(lines::note(model, theme), note);
    frame.render_widget(help::line(model.stats.paused), help);
    if model.mode == Mode::Help {
        help::draw(frame, theme);
    }
    frame.buffer_mut().content.iter_mut().for_each(disarm);
}

/// Replaces a character that a terminal would interpret by a dot: names come from other programs.
fn disarm(cell: &mut Cell) {
    if cell.symbol().contains(is_obeyed) {
        cell.set_symbol("·");
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

    use super::{Theme, draw};
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
                "panicked": 0, "cancelled": 0, "timed_out": 0, "rejected": 0, "refused": 0
            });
            let tasks = json!({"tasks": [
                {"id": 9, "name": "resize-image", "group": "eu", "state": "active", "waited": 0.1, "running": 62.0},
                {"id": 11, "name": "demo-11", "group": null, "state": "waiting", "waited": 1.25, "running": null},
            ], "more": 0});
            model.update_from_json(Duration::from_secs(second), stats, tasks);
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
 completed 8  cancelled 0  panicked 0  timed out 0  rejected 0  refused 0
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
            (
                |model| {
                    model.now = Duration::from_secs(64);
                    model.lose("cannot connect to localhost:8001: refused".into());
                },
                "\n trying again: cannot connect to localhost:8001: refused\n",
            ),
            (
                |model| {
                    model.now = Duration::from_secs(64);
                    model.stats.paused = true;
                    model.lose("lost".into());
                },
                "NO CONNECTION  PAUSED  as of 1m 00s ago\n",
            ),
            (
                |model| {
                    model.lose("lost".into());
                    model.regain("AioPool-other".into());
                },
                "\n connected again\n",
            ),
        ] as [(fn(&mut Model), &str); 13]
        {
            let mut model = model();
            assert!(!text(&model).contains(expected), "{expected}");
            change(&mut model);
            let text = text(&model);
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_drawn() {
        let evil = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\r\n\u{2066}";
        let mut model = Model::new(evil, evil, Duration::from_secs(1));
        let task = json!({"id": 1, "name": evil, "group": evil, "state": "active"});
        let told = json!({"tasks": [task], "more": 0});
        model.update_from_json(Duration::from_secs(1), json!({}), told);
        let text = evil.to_owned();
        for mode in [
            Mode::Looking,
            Mode::Typing(evil.into()),
            Mode::Asking(Question::CancelGroup(evil.into())),
        ] {
            model.mode = mode;
            model.lost = Some(text.clone());
            for note in [None, Some(text.clone())] {
                model.note = note.map(|text| Note { text, bad: true });
                let drawn = drawn(&model, 80, 24, Theme::Colour);
                let obeyed = |cell: &Cell| cell.symbol().contains(crate::printable::is_obeyed);
                assert!(!drawn.content().iter().any(obeyed));
            }
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
        model.update_from_json(
            Duration::from_secs(9),
            json!({"size": u64::MAX, "active": u64::MAX}),
            json!({"tasks": rows, "more": u64::MAX}),
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
}
