//! Draws a list of tasks as a table.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Modifier};
use ratatui::text::Line;
use ratatui::widgets::{Cell, HighlightSpacing, Row, Table, TableState};

use super::figures::age;
use super::theme::Theme;
use crate::top::tasks::{Order, Task, Tasks};

/// Place of the column for the group.
const GROUP: usize = 2;

/// Width from which on there is a column for the group.
const WITH_GROUPS: u16 = 60;

/// Draws the list with its order and its selection, and scrolls so that the selection is visible.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, tasks: &Tasks, theme: Theme) {
    let is_wide = area.width >= WITH_GROUPS;
    let title = |cell: Cell<'static>, order| match tasks.order == order {
        true => cell.style(Modifier::BOLD),
        false => cell,
    };
    let header = [
        title("TASK".into(), Order::Id),
        title("NAME".into(), Order::Name),
        Cell::from("GROUP"),
        title("STATE".into(), Order::State),
        title(right("AGE"), Order::Age),
    ];
    let widths = [
        Constraint::Length(8),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(7),
        Constraint::Length(9),
    ];
    let header = Row::new(columns(header, is_wide));
    let widths: Vec<_> = columns(widths, is_wide).collect();
    let rows = tasks.listed.iter();
    let rows = rows.map(|task| Row::new(columns(cells(task, theme), is_wide)));
    draw_rows(frame, area, (header, &widths), rows, tasks.selected);
}

/// Returns what the columns have, without the one for the group if there is no room for it.
fn columns<T>(all: [T; 5], is_wide: bool) -> impl Iterator<Item = T> {
    let seen = all.into_iter().enumerate();
    seen.filter(move |(at, _)| is_wide || *at != GROUP)
        .map(|(_, column)| column)
}

/// Draws rows below a header with these widths, and scrolls so that the selected row is visible.
pub(super) fn draw_rows<'r>(
    frame: &mut Frame<'_>,
    area: Rect,
    (header, widths): (Row<'_>, &[Constraint]),
    rows: impl ExactSizeIterator<Item = Row<'r>>,
    selected: usize,
) {
    let selected = (rows.len() > 0).then_some(selected);
    let table = Table::new(rows, widths)
        .header(header.style(Modifier::UNDERLINED))
        .highlight_symbol("▶")
        .row_highlight_style(Modifier::REVERSED)
        .highlight_spacing(HighlightSpacing::Always);
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

pub(super) fn right(text: &'static str) -> Cell<'static> {
    Cell::from(Line::from(text).alignment(Alignment::Right))
}

fn cells(task: &Task, theme: Theme) -> [Cell<'_>; 5] {
    let (state, colour) = match (task.active, task.lent) {
        (true, _) => ("active", Color::Green),
        (false, true) => ("lent", Color::Green),
        (false, false) => ("waiting", Color::Yellow),
    };
    [
        Cell::from(task.id.to_string()),
        Cell::from(task.name.as_str()),
        Cell::from(task.group.as_deref().unwrap_or("-")),
        Cell::from(state).style(theme.fore(colour)),
        Cell::from(Line::from(age(task.age)).alignment(Alignment::Right)),
    ]
}
