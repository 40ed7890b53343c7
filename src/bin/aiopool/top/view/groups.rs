//! Draws the groups as a table, in which the names of inner groups are indented.

use aiopool::control::protocol::indented;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Modifier};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Row};

use super::table::{self, right};
use super::theme::Theme;
use crate::top::groups::{Group, Groups};

/// Draws the list with its selection, and scrolls so that the selection is visible.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, groups: &Groups, theme: Theme) {
    let header = Row::new([
        Cell::from("GROUP"),
        right("ACTIVE"),
        right("WAITING"),
        Cell::from(""),
    ]);
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(13),
        Constraint::Length(9),
        Constraint::Length(6),
    ];
    let rows = groups.listed.iter().map(|group| row(group, theme));
    table::draw_rows(frame, area, (header, &widths), rows, groups.selected);
}

fn row(group: &Group, theme: Theme) -> Row<'_> {
    let active = match group.size {
        Some(size) => format!("{} of {size}", group.active),
        None => group.active.to_string(),
    };
    let (state, style) = match (group.paused, group.locked) {
        (true, _) => ("paused", theme.fore(Color::Yellow)),
        (false, true) => ("locked", theme.fore(Color::Yellow)),
        (false, false) => ("", Modifier::empty().into()),
    };
    Row::new([
        Cell::from(indented(&group.name, group.depth)),
        Cell::from(Line::from(active).alignment(Alignment::Right)),
        Cell::from(Line::from(group.waiting.to_string()).alignment(Alignment::Right)),
        Cell::from(state).style(style),
    ])
}
