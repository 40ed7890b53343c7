//! The groups of a pool: those of the program, and those that were started from outside.

use crate::support::{Server, eventually, simple, with_work};

#[test]
fn a_group_of_the_program_is_seen_and_steered() {
    let server = Server::tcp(10, with_work);
    let uploads = server.pool.group("uploads", 2).unwrap();
    let inner = uploads.group("inner", 1).unwrap();
    let handles = uploads.map_n(0..4, |_| std::future::pending::<()>());
    let inside = inner.spawn_n(std::future::pending::<()>());
    let mut client = server.text();
    let table = client.ask_block("groups");
    assert_eq!(
        table,
        "name     size  active  waiting  paused  locked\n\
         uploads  2     2       3        False   False\n\
         inner    1     0       1        False   False\n\n"
    );
    assert_eq!(client.ask("get-group-ids uploads"), "{0, 1}");
    assert_eq!(client.ask("resize 3 -g uploads"), "ok");
    assert_eq!(uploads.size(), 3);
    assert_eq!(client.ask("pause --group-name=inner"), "ok");
    assert!(inner.is_paused() && !uploads.is_paused());
    assert_eq!(client.ask("resume -g inner"), "ok");
    assert!(!inner.is_paused());
    let listed = client.ask_block("tasks -g inner");
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert_eq!(client.ask("cancel-group uploads"), "ok");
    eventually("all of it has ended", || {
        handles.iter().all(aiopool::JoinHandle::is_finished) && inside.is_finished()
    });
    assert!(!uploads.is_closed(), "it may be used again");
}

#[test]
fn pausing_and_resizing_the_pool_take_effect_at_once() {
    let server = Server::tcp(1, simple);
    let mut client = server.text();
    client.ask("start 3");
    assert_eq!(client.ask("resize 2"), "ok");
    assert_eq!(client.ask("num-running"), "2");
    assert_eq!(client.ask("pause"), "ok");
    assert_eq!(client.ask("resize 3"), "ok");
    assert_eq!(client.ask("num-running"), "2");
    assert_eq!(client.ask("resume"), "ok");
    assert_eq!(client.ask("num-running"), "3");
}

#[test]
fn what_is_done_from_outside_counts_beside_what_the_program_does() {
    let server = Server::tcp(4, with_work);
    let _own = server.pool.spawn_n(std::future::pending::<()>());
    let mut client = server.text();
    client.ask("apply work -n 4 -g theirs");
    assert_eq!(
        client.ask("stats"),
        "name=demo size=4 active=4 waiting=1 full=True paused=False locked=False \
         submitted=4 started=4 completed=0 panicked=0 cancelled=0 timed_out=0 rejected=0 refused=0 retries=0"
    );
    assert!(
        client
            .ask("stats -g theirs")
            .starts_with("name=theirs size=inf active=3 waiting=1 ")
    );
    let table = client.ask_block("tasks");
    let cells: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        cells[0],
        [
            "id", "state", "name", "group", "priority", "weight", "waited", "running"
        ]
    );
    assert_eq!(cells[1], ["0", "active", "demo-0", "-", "0", "1", "-", "-"]);
    assert_eq!(
        cells[2],
        ["1", "active", "theirs-1", "theirs", "0", "1", "-", "-"]
    );
    assert!(client.ask_block("tasks -n 1").contains("and 3 more\n\n"));
    client.ask("cancel-group theirs");
    assert_eq!(client.ask("num-running"), "1");
}

#[test]
fn a_group_that_was_cancelled_is_forgotten_and_its_name_is_free() {
    let server = Server::tcp(4, with_work);
    let mut client = server.text();
    assert_eq!(client.ask("apply work -g mine -n 9"), "mine");
    assert_eq!(client.ask("cancel-group mine"), "ok");
    assert!(client.ask("get-group-ids mine").contains("\"mine\""));
    assert_eq!(server.pool.len(), 0, "those that waited have gone too");
    assert_eq!(client.ask("apply work -g mine"), "mine");
    assert_eq!(client.ask("get-group-ids mine"), "{4}");
}

#[test]
fn groups_that_have_ended_are_forgotten_in_time() {
    let server = Server::tcp(4, with_work);
    let mut client = server.text();
    assert_eq!(client.ask("apply work"), "apply-work-group-0");
    for _ in 0..1_500 {
        let name = client.ask("apply quick");
        let number = name.strip_prefix("apply-quick-group-").unwrap();
        assert!(
            number.parse::<u32>().unwrap() < 1_000,
            "{name}: the names of others are free"
        );
    }
    assert_eq!(
        client.ask("get-group-ids apply-work-group-0"),
        "{0}",
        "it runs yet"
    );
    client.ask("flush");
    assert_eq!(server.pool.groups().len(), 1, "no pool is kept for them");
}

#[test]
fn names_with_blanks_are_quoted() {
    let server = Server::tcp(4, with_work);
    let mut client = server.text();
    assert_eq!(client.ask("apply work -g \"my group\""), "my group");
    assert_eq!(client.ask("get-group-ids 'my group'"), "{0}");
    assert_eq!(
        client.ask("apply work -g 'two\\nlines'"),
        "two\\nlines",
        "a reply is one line"
    );
}

#[test]
fn copies_are_listed_with_the_group_in_which_they_were_started() {
    let server = Server::tcp(3, simple);
    let mut client = server.text();
    for start in ["start 2", "start 0", "start 2"] {
        client.ask(start);
    }
    client.ask("stop 1");
    assert_eq!(
        client.ask_block("groups"),
        "name           size  active  waiting  paused  locked\n\
         start-group-0  inf   2       0        False   False\n\
         start-group-2  inf   1       0        False   False\n\n"
    );
    let table = client.ask_block("tasks -g start-group-2");
    let cells: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(
        cells[..4],
        ["3", "active", "demo-3", "start-group-2"],
        "{table}"
    );
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(client.ask("tasks -g nope").contains("\"nope\""));
}

#[test]
fn a_group_that_the_program_holds_no_handle_of_stays_paused_until_a_client_resumes_it() {
    let server = Server::tcp(1, with_work);
    let mut client = server.text();
    let running = server.pool.spawn_n(std::future::pending::<()>());
    let keyed = server.pool.keyed("tenant", 1).spawn_n(async {});
    assert_eq!(client.ask("pause -g tenant"), "ok");
    running.abort();
    eventually("the permit is free", || server.pool.active() == 0);
    let table = client.ask_block("groups");
    assert!(
        table.contains("\ntenant  1     0       1        True "),
        "{table}"
    );
    assert!(!keyed.is_finished());
    assert_eq!(client.ask("resume -g tenant"), "ok");
    eventually("it has run", || keyed.is_finished());
    eventually("the group has ended", || {
        client.ask_block("groups").lines().count() == 2
    });
}
