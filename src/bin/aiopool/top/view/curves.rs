//! Draws the counts over time, each as a name, a number, and a curve.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline, SparklineBar};

use super::figures::rate;
use super::theme::Theme;
use crate::top::model::Model;

/// Width of the labels to the left of the curves.
const LABELS: u16 = 16;

/// Width of the labels where each curve has only one line.
const LABELS_IN_ONE_LINE: u16 = 24;

/// Draws the active, waiting and ended tasks, each in an area of its own.
pub(super) fn draw(frame: &mut Frame<'_>, areas: [Rect; 3], model: &Model, theme: Theme) {
    let curves = [active(model), waiting(model), ended(model)];
    draw_curves(frame, areas, curves, theme);
}

/// Draws three curves, each in an area of its own.
pub(super) fn draw_curves(
    frame: &mut Frame<'_>,
    areas: [Rect; 3],
    curves: [Curve; 3],
    theme: Theme,
) {
    let colours = [Color::Green, Color::Yellow, Color::Cyan];
    for (area, (curve, colour)) in areas.into_iter().zip(curves.into_iter().zip(colours)) {
        curve.draw(frame, area, theme.fore(colour));
    }
}

/// A name, a number, and the past values of the number.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) number: String,
    pub(super) values: Vec<u64>,
    /// Value that fills the whole height, unless a visible value is larger. `None` for the largest visible value.
    pub(super) full: Option<u64>,
}

fn active(model: &Model) -> Curve {
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

fn waiting(model: &Model) -> Curve {
    Curve {
        name: "waiting",
        number: model.stats.waiting.to_string(),
        values: model.history.values(|sample| sample.waiting),
        full: None,
    }
}

fn ended(model: &Model) -> Curve {
    Curve {
        name: "ended",
        number: model.history.throughput().map_or("-".into(), rate),
        values: model.history.ends(),
        full: None,
    }
}

impl Curve {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, style: Style) {
        let (labels, label) = match area.height {
            0 | 1 => (LABELS_IN_ONE_LINE, self.short_label()),
            _ => (LABELS, self.label()),
        };
        let widths = [Constraint::Length(labels), Constraint::Min(1)];
        let [beside, chart] = Layout::horizontal(widths).areas(area);
        frame.render_widget(label, beside);
        frame.render_widget(self.chart(chart.width.into()).style(style), chart);
    }

    fn label(&self) -> Paragraph<'static> {
        let lines = [
            Line::styled(format!(" {}", self.name), Modifier::BOLD),
            Line::raw(format!(" {}", self.number)),
        ];
        Paragraph::new(lines.to_vec())
    }

    fn short_label(&self) -> Paragraph<'static> {
        let name = Span::styled(format!(" {:8}", self.name), Modifier::BOLD);
        Paragraph::new(Line::from_iter([name, Span::raw(self.number.clone())]))
    }

    /// Draws the newest value at the right end.
    fn chart(&self, columns: usize) -> Sparkline<'static> {
        let missing = columns.saturating_sub(self.values.len());
        let seen = &self.values[self.values.len().saturating_sub(columns)..];
        let bars = vec![None; missing]
            .into_iter()
            .chain(seen.iter().copied().map(Some));
        let bars = bars.map(SparklineBar::from);
        // A single task must be distinguishable from none, and a shrunk pool may have more active tasks than its size.
        let most = seen.iter().copied().max().unwrap_or(0);
        let full = self.full.unwrap_or(0).max(most).max(1);
        Sparkline::default().data(bars).max(full)
    }
}
