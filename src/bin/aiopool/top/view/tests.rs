use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use serde_json::json;

use super::{Theme, draw};
use crate::top::model::{Mode, Model, Note, Question, Settings, View};

fn drawn(model: &Model, columns: u16, lines: u16, theme: Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    terminal.draw(|frame| draw(frame, model, theme)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(model: &Model) -> String {
    text_at(model, 80, 24)
}

fn text_at(model: &Model, columns: u16, lines: u16) -> String {
    let buffer = drawn(model, columns, lines, Theme::Plain);
    let lines = buffer.content().chunks(columns.into()).map(|cells| {
        let line: String = cells.iter().map(Cell::symbol).collect();
        line.trim_end().to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn model() -> Model {
    let mut model = Model::new("SimpleTaskPool-demo", "localhost:8001", Settings::default());
    for second in 0..5 {
        let stats = json!({
            "name": "demo", "size": 4, "active": second, "waiting": 8 - 2 * second, "paused": false,
            "locked": false, "submitted": 12, "started": 4 + 2 * second, "completed": 2 * second,
            "panicked": 0, "cancelled": 0, "timed_out": 0, "rejected": 0, "refused": 0
        });
        let tasks = json!({"tasks": [
            {"id": 9, "name": "resize-image", "group": "eu", "state": "active", "waited": 0.1, "running": 62.0},
            {"id": 11, "name": "demo-11", "group": null, "state": "waiting", "waited": 1.25, "running": null},
        ], "more": 0});
        model.update_from_json(Duration::from_secs(second), stats, tasks);
    }
    let times = json!({
        "timed": true, "lacks_permits": true,
        "running": {"count": 4, "p50": 1.0, "p90": 59.0, "p99": 62.0, "longest": 62.0},
        "waiting": {"count": 9, "p50": 1.25, "p90": 1.25, "p99": 1.25, "longest": 1.25},
        "longest_running": [
            {"id": 9, "name": "resize-image", "group": "eu", "state": "active", "waited": 0.1, "running": 62.0},
            {"id": 8, "name": "lends", "state": "waiting", "waited": 0.1, "running": 1.0},
        ],
        "longest_waiting": [{"id": 11, "name": "demo-11", "state": "waiting", "waited": 1.25}],
    });
    let group = |depth: usize, name: &str, size: &str, active: u64| {
        let size = size.parse::<u64>().map_or(json!(size), |size| json!(size));
        json!({"depth": depth, "name": name, "size": size, "active": active, "waiting": 2 * active})
    };
    let mut groups = vec![
        group(0, "eu", "inf", 3),
        group(1, "images", "3", 2),
        group(2, "大きい", "2", 1),
        group(0, "us", "2", 1),
    ];
    groups[1]["paused"] = json!(true);
    groups[3]["locked"] = json!(true);
    let tree = json!({ "groups": groups, "more": 9960 });
    model.update_overview_from_json(Duration::from_secs(4), times, tree);
    model
}

/// The lines of the list that is shown, and of the note.
fn list(model: &Model) -> String {
    let text = text(model);
    let lines = text.lines().skip(10).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.collect();
    lines[..lines.len() - 1].join("\n")
}

#[test]
fn the_longest_tasks_and_the_groups_are_lists_of_their_own() {
    for (view, expected) in [
        (
            View::Running,
            "\
TASK     NAME                            GROUP                STATE         AGE
▶9        resize-image                    eu                   active     1m 02s
 8        lends                           -                    lent        1.0 s
 1 of 4 running tasks                   1 tasks  2 running  3 waiting  4 groups",
        ),
        (
            View::Waiting,
            "\
TASK     NAME                            GROUP                STATE         AGE
▶11       demo-11                         -                    waiting     1.2 s
 1 of 9 waiting tasks                   1 tasks  2 running  3 waiting  4 groups",
        ),
        (
            View::Groups,
            "\
GROUP                                                   ACTIVE   WAITING
▶eu                                                           3         6
   images                                                2 of 3         4 paused
     大 き い                                               1 of 2         2
 us                                                      1 of 2         2 locked
 1 of 4 groups, and 9960 more           1 tasks  2 running  3 waiting  4 groups",
        ),
    ] {
        let mut model = model();
        model.view = view;
        let list = list(&model);
        assert_eq!(list.trim_start(), expected, "\n{list}");
    }
}

/// A model of a pool in which nothing has ended for 20 s.
fn stuck() -> Model {
    let mut model = model();
    let stats =
        json!({"size": 4, "active": 4, "waiting": 9, "full": true, "started": 12, "completed": 8});
    for second in 5..=26 {
        model.update_from_json(
            Duration::from_secs(second),
            stats.clone(),
            json!({"tasks": []}),
        );
    }
    model
}

#[test]
fn a_stuck_pool_is_marked_and_one_key_shows_what_holds_the_permits() {
    let mut model = stuck();
    for (columns, title) in [
        (
            80,
            " SimpleTaskPool-demo at localhost:8001      STUCK for 21.0 s watched for 26.0 s\n",
        ),
        (40, " SimpleTaskPool-demo   STUCK for 21.0 s\n"),
    ] {
        let text = text_at(&model, columns, 10);
        assert!(text.starts_with(title), "{text}");
        assert!(text.contains("\n 2 shows what holds the permits"), "{text}");
    }
    let plain = drawn(&model, 80, 24, Theme::Plain);
    let text = text(&model);
    let at = text.lines().next().unwrap().find("STUCK").unwrap() as u16;
    let marked = plain[(at, 0)].modifier;
    assert!(marked.contains(Modifier::BOLD | Modifier::REVERSED));
    model.view = View::Running;
    assert!(list(&model).ends_with(
        " 1 of 4 running tasks                   1 tasks  2 running  3 waiting  4 groups"
    ));
    model.stats.paused = true;
    model.progress.note(model.now, &model.stats);
    assert!(!text_at(&model, 80, 24).contains("STUCK"), "it is paused");
}

#[test]
fn a_pool_without_times_and_an_older_server_are_told() {
    let mut model = model();
    let untimed = json!({"running": {"count": 4}});
    model.update_overview_from_json(Duration::from_secs(4), untimed, json!({}));
    let untimed = text(&model);
    assert!(
        untimed.contains(" longest 1.2 s    the pool keeps no times:\n"),
        "{untimed}"
    );
    assert!(
        untimed.contains(" longest 1m 02s   build it with timed(true)\n"),
        "{untimed}"
    );
    model.update_overview_from_json(Duration::from_secs(4), json!(null), json!({}));
    assert!(text(&model).contains("the server is older:\n"));
}

#[test]
fn small_terminals_show_what_matters() {
    let mut model = model();
    let small = "\
 SimpleTaskPool-demo at localhost:8001    watched for 4.0 s
 active  4 of 4                                         ▂▄▆█
 waiting 0                                             █▆▄▂
 ended   2.0 a second                                   ████
 wait  longest 1.2 s    p50 1.2 s   p90 1.2 s   p99 1.2 s
 run   longest 1m 02s   p50 1.0 s   p90 59.0 s  p99 1m 02s
 completed 8  cancelled 0  panicked 0  timed out 0  rejected
 TASK     NAME                GROUP        STATE         AGE
▶9        resize-image        eu           active     1m 02s
 11       demo-11             -            waiting     1.2 s



 1 of 2 tasks       1 tasks  2 running  3 waiting  4 groups
 q  quit  ?  help  Tab  view  p  pause  r  resize";
    let text = text_at(&model, 60, 15);
    assert_eq!(text.trim_start(), small.trim_start(), "\n{text}");
    let tiny = "\
 SimpleTaskPool-demo at localhost:8001
 4 of 4 active, 0 wait, 2.0 a second
 TASK     NAME         STATE         AGE
▶9        resize-image active     1m 02s
 11       demo-11      waiting     1.2 s



 1 of 2 tasks
 q  quit  ?  help  Tab  view  p  pause";
    let text = text_at(&model, 40, 10);
    assert_eq!(text.trim_start(), tiny.trim_start(), "\n{text}");
    model.view = View::Groups;
    let text = text_at(&model, 40, 10);
    assert!(
        text.contains("▶eu                   3         6\n"),
        "{text}"
    );
}

#[test]
fn all_of_it_can_be_read_at_80_by_24() {
    let expected = "\
 SimpleTaskPool-demo at localhost:8001                        watched for 4.0 s
 active                                                                       ▄█
 4 of 4                                                                     ▄███
 waiting                                                                   █▄
 0                                                                         ███▄
 ended                                                                      ████
 2.0 a second                                                               ████
 wait  mean ~2.0 s   longest 1.2 s    p50 1.2 s   p90 1.2 s   p99 1.2 s
 run   mean ~1.0 s   longest 1m 02s   p50 1.0 s   p90 59.0 s  p99 1m 02s
 completed 8  cancelled 0  panicked 0  timed out 0  rejected 0  refused 0
 TASK     NAME                            GROUP                STATE         AGE
▶9        resize-image                    eu                   active     1m 02s
 11       demo-11                         -                    waiting     1.2 s









 1 of 2 tasks                           1 tasks  2 running  3 waiting  4 groups
 q  quit  ?  help  Tab  view  p  pause  r  resize  c  cancel  s  sort";
    let text = text(&model());
    assert_eq!(text.trim_start(), expected, "\n{text}");
}

#[test]
fn states_questions_and_answers_are_told() {
    for (change, expected) in [
        (|model| model.stats.paused = true, "PAUSED  watched for"),
        (|model| model.stats.locked = true, "LOCKED  watched for"),
        (
            |model| model.now = Duration::from_secs(64),
            "no news for 1m 00s  watched for 1m 04s",
        ),
        (|model| model.tasks.more = 7, "\n 1 of 9 tasks  "),
        (|model| model.stats.size = None, "\n 4, no bound"),
        (
            |model| {
                model.mode = Mode::Typing {
                    group: None,
                    digits: "20".into(),
                }
            },
            "\n New size: 20_\n",
        ),
        (
            |model| model.mode = Mode::Asking(Question::CancelAll),
            "\n Cancel all 4 tasks? y/n\n",
        ),
        (
            |model| model.mode = Mode::Asking(Question::CancelGroup("eu".into())),
            "\n Cancel all tasks of the group eu? y/n\n",
        ),
        (
            |model| {
                let name = "resize-image".into();
                model.mode = Mode::Asking(Question::Cancel { id: 9, name });
            },
            "\n Cancel task 9, resize-image? y/n\n",
        ),
        (
            |model| {
                let text = "resize 0: no".into();
                model.note = Some(Note { text, bad: true });
            },
            "\n resize 0: no\n",
        ),
        (
            |model| {
                model.now = Duration::from_secs(64);
                model.lose("cannot connect to localhost:8001: refused".into());
            },
            "\n trying again: cannot connect to localhost:8001: refused\n",
        ),
        (
            |model| {
                model.now = Duration::from_secs(64);
                model.stats.paused = true;
                model.lose("lost".into());
            },
            "NO CONNECTION  PAUSED  as of 1m 00s ago\n",
        ),
        (
            |model| {
                model.lose("lost".into());
                model.regain("AioPool-other".into());
            },
            "\n connected again\n",
        ),
    ] as [(fn(&mut Model), &str); 13]
    {
        let mut model = model();
        assert!(!text(&model).contains(expected), "{expected}");
        change(&mut model);
        let text = text(&model);
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
}

#[test]
fn nothing_that_a_terminal_obeys_is_drawn() {
    let evil = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\r\n\u{2066}";
    let mut model = Model::new(evil, evil, Settings::default());
    let task = json!({"id": 1, "name": evil, "group": evil, "state": "active"});
    let told = json!({"tasks": [task], "more": 0});
    model.update_from_json(Duration::from_secs(1), json!({}), told);
    let text = evil.to_owned();
    for mode in [
        Mode::Looking,
        Mode::Typing {
            group: Some(evil.into()),
            digits: String::new(),
        },
        Mode::Asking(Question::CancelGroup(evil.into())),
    ] {
        model.mode = mode;
        model.lost = Some(text.clone());
        for note in [None, Some(text.clone())] {
            model.note = note.map(|text| Note { text, bad: true });
            let drawn = drawn(&model, 80, 24, Theme::Colour);
            let obeyed = |cell: &Cell| cell.symbol().contains(crate::printable::is_obeyed);
            assert!(!drawn.content().iter().any(obeyed));
        }
    }
}

#[test]
fn the_help_shows_every_key() {
    let mut model = model();
    model.mode = Mode::Help(0);
    for (columns, lines) in [(80, 24), (40, 10)] {
        let mut seen = String::new();
        for skipped in 0..30 {
            model.mode = Mode::Help(skipped);
            seen += &text_at(&model, columns, lines);
        }
        for (key, what) in crate::top::keys::HELP {
            assert!(seen.contains(&format!("│ {key:10}")), "{key} in\n{seen}");
            let words = what.split(' ');
            let missing: Vec<_> = words.filter(|word| !seen.contains(word)).collect();
            assert!(missing.is_empty(), "{missing:?} in\n{seen}");
        }
    }
}

#[test]
fn without_colour_there_is_none_and_what_matters_stands_out_all_the_same() {
    let mut model = model();
    model.stats.panicked = 1;
    model.mode = Mode::Asking(Question::CancelAll);
    let plain = drawn(&model, 80, 24, Theme::Plain);
    let colourless = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
    assert!(plain.content().iter().all(colourless));
    assert!(
        plain[(0, 0)].modifier.contains(Modifier::REVERSED),
        "the title"
    );
    assert!(
        plain[(2, 11)].modifier.contains(Modifier::REVERSED),
        "the selected task"
    );
    assert!(
        plain[(2, 22)].modifier.contains(Modifier::BOLD),
        "the question"
    );
    let coloured = drawn(&model, 80, 24, Theme::Colour);
    let colours = |colour| {
        coloured
            .content()
            .iter()
            .filter(|cell| cell.fg == colour)
            .count()
    };
    for colour in [Color::Green, Color::Yellow, Color::Cyan, Color::Red] {
        assert!(colours(colour) > 0, "{colour}");
    }
    let symbols = |buffer: &Buffer| {
        buffer
            .content()
            .iter()
            .map(|cell| cell.symbol().to_string())
            .collect::<String>()
    };
    assert_eq!(
        symbols(&plain),
        symbols(&coloured),
        "nothing is told by colour alone"
    );
}

#[test]
fn no_terminal_is_too_small_and_the_selected_task_is_always_in_sight() {
    let mut model = model();
    let rows: Vec<_> = (0..300).map(|id| json!({"id": id, "name": format!("a\u{301}\u{1f980}\u{1b}[31m{id}"), "state": "active"})).collect();
    model.update_from_json(
        Duration::from_secs(9),
        json!({"size": u64::MAX, "active": u64::MAX}),
        json!({"tasks": rows, "more": u64::MAX}),
    );
    model.tasks.select(isize::MIN);
    model.tasks.select(250);
    for mode in [Mode::Looking, Mode::Help(0), Mode::Help(99)] {
        model.mode = mode;
        for (columns, lines) in [(1, 1), (5, 3), (20, 10), (80, 24), (300, 100)] {
            drawn(&model, columns, lines, Theme::Colour);
        }
    }
    model.mode = Mode::Looking;
    let text = text(&model);
    assert!(text.contains("▶250 ") && !text.contains('\u{1b}'), "{text}");
}
