//! Draws the model: figures at the top, the table of tasks or groups below, lines around them, and the help on top of
//! everything.

mod curves;
mod figures;
#[cfg(feature = "fleet")]
pub(super) mod fleet;
mod groups;
mod help;
mod lines;
mod table;
#[cfg(test)]
mod tests;
mod theme;

use ratatui::Frame;
use ratatui::buffer::Cell;
use ratatui::layout::{Constraint, Layout, Rect};

use super::model::{Mode, Model};
use crate::printable::is_obeyed;

pub(super) use self::theme::Theme;

/// Draws the whole dashboard.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, theme: Theme) {
    let rows = [
        Constraint::Length(1),
        Constraint::Length(height_of_figures(frame.area().height)),
        Constraint::Min(2),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [title, figures, list, note, help] = Layout::vertical(rows).areas(frame.area());
    let width = title.width;
    frame.render_widget(lines::title(model, width, theme), title);
    draw_figures(frame, figures, model, theme);
    match model.shown_tasks() {
        Some(tasks) => table::draw(frame, list, tasks, theme),
        None => groups::draw(frame, list, &model.groups, theme),
    }
    frame.render_widget(lines::note(model, width, theme), note);
    frame.render_widget(help::line(model, width), help);
    if let Mode::Help(skipped) = model.mode {
        help::draw(frame, theme, skipped);
    }
    frame.buffer_mut().content.iter_mut().for_each(disarm);
}

/// Number of lines of a terminal from which on each curve has two lines.
const TALL: u16 = 20;

/// Number of lines of a terminal from which on there are curves and times.
const MIDDLE: u16 = 14;

/// Returns the number of lines for the figures in a terminal with so many lines.
fn height_of_figures(lines: u16) -> u16 {
    match lines {
        TALL.. => 9,
        MIDDLE.. => 6,
        _ => 1,
    }
}

/// Draws curves, times and totals, or the counts alone where there is no room.
fn draw_figures(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    if area.height < height_of_figures(MIDDLE) {
        frame.render_widget(lines::counts(model), area);
        return;
    }
    let curve = (area.height - 3) / 3;
    let rows = [curve, curve, curve, 1, 1, 1].map(Constraint::Length);
    let [active, waiting, ended, wait, run, totals] = Layout::vertical(rows).areas(area);
    curves::draw(frame, [active, waiting, ended], model, theme);
    for (line, area) in lines::times(model, area.width).into_iter().zip([wait, run]) {
        frame.render_widget(line, area);
    }
    frame.render_widget(lines::totals(&model.stats, theme), totals);
}

/// Replaces a character that a terminal would interpret by a dot: names come from other programs.
fn disarm(cell: &mut Cell) {
    if cell.symbol().contains(is_obeyed) {
        cell.set_symbol("·");
    }
}
