//! The effects of the keys: on the model, and as orders for the server.

use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::model::{Mode, Model};
use crate::top::keys::typed::{Typed, leaves, type_digit};

/// The effect of a key, besides drawing.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    Nothing,
    Send(Order),
    Quit,
}

/// What the fleet is told to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    Pause,
    Resume,
    Resize(usize),
    CancelAll,
}

/// The keys as the help shows them.
pub(in crate::top) const HELP: [(&str, &str); 8] = [
    ("↑ ↓ k j", "go through the workers; Home, End"),
    ("p", "pause the pool: what runs goes on; or resume it"),
    ("+ -", "make the pool larger or smaller by one"),
    ("r", "resize it: type the number, then Enter"),
    ("X", "cancel all tasks, of all clients"),
    ("?", "this help"),
    ("Esc", "back"),
    ("q", "leave the dashboard; the fleet goes on"),
];

pub(super) fn press(model: &mut Model, key: KeyEvent) -> Effect {
    if key.kind == KeyEventKind::Release {
        return Effect::Nothing;
    }
    if leaves(key) {
        return Effect::Quit;
    }
    model.note = None;
    match std::mem::take(&mut model.mode) {
        Mode::Looking => look(model, key.code),
        Mode::Help => Effect::Nothing,
        Mode::Typing(digits) => type_size(model, digits, key.code),
        Mode::Asking => answer(model, key.code),
    }
}

fn look(model: &mut Model, key: KeyCode) -> Effect {
    let paused = model.stats.is_some_and(|(stats, _)| stats.is_paused);
    match key {
        KeyCode::Char('q') => return Effect::Quit,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => model.mode = Mode::Help,
        KeyCode::Up | KeyCode::Char('k') => model.select(-1),
        KeyCode::Down | KeyCode::Char('j') => model.select(1),
        KeyCode::Home => model.select(isize::MIN),
        KeyCode::End => model.select(isize::MAX),
        KeyCode::Char('p') if paused => return Effect::Send(Order::Resume),
        KeyCode::Char('p') => return Effect::Send(Order::Pause),
        KeyCode::Char('+' | '=') => return resize(model, 1),
        KeyCode::Char('-') => return resize(model, -1),
        KeyCode::Char('r') => model.mode = Mode::Typing(String::new()),
        KeyCode::Char('X') => model.mode = Mode::Asking,
        _ => {}
    }
    Effect::Nothing
}

/// Changes the size by `by`. 0 is no size: the user can pause the pool to hold tasks back.
fn resize(model: &Model, by: isize) -> Effect {
    let size = model.stats.map(|(stats, _)| stats.size);
    match size.and_then(|size| size.checked_add_signed(by)) {
        None | Some(0) => Effect::Nothing,
        Some(size) => Effect::Send(Order::Resize(size)),
    }
}

fn type_size(model: &mut Model, mut digits: String, key: KeyCode) -> Effect {
    match type_digit(&mut digits, key) {
        Typed::More => model.mode = Mode::Typing(digits),
        Typed::Size(size) => return Effect::Send(Order::Resize(size)),
        Typed::Abandoned => {}
    }
    Effect::Nothing
}

/// Only `y` confirms, and only a clear no or Esc withdraws the question.
fn answer(model: &mut Model, key: KeyCode) -> Effect {
    match key {
        KeyCode::Char('y') => Effect::Send(Order::CancelAll),
        KeyCode::Char('n' | 'q') | KeyCode::Esc => Effect::Nothing,
        _ => {
            model.mode = Mode::Asking;
            Effect::Nothing
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause => f.write_str("pause"),
            Self::Resume => f.write_str("resume"),
            Self::Resize(size) => write!(f, "resize {size}"),
            Self::CancelAll => f.write_str("cancel-all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_keys(model: &mut Model, keys: &[KeyCode]) -> Vec<Effect> {
        let press = |key: &KeyCode| press(model, (*key).into());
        let effects = keys.iter().map(press);
        effects
            .filter(|effect| *effect != Effect::Nothing)
            .collect()
    }

    #[test]
    fn what_cannot_be_undone_is_asked() {
        let mut model = Model::default();
        let sent = type_keys(&mut model, &['X', 'n', 'X', 'x', 'y'].map(KeyCode::Char));
        assert_eq!(sent, [Effect::Send(Order::CancelAll)]);
        assert_eq!(model.mode, Mode::Looking);
    }

    #[test]
    fn a_size_is_typed_and_nothing_is_sent_without_digits() {
        let mut model = Model::default();
        let [r, a, two, zero] = ['r', 'a', '2', '0'].map(KeyCode::Char);
        let keys = [
            r,
            KeyCode::Enter,
            r,
            two,
            KeyCode::Esc,
            r,
            a,
            two,
            zero,
            KeyCode::Enter,
        ];
        assert_eq!(
            type_keys(&mut model, &keys),
            [Effect::Send(Order::Resize(20))]
        );
    }

    #[test]
    fn without_figures_there_is_no_next_size() {
        let mut model = Model::default();
        assert_eq!(type_keys(&mut model, &['+', '-'].map(KeyCode::Char)), []);
    }
}
