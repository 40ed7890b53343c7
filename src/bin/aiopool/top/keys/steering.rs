//! The keys that apply to the pool, the selected task, or the selected group.

use aiopool::control::protocol::Command;
use ratatui::crossterm::event::KeyCode;

use super::{Effect, send};
use crate::top::groups::Group;
use crate::top::model::{Mode, Model, Note, Question};

/// The keys that apply to the pool and the selected task.
pub(super) fn steer_pool(model: &mut Model, key: KeyCode) -> Effect {
    match key {
        KeyCode::Char('p') if model.stats.paused => return send(&Command::Resume(None)),
        KeyCode::Char('p') => return send(&Command::Pause(None)),
        KeyCode::Char('+' | '=') => return resize(None, model.stats.size, 1),
        KeyCode::Char('-') => return resize(None, model.stats.size, -1),
        KeyCode::Char('r') => model.mode = typing(None),
        KeyCode::Char('c') | KeyCode::Enter => ask(model, cancel),
        KeyCode::Char('g') => ask(model, cancel_group),
        _ => {}
    }
    Effect::Nothing
}

/// The keys that apply to the selected group, if there is one.
pub(super) fn steer_group(model: &mut Model, key: KeyCode) -> Effect {
    let Some(Group {
        name, size, paused, ..
    }) = model.groups.selection().cloned()
    else {
        return Effect::Nothing;
    };
    if !matches!(
        key,
        KeyCode::Char('p' | '+' | '=' | '-' | 'r' | 'c' | 'g') | KeyCode::Enter
    ) {
        return Effect::Nothing;
    }
    let namesakes = model.groups.named(&name);
    if namesakes > 1 {
        let text =
            format!("{namesakes} groups are called {name}: a command cannot tell them apart");
        model.note = Some(Note { text, bad: true });
        return Effect::Nothing;
    }
    match key {
        KeyCode::Char('p') if paused => return send(&Command::Resume(Some(name))),
        KeyCode::Char('p') => return send(&Command::Pause(Some(name))),
        KeyCode::Char('+' | '=') => return resize(Some(name), size, 1),
        KeyCode::Char('-') => return resize(Some(name), size, -1),
        KeyCode::Char('r') => model.mode = typing(Some(name)),
        _ => model.mode = Mode::Asking(Question::CancelGroup(name)),
    }
    Effect::Nothing
}

/// Changes the size of a group, or of the pool, by `by`. Without a bound there is no next size, and 0 is not a valid size:
/// the user can pause the pool to hold tasks back.
fn resize(group: Option<String>, size: Option<u64>, by: i64) -> Effect {
    let size = size.and_then(|size| size.checked_add_signed(by));
    match size.map(i64::try_from) {
        None | Some(Err(_) | Ok(0)) => Effect::Nothing,
        Some(Ok(size)) => send(&Command::Resize { size, group }),
    }
}

fn typing(group: Option<String>) -> Mode {
    Mode::Typing {
        group,
        digits: String::new(),
    }
}

pub(super) fn ask(model: &mut Model, question: impl FnOnce(&Model) -> Option<Question>) {
    if let Some(question) = question(model) {
        model.mode = Mode::Asking(question);
    }
}

fn cancel(model: &Model) -> Option<Question> {
    let task = model.shown_tasks()?.selection()?;
    Some(Question::Cancel {
        id: task.id,
        name: task.name.clone(),
    })
}

fn cancel_group(model: &Model) -> Option<Question> {
    let task = model.shown_tasks()?.selection()?;
    task.group.clone().map(Question::CancelGroup)
}
