//! The effects of the keys: on the model, and as commands for the server.

use aiopool::control::quote;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::model::{Mode, Model, Question};

/// The effect of a key, besides drawing.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    Nothing,
    Send(String),
    Quit,
}

/// The keys as the help shows them.
pub(super) const HELP: [(&str, &str); 12] = [
    (
        "↑ ↓ k j",
        "go through the tasks; PgUp, PgDn, Home, End in larger steps",
    ),
    ("s", "sort them by state, number, name, age"),
    (
        "p",
        "pause the pool: what runs goes on, nothing starts; or resume it",
    ),
    ("l", "lock the pool: it takes no new tasks; or unlock it"),
    ("+ -", "make the pool larger or smaller by one"),
    ("r", "resize it: type the number, then Enter"),
    ("c", "cancel the selected task"),
    ("g", "cancel the group of the selected task"),
    ("X", "cancel all tasks"),
    ("?", "this help"),
    ("Esc", "back"),
    ("q", "leave the dashboard; the pool goes on"),
];

/// Maximum number of digits of a size.
const DIGITS: usize = 19;

pub(super) fn press(model: &mut Model, key: KeyEvent) -> Effect {
    if key.kind == KeyEventKind::Release {
        return Effect::Nothing;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'd'))
    {
        return Effect::Quit;
    }
    model.note = None;
    match std::mem::take(&mut model.mode) {
        Mode::Looking => look(model, key.code),
        Mode::Help => Effect::Nothing,
        Mode::Typing(size) => type_size(model, size, key.code),
        Mode::Asking(question) => answer(model, question, key.code),
    }
}

fn look(model: &mut Model, key: KeyCode) -> Effect {
    const PAGE: isize = 10;
    match key {
        KeyCode::Char('q') => return Effect::Quit,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => model.mode = Mode::Help,
        KeyCode::Up | KeyCode::Char('k') => model.tasks.select(-1),
        KeyCode::Down | KeyCode::Char('j') => model.tasks.select(1),
        KeyCode::PageUp => model.tasks.select(-PAGE),
        KeyCode::PageDown => model.tasks.select(PAGE),
        KeyCode::Home => model.tasks.select(isize::MIN),
        KeyCode::End => model.tasks.select(isize::MAX),
        KeyCode::Char('s') => model.tasks.reorder(),
        KeyCode::Char('p') if model.stats.paused => return Effect::Send("resume".into()),
        KeyCode::Char('p') => return Effect::Send("pause".into()),
        KeyCode::Char('l') if model.stats.locked => return Effect::Send("unlock".into()),
        KeyCode::Char('l') => return Effect::Send("lock".into()),
        KeyCode::Char('+' | '=') => return resize(model, 1),
        KeyCode::Char('-') => return resize(model, -1),
        KeyCode::Char('r') => model.mode = Mode::Typing(String::new()),
        KeyCode::Char('c') => ask(model, cancel),
        KeyCode::Char('g') => ask(model, cancel_group),
        KeyCode::Char('X') => ask(model, |_| Some(Question::CancelAll)),
        _ => {}
    }
    Effect::Nothing
}

/// Changes the size by `by`. An unbounded pool has no next size, and 0 is not a valid size: the user can pause the pool
/// to hold tasks back.
fn resize(model: &Model, by: i64) -> Effect {
    match model
        .stats
        .size
        .and_then(|size| size.checked_add_signed(by))
    {
        None | Some(0) => Effect::Nothing,
        Some(size) => Effect::Send(format!("resize {size}")),
    }
}

fn ask(model: &mut Model, question: impl FnOnce(&Model) -> Option<Question>) {
    if let Some(question) = question(model) {
        model.mode = Mode::Asking(question);
    }
}

fn cancel(model: &Model) -> Option<Question> {
    let task = model.tasks.selection()?;
    Some(Question::Cancel {
        id: task.id,
        name: task.name.clone(),
    })
}

fn cancel_group(model: &Model) -> Option<Question> {
    let task = model.tasks.selection()?;
    task.group.clone().map(Question::CancelGroup)
}

fn type_size(model: &mut Model, mut size: String, key: KeyCode) -> Effect {
    match key {
        KeyCode::Esc => return Effect::Nothing,
        KeyCode::Enter if size.is_empty() => return Effect::Nothing,
        KeyCode::Enter => return Effect::Send(format!("resize {size}")),
        KeyCode::Backspace => drop(size.pop()),
        KeyCode::Char(digit @ '0'..='9') if size.len() < DIGITS => size.push(digit),
        _ => {}
    }
    model.mode = Mode::Typing(size);
    Effect::Nothing
}

