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
    let times =
        json!({"longest_running": [task(7, "active")], "longest_waiting": [task(8, "waiting")]});
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
