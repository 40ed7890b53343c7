//! Draws the dashboard of a fleet.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Clear, HighlightSpacing, Paragraph, Row, Table, TableState};

use super::curves::{Curve, draw_curves};
use super::figures::{rate, span};
use super::theme::Theme;
use crate::top::fleet::{HELP, Mode, Model, Seen};

/// Time without news after which the title says so.
const SILENCE: Duration = Duration::from_secs(5);

/// Draws the whole dashboard.
pub(in crate::top) fn draw(frame: &mut Frame<'_>, model: &Model, theme: Theme) {
    let rows = [
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(2),
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Min(2),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [title, active, waiting, ended, totals, workers, note, help] =
        Layout::vertical(rows).areas(frame.area());
    frame.render_widget(title_of(model, title.width), title);
    draw_curves(frame, [active, waiting, ended], curves(model), theme);
    frame.render_widget(totals_of(model, theme), totals);
    draw_workers(frame, workers, model, theme);
    frame.render_widget(note_of(model, theme), note);
    frame.render_widget(keys(model), help);
    if model.mode == Mode::Help {
        draw_help(frame, theme);
    }
    frame
        .buffer_mut()
        .content
        .iter_mut()
        .for_each(super::disarm);
}

/// Shows the pool, whether there is a connection, whether it is paused, and how long it has been watched.
fn title_of(model: &Model, width: u16) -> Line<'static> {
    let left = format!(" {} at {}", model.pool, model.hosts);
    let mut right = String::new();
    if model.lost.is_some() {
        right += "NO ANSWER  ";
    }
    let news = model.stats.map(|(_, at)| model.now.saturating_sub(at));
    if let Some(silence) = news.filter(|silence| *silence > SILENCE) {
        right += &format!("as of {} ago  ", span(silence));
    }
    if model.stats.is_some_and(|(stats, _)| stats.is_paused) {
        right += "PAUSED  ";
    }
    right += &format!("watched for {} ", span(model.now));
    let room = usize::from(width).saturating_sub(right.chars().count());
    let left: String = left.chars().take(room.saturating_sub(1)).collect();
    Line::styled(format!("{left:room$}{right}"), Modifier::REVERSED)
}

fn curves(model: &Model) -> [Curve; 3] {
    let stats = model.stats.map(|(stats, _)| stats);
    let number = |number: Option<String>| number.unwrap_or_else(|| "-".into());
    let curve = |name, number, values| Curve {
        name,
        number,
        values,
        full: None,
    };
    let of = stats.map(|stats| format!("{} of {}", stats.active, stats.size));
    let waiting = stats.map(|stats| stats.waiting.to_string());
    let active = curve(
        "active",
        number(of),
        model.history.values(|sample| sample.active),
    );
    [
        Curve {
            full: stats.map(|stats| stats.size as u64),
            ..active
        },
        curve(
            "waiting",
            number(waiting),
            model.history.values(|sample| sample.waiting),
        ),
        curve(
            "ended",
            number(model.history.throughput().map(rate)),
            model.history.ends(),
        ),
    ]
}

/// Shows counts of the pool, and those of the workers in the list.
fn totals_of(model: &Model, theme: Theme) -> Line<'static> {
    let stats = model.stats.map(|(stats, _)| stats);
    let finished = stats.map_or(0, |stats| stats.finished);
    let delayed = stats.map_or(0, |stats| stats.delayed);
    let good = [("finished", finished), ("delayed", delayed)];
    let bad = [
        ("failed", model.sum(|worker| worker.failed)),
        ("retried", model.sum(|worker| worker.retried)),
        ("lost", model.sum(|worker| worker.lost)),
        ("refused", stats.map_or(0, |stats| stats.refused)),
    ];
    let shown =
        |(name, count): (&str, u64), style| Span::styled(format!(" {name} {count} "), style);
    let good = good.map(|count| shown(count, Style::new()));
    let bad = bad.map(|(name, count)| match count {
        0 => shown((name, count), Style::new()),
        _ => shown((name, count), theme.fore(Color::Red)),
    });
    Line::from_iter(good.into_iter().chain(bad))
}

