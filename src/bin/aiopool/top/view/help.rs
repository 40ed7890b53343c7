//! Shows the keys: the most important ones in a line, all of them in a box.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Modifier};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::theme::Theme;
use crate::top::keys;
use crate::top::model::{Model, View};

/// Width of the column of keys.
const KEYS: usize = 10;

/// Width of the box, if the terminal is wide enough.
const WIDEST: u16 = 76;

const SIGNS: &str = "~ is reckoned from the counts; > is how long the dashboard has seen it, where the pool takes no \
                     times. Percentiles are those of the tasks that wait or run now.";

/// Returns the line with as many of the most important keys as there is room for.
pub(super) fn line(model: &Model, width: u16) -> Line<'static> {
    let is_paused = match model.view {
        View::Groups => model.groups.selection().is_some_and(|group| group.paused),
        _ => model.stats.paused,
    };
    let keys = [
        ("q", "quit"),
        ("?", "help"),
        ("Tab", "view"),
        ("p", if is_paused { "resume" } else { "pause" }),
        ("r", "resize"),
        ("c", "cancel"),
        ("s", "sort"),
        ("X", "cancel all"),
    ];
    let mut line = Line::default();
    for (key, what) in keys {
        let shown = [
            Span::styled(format!(" {key} "), Modifier::REVERSED),
            Span::raw(format!(" {what} ")),
        ];
        let taken: usize = line.width() + shown.iter().map(Span::width).sum::<usize>();
        if taken > width.into() {
            break;
        }
        line.extend(shown);
    }
    line
}

/// Draws the box with all keys on top of the dashboard, with so many lines scrolled out of sight.
pub(super) fn draw(frame: &mut Frame<'_>, theme: Theme, skipped: usize) {
    let width = frame.area().width.min(WIDEST);
    let lines = lines(width.saturating_sub(3).into());
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = frame
        .area()
        .centered(Constraint::Length(width), Constraint::Length(height));
    let hidden = lines.len() + 2 - usize::from(area.height).min(lines.len() + 2);
    let bottom = match hidden {
        0 => " Any key closes this ",
        _ => " ↑ ↓, or any key closes this ",
    };
    let block = Block::bordered()
        .title(" Keys ")
        .title_bottom(bottom)
        .border_style(theme.fore(Color::Cyan));
    let inside = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let seen: Vec<_> = lines.into_iter().skip(skipped.min(hidden)).collect();
    frame.render_widget(Paragraph::new(seen), indented(inside));
}

fn indented(area: Rect) -> Rect {
    Rect {
        x: area.x + area.width.min(1),
        width: area.width.saturating_sub(1),
        ..area
    }
}

fn lines(width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (key, what) in keys::HELP {
        for (at, part) in wrapped(what, width.saturating_sub(KEYS))
            .into_iter()
            .enumerate()
        {
            let key = if at == 0 { key } else { "" };
            lines.push(Line::from_iter([
                Span::styled(format!("{key:KEYS$}"), Modifier::BOLD),
                Span::raw(part),
            ]));
        }
    }
    lines.push(Line::default());
    lines.extend(wrapped(SIGNS, width).into_iter().map(Line::raw));
    lines
}

/// Splits a text into lines of at most `width` characters, if no word is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("it begins with one");
        let taken = last.chars().count();
        if taken == 0 {
            last.push_str(word);
        } else if taken + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_are_no_longer_than_the_width_and_have_all_words() {
        let text = "one two three four";
        for width in 5..20 {
            let lines = wrapped(text, width);
            assert!(lines.iter().all(|line| line.len() <= width), "{lines:?}");
            assert_eq!(lines.join(" "), text);
        }
        assert_eq!(wrapped(text, 0).len(), 4, "a word is not split");
    }
}
