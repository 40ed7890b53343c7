//! The effects of the keys: on the model, and as commands for the server.

mod steering;
#[cfg(test)]
mod tests;
pub(super) mod typed;

use aiopool::control::protocol::Command;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use self::steering::{ask, steer_group, steer_pool};
use self::typed::{Typed, leaves, type_digit};
use super::model::{Mode, Model, Question, View};

/// The effect of a key, besides drawing.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    Nothing,
    Send(String),
    Quit,
}

/// The keys as the help shows them.
pub(super) const HELP: [(&str, &str); 13] = [
    (
        "Tab 1-4",
        "show 1 tasks, 2 those that have run longest, 3 those that have waited longest, 4 groups, the busiest first",
    ),
    (
        "↑ ↓ k j",
        "go through the list; PgUp, PgDn, Home, End in larger steps",
    ),
    ("s", "sort tasks by state, number, name, age"),
    (
        "p",
        "pause the pool, or in 4 the selected group: what runs goes on, nothing starts; or resume it",
    ),
    ("l", "lock the pool: it takes no new tasks; or unlock it"),
    (
        "+ -",
        "make the pool, or in 4 the group, larger or smaller by one",
    ),
    ("r", "resize it: type the number, then Enter"),
    (
        "c Enter",
        "cancel the selected task, or in 4 all tasks of the group",
    ),
    ("g", "cancel the group of the selected task"),
    ("X", "cancel all tasks"),
    ("?", "this help"),
    ("Esc", "back"),
    ("q", "leave the dashboard; the pool goes on"),
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
        Mode::Help(skipped) => scroll(model, skipped, key.code),
        Mode::Typing { group, digits } => type_size(model, group, digits, key.code),
        Mode::Asking(question) => answer(model, question, key.code),
    }
}

fn look(model: &mut Model, key: KeyCode) -> Effect {
    const PAGE: isize = 10;
    match key {
        KeyCode::Char('q') => return Effect::Quit,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => model.mode = Mode::Help(0),
        KeyCode::Tab => model.view = model.view.after(1),
        KeyCode::BackTab => model.view = model.view.after(View::ALL.len() - 1),
        KeyCode::Char(digit @ '1'..='4') => model.view = View::ALL[digit as usize - '1' as usize],
        KeyCode::Up | KeyCode::Char('k') => model.select(-1),
        KeyCode::Down | KeyCode::Char('j') => model.select(1),
        KeyCode::PageUp => model.select(-PAGE),
        KeyCode::PageDown => model.select(PAGE),
        KeyCode::Home => model.select(isize::MIN),
        KeyCode::End => model.select(isize::MAX),
        KeyCode::Char('s') => model.reorder(),
        KeyCode::Char('l') if model.stats.locked => return send(&Command::Unlock),
        KeyCode::Char('l') => return send(&Command::Lock),
        KeyCode::Char('X') => ask(model, |_| Some(Question::CancelAll)),
        key if model.view == View::Groups => return steer_group(model, key),
        key => return steer_pool(model, key),
    }
    Effect::Nothing
}

fn send(command: &Command) -> Effect {
    Effect::Send(command.to_string())
}

/// Scrolls the help. Any other key closes it.
fn scroll(model: &mut Model, skipped: usize, key: KeyCode) -> Effect {
    /// More lines than the help has.
    const MOST: usize = 50;
    match key {
        KeyCode::Up | KeyCode::Char('k') => model.mode = Mode::Help(skipped.saturating_sub(1)),
        KeyCode::Down | KeyCode::Char('j') => model.mode = Mode::Help((skipped + 1).min(MOST)),
        _ => {}
    }
    Effect::Nothing
}

fn type_size(model: &mut Model, group: Option<String>, mut digits: String, key: KeyCode) -> Effect {
    match type_digit(&mut digits, key) {
        Typed::More => model.mode = Mode::Typing { group, digits },
        Typed::Size(size) => return send(&Command::Resize { size, group }),
        Typed::Abandoned => {}
    }
    Effect::Nothing
}

/// Handles the answer to a question. Only `y` confirms, and only a clear no or Esc withdraws the question.
fn answer(model: &mut Model, question: Question, key: KeyCode) -> Effect {
    match key {
        KeyCode::Char('y') => send(&match question {
            Question::Cancel { id, .. } => Command::Cancel(id.try_into().into_iter().collect()),
            Question::CancelGroup(name) => Command::CancelGroup(name),
            Question::CancelAll => Command::CancelAll,
        }),
        KeyCode::Char('n' | 'q') | KeyCode::Esc => Effect::Nothing,
        _ => {
            model.mode = Mode::Asking(question);
            Effect::Nothing
        }
    }
}
