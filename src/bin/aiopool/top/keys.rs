//! The effects of the keys: on the model, and as commands for the server.

use aiopool::control::protocol::Command;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::groups::Group;
use super::model::{Mode, Model, Note, Question, View};

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

/// Maximum number of digits of a size: as many as surely fit into a number.
const DIGITS: usize = 18;

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

/// The keys that apply to the pool and the selected task.
fn steer_pool(model: &mut Model, key: KeyCode) -> Effect {
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
fn steer_group(model: &mut Model, key: KeyCode) -> Effect {
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

fn send(command: &Command) -> Effect {
    Effect::Send(command.to_string())
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

fn ask(model: &mut Model, question: impl FnOnce(&Model) -> Option<Question>) {
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

fn type_size(model: &mut Model, group: Option<String>, mut digits: String, key: KeyCode) -> Effect {
    match key {
        KeyCode::Esc => return Effect::Nothing,
        KeyCode::Enter => {
            let size = digits.parse();
            return size.map_or(Effect::Nothing, |size| {
                send(&Command::Resize { size, group })
            });
        }
        KeyCode::Backspace => drop(digits.pop()),
        KeyCode::Char(digit @ '0'..='9') if digits.len() < DIGITS => digits.push(digit),
        _ => {}
    }
    model.mode = Mode::Typing { group, digits };
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use serde_json::json;

    use super::{Effect, press};
    use crate::top::model::{Mode, Model, Settings, View};

    fn model() -> Model {
        let mut model = Model::new("AioPool-demo", "localhost:8001", Settings::default());
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
            '↹' => KeyCode::Tab,
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
            ("⏎", "cancel 4"),
            ("↓c", "cancel 5"),
            ("g", r#"cancel-group "a b""#),
            ("X", "cancel-all"),
        ] {
            let mut model = model();
            assert!(type_keys(&mut model, keys).is_empty(), "{keys} asks");
            assert!(
                type_keys(&mut model, "x ⏎c2").is_empty(),
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
        assert_eq!(typed, [send(&format!("resize {}", "9".repeat(18)))]);
    }

    /// A model that shows these groups.
    fn groups(rows: &[(usize, &str)]) -> Model {
        let row = |(depth, name): &(usize, &str)| json!({"depth": depth, "name": name, "size": 3, "paused": *name == "paused"});
        let rows: Vec<_> = rows.iter().map(row).collect();
        let mut model = model();
        model.update_overview_from_json(Duration::ZERO, json!(null), json!({ "groups": rows }));
        model.view = View::Groups;
        model
    }

    #[test]
    fn keys_apply_to_the_selected_group_where_groups_are_shown() {
        let mut model = groups(&[(0, "a b"), (1, "paused")]);
        let effects = type_keys(&mut model, "p+-r20⏎");
        assert_eq!(
            effects,
            [
                send(r#"pause "--group-name=a b""#),
                send(r#"resize "--group-name=a b" 4"#),
                send(r#"resize "--group-name=a b" 2"#),
                send(r#"resize "--group-name=a b" 20"#),
            ]
        );
        let effects = type_keys(&mut model, "↓pl");
        assert_eq!(effects, [send("resume --group-name=paused"), send("lock")]);
        for key in ["c", "g", "⏎"] {
            assert!(type_keys(&mut model, key).is_empty(), "{key} asks");
            assert_eq!(type_keys(&mut model, "y"), [send("cancel-group paused")]);
        }
        assert!(type_keys(&mut groups(&[]), "p+-r2⏎cg⏎").is_empty());
    }

    #[test]
    fn a_size_that_is_typed_is_for_the_group_that_was_selected_before() {
        let mut model = groups(&[(0, "a"), (0, "b")]);
        type_keys(&mut model, "r7");
        let other = json!({"groups": [{"name": "b"}]});
        model.update_overview_from_json(Duration::ZERO, json!(null), other);
        assert_eq!(
            type_keys(&mut model, "⏎"),
            [send("resize --group-name=a 7")]
        );
    }

    #[test]
    fn no_key_applies_to_one_of_two_groups_of_the_same_name() {
        let mut model = groups(&[(0, "a"), (1, "x"), (0, "b"), (1, "x")]);
        for key in ["p", "+", "r", "c"] {
            assert!(type_keys(&mut model, &format!("↓{key}")).is_empty());
            assert_eq!(model.mode, Mode::Looking);
            assert!(model.note.as_ref().unwrap().text.starts_with("2 groups"));
            model.groups.select(isize::MIN);
        }
    }

    #[test]
    fn the_longest_tasks_are_cancelled_where_they_are_shown() {
        let mut model = model();
        let task = |id, state| json!({"id": id, "name": "a", "state": state, "group": "g"});
        let times = json!({"longest_running": [task(7, "active")], "longest_waiting": [task(8, "waiting")]});
        model.update_overview_from_json(Duration::ZERO, times, json!({}));
        for (keys, command) in [
            ("2c", "cancel 7"),
            ("3⏎", "cancel 8"),
            ("1c", "cancel 4"),
            ("↹g", "cancel-group g"),
        ] {
            assert_eq!(type_keys(&mut model, &format!("{keys}y")), [send(command)]);
        }
    }

    #[test]
    fn help_goes_away_with_any_key_and_quitting_always_works() {
        let mut model = model();
        assert!(type_keys(&mut model, "?").is_empty());
        assert_eq!(model.mode, Mode::Help(0));
        assert!(type_keys(&mut model, "↓jjk").is_empty());
        assert_eq!(model.mode, Mode::Help(2));
        assert!(type_keys(&mut model, "q").is_empty());
        assert_eq!(type_keys(&mut model, "q"), [Effect::Quit]);
        type_keys(&mut model, "X");
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(press(&mut model, interrupt), Effect::Quit);
    }
}
