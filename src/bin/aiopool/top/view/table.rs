//! Draws the list of tasks as a table.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Modifier};
use ratatui::text::Line;
use ratatui::widgets::{Cell, HighlightSpacing, Row, Table, TableState};

use super::figures::age;
use super::theme::Theme;
use crate::top::tasks::{Order, Task, Tasks};

/// Draws the list with its order and its selection, and scrolls so that the selection is visible.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, tasks: &Tasks, theme: Theme) {
    let title = |name: &'static str, order| {
        if tasks.order == order {
            Cell::from(name).style(Modifier::BOLD)
        } else {
            Cell::from(name)
        }
    };
    let header = Row::new([
        title("TASK", Order::Id),
        title("NAME", Order::Name),
        Cell::from("GROUP"),
        title("STATE", Order::State),
        Cell::from(Line::from("AGE").alignment(Alignment::Right)).style(match tasks.order {
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
    let rows = tasks.listed.iter().map(|task| row(task, theme));
    let table = Table::new(rows, widths)
        .header(header.style(Modifier::UNDERLINED))
        .highlight_symbol("▶")
        .row_highlight_style(Modifier::REVERSED)
        .highlight_spacing(HighlightSpacing::Always);
    let selected = (!tasks.listed.is_empty()).then_some(tasks.selected);
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn row(task: &Task, theme: Theme) -> Row<'_> {
    let (state, colour) = if task.active {
        ("active", Color::Green)
    } else {
        ("waiting", Color::Yellow)
    };
    Row::new([
        Cell::from(task.id.to_string()),
        Cell::from(task.name.as_str()),
        Cell::from(task.group.as_deref().unwrap_or("-")),
        Cell::from(state).style(theme.fore(colour)),
        Cell::from(Line::from(age(task.age)).alignment(Alignment::Right)),
    ])
}