/// Handles the answer to a question. Only `y` confirms, and only a clear no or Esc withdraws the question.
fn answer(model: &mut Model, question: Question, key: KeyCode) -> Effect {
    match key {
        KeyCode::Char('y') => Effect::Send(match question {
            Question::Cancel { id, .. } => format!("cancel {id}"),
            Question::CancelGroup(name) => format!("cancel-group {}", quote(&name)),
            Question::CancelAll => "cancel-all".into(),
        }),
        KeyCode::Char('n' | 'q') | KeyCode::Esc => Effect::Nothing,
        _ => {
            model.mode = Mode::Asking(question);
            Effect::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use serde_json::json;

    use super::{Effect, press};
    use crate::top::model::{Mode, Model};

    fn model() -> Model {
        let mut model = Model::new("AioPool-demo", "localhost:8001", Duration::from_secs(1));
        let tasks = json!({"tasks": [
            {"id": 4, "name": "one", "state": "active", "group": "a b"},
            {"id": 5, "name": "two", "state": "waiting", "group": null},
        ]});
        let stats = json!({"size": 10, "paused": false});
        model.update_from_json(Duration::ZERO, stats, tasks);
        model
    }

    fn type_keys(model: &mut Model, keys: &str) -> Vec<Effect> {
        let code = |key| match key {
            '⏎' => KeyCode::Enter,
            '⌫' => KeyCode::Backspace,
            '⎋' => KeyCode::Esc,
            '↓' => KeyCode::Down,
            other => KeyCode::Char(other),
        };
        let presses = keys.chars().map(|key| press(model, code(key).into()));
        presses
            .filter(|effect| *effect != Effect::Nothing)
            .collect()
    }

    fn send(command: &str) -> Effect {
        Effect::Send(command.into())
    }

    #[test]
    fn what_can_be_undone_is_done_at_once() {
        let mut model = model();
        let effects = type_keys(&mut model, "pl+-");
        assert_eq!(
            effects,
            [
                send("pause"),
                send("lock"),
                send("resize 11"),
                send("resize 9")
            ]
        );
        (model.stats.paused, model.stats.locked) = (true, true);
        assert_eq!(
            type_keys(&mut model, "pl"),
            [send("resume"), send("unlock")]
        );
    }

    #[test]
    fn no_key_makes_a_pool_of_no_size() {
        let mut model = model();
        model.stats.size = Some(1);
        assert!(type_keys(&mut model, "-").is_empty());
        model.stats.size = None;
        assert!(type_keys(&mut model, "+-").is_empty());
    }

    #[test]
    fn what_cannot_be_undone_is_asked_first() {
        for (keys, command) in [
            ("c", "cancel 4"),
            ("↓c", "cancel 5"),
            ("g", r#"cancel-group "a b""#),
            ("X", "cancel-all"),
        ] {
            let mut model = model();
            assert!(type_keys(&mut model, keys).is_empty(), "{keys} asks");
            assert!(
                type_keys(&mut model, "x ⏎c").is_empty(),
                "{keys}: no clear answer"
            );
            assert!(matches!(model.mode, Mode::Asking(_)));
            assert_eq!(type_keys(&mut model, "y"), [send(command)]);
            assert_eq!(model.mode, Mode::Looking);
        }
        for no in ["n", "q", "⎋"] {
            let mut model = model();
            assert!(
                type_keys(&mut model, &format!("X{no}y")).is_empty(),
                "{no} is a no"
            );
        }
    }

    #[test]
    fn the_question_is_about_the_task_that_was_selected_when_it_was_asked() {
        let mut model = model();
        type_keys(&mut model, "c");
        let tasks = json!({"tasks": [{"id": 9, "name": "three", "state": "active"}]});
        model.update_from_json(Duration::from_secs(1), json!({}), tasks);
        assert_eq!(type_keys(&mut model, "y"), [send("cancel 4")]);
    }

    #[test]
    fn a_task_without_a_group_and_an_empty_list_raise_no_question() {
        let mut model = model();
        type_keys(&mut model, "↓g");
        assert_eq!(model.mode, Mode::Looking);
        model.update_from_json(Duration::ZERO, json!({}), json!({"tasks": []}));
        type_keys(&mut model, "cg");
        assert_eq!(model.mode, Mode::Looking);
    }

    #[test]
    fn a_size_is_typed_and_can_be_corrected_or_left() {
        let mut model = model();
        assert_eq!(type_keys(&mut model, "r25x⌫0⏎"), [send("resize 20")]);
        assert!(type_keys(&mut model, "r⏎").is_empty());
        assert!(type_keys(&mut model, "r7⎋").is_empty());
        assert_eq!(model.mode, Mode::Looking);
        let typed = type_keys(&mut model, &format!("r{}⏎", "9".repeat(40)));
        assert_eq!(typed, [send(&format!("resize {}", "9".repeat(19)))]);
    }

    #[test]
    fn help_goes_away_with_any_key_and_quitting_always_works() {
        let mut model = model();
        assert!(type_keys(&mut model, "?").is_empty());
        assert_eq!(model.mode, Mode::Help);
        assert!(type_keys(&mut model, "q").is_empty());
        assert_eq!(type_keys(&mut model, "q"), [Effect::Quit]);
        type_keys(&mut model, "X");
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(press(&mut model, interrupt), Effect::Quit);
    }
}