fn draw_workers(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let names = [
        "WORKER",
        "PID",
        "SLOTS",
        "RUNNING",
        "COMPLETED",
        "FAILED",
        "LOST",
        "HEARD",
    ];
    let header = names.iter().enumerate().map(|(at, name)| match at {
        0 => Cell::from(*name),
        _ => right((*name).into()),
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(7),
        Constraint::Length(5),
        Constraint::Length(7),
        Constraint::Length(9),
        Constraint::Length(6),
        Constraint::Length(5),
        Constraint::Length(10),
    ];
    let rows = model.workers.iter().map(|seen| row(model, seen, theme));
    let selected = (!model.workers.is_empty()).then_some(model.selected);
    let table = Table::new(rows, widths)
        .header(Row::new(header).style(Modifier::UNDERLINED))
        .highlight_symbol("▶")
        .row_highlight_style(Modifier::REVERSED)
        .highlight_spacing(HighlightSpacing::Always);
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn row<'m>(model: &Model, seen: &'m Seen, theme: Theme) -> Row<'m> {
    let worker = &seen.worker;
    let (heard, style) = match model.silence(seen) {
        Some(silence) => (format!("{} ago", span(silence)), theme.bad()),
        None if worker.is_stopping => ("stops".into(), theme.fore(Color::Yellow)),
        None => ("now".into(), theme.fore(Color::Green)),
    };
    Row::new([
        Cell::from(worker.id.as_str()),
        right(worker.pid.to_string()),
        right(worker.slots.to_string()),
        right(worker.running.to_string()),
        right(worker.completed.to_string()),
        right(worker.failed.to_string()),
        right(worker.lost.to_string()),
        right(heard).style(style),
    ])
}

fn right(text: String) -> Cell<'static> {
    Cell::from(Line::from(text).alignment(Alignment::Right))
}

/// Shows the open question, the size that is being typed, the result of the last order, or why there is no answer;
/// else how many workers answer.
fn note_of(model: &Model, theme: Theme) -> Line<'static> {
    match (&model.mode, &model.note, &model.lost) {
        (Mode::Asking, ..) => Line::styled(" Cancel all tasks, of all clients? y/n", theme.bad()),
        (Mode::Typing(digits), ..) => Line::styled(format!(" New size: {digits}_"), Modifier::BOLD),
        (_, Some(note), _) if note.bad => Line::styled(format!(" {}", note.text), theme.bad()),
        (_, Some(note), _) => Line::raw(format!(" {}", note.text)),
        (_, None, Some(why)) => Line::styled(format!(" asking again: {why}"), theme.bad()),
        (_, None, None) => {
            let answer = |seen: &&Seen| model.silence(seen).is_none();
            let answering = model.workers.iter().filter(answer);
            let slots: usize = answering.clone().map(|seen| seen.worker.slots).sum();
            let (answering, all) = (answering.count(), model.workers.len());
            Line::raw(format!(
                " {answering} of {all} workers answer, with {slots} slots"
            ))
        }
    }
}

fn keys(model: &Model) -> Line<'static> {
    let paused = model.stats.is_some_and(|(stats, _)| stats.is_paused);
    let keys = [
        ("q", "quit"),
        ("?", "help"),
        ("p", if paused { "resume" } else { "pause" }),
        ("r", "resize"),
        ("X", "cancel all"),
    ];
    Line::from_iter(keys.iter().flat_map(|(key, what)| {
        [
            Span::styled(format!(" {key} "), Modifier::REVERSED),
            Span::raw(format!(" {what}  ")),
        ]
    }))
}

/// Draws the box with all keys on top of the dashboard.
fn draw_help(frame: &mut Frame<'_>, theme: Theme) {
    let lines = HELP.iter().map(|(key, what)| {
        let key = Span::styled(format!(" {key:9}"), Modifier::BOLD);
        Line::from_iter([key, Span::raw(*what)])
    });
    let lines: Vec<_> = lines.collect();
    let height = Constraint::Length(lines.len() as u16 + 2);
    let area = frame.area().centered(Constraint::Length(66), height);
    let block = Block::bordered()
        .title(" Keys ")
        .title_bottom(" Any key closes this ")
        .border_style(theme.fore(Color::Cyan));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
