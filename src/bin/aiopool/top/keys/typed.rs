//! What the keys mean in both dashboards, that of a pool and that of a fleet.

use std::str::FromStr;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Maximum number of digits of a size: as many as surely fit into a number.
const DIGITS: usize = 18;

/// What a key does to a size that is being typed.
pub(in crate::top) enum Typed<N> {
    More,
    Size(N),
    Abandoned,
}

/// Adds a key to the digits that have been typed so far.
pub(in crate::top) fn type_digit<N: FromStr>(digits: &mut String, key: KeyCode) -> Typed<N> {
    match key {
        KeyCode::Esc => return Typed::Abandoned,
        KeyCode::Enter => return digits.parse().map_or(Typed::Abandoned, Typed::Size),
        KeyCode::Backspace => drop(digits.pop()),
        KeyCode::Char(digit @ '0'..='9') if digits.len() < DIGITS => digits.push(digit),
        _ => {}
    }
    Typed::More
}

/// Returns `true` for a key that leaves the dashboard in every mode.
pub(in crate::top) fn leaves(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'd'))
}
