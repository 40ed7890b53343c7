//! Shows the keys: the most important ones in a line, all of them in a box.

use ratatui::Frame;
use ratatui::layout::Constraint;
use ratatui::style::{Color, Modifier};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::theme::Theme;
use crate::top::keys;

/// Returns the line with the most important keys.
pub(super) fn line(paused: bool) -> Line<'static> {
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

/// Draws the box with all keys on top of the dashboard.
pub(super) fn draw(frame: &mut Frame<'_>, theme: Theme) {
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
