//! Clients without manners, who harm nobody.

use std::time::Duration;

use crate::support::{Client, Server, eventually, simple};

const GREETING: &[u8] = b"{\"terminal_width\": 80}\n";

#[test]
fn a_first_line_that_is_no_handshake_is_refused_and_the_connection_closed() {
    let server = Server::tcp(1, simple);
    for (first, says) in [
        (&b"\n"[..], "JSON object"),
        (b"hello\n", "JSON object"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "JSON object"),
        (b"[]\n", "JSON object"),
        (b"{\"terminal_width\": \"wide\"}\n", "terminal_width"),
        (b"{\"token\": 1}\n", "token"),
        (b"\xff\xfe\n", "UTF-8"),
        (b"{\"terminal_width\": 80", "JSON object"),
    ] {
        let mut client = Client::mute(&server.address);
        client.send(first);
        client.finish();
        let said = client.read_to_end();
        assert!(
            said.starts_with("error: ") && said.contains(says),
            "{first:?}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "nothing after it is read: {said}");
    }
    assert_eq!(server.text().ask("num-running"), "0");
}

#[test]
fn a_handshake_needs_nothing_but_to_be_an_object() {
    let server = Server::tcp(1, simple);
    for handshake in [
        "{}",
        r#"{"terminal_width": null}"#,
        r#"{"terminal_width": -3, "other": [1]}"#,
        "{\"terminal_width\": 80}\r",
    ] {
        let mut client = Client::greeting(&server.address, handshake);
        assert_eq!(client.title, "SimpleTaskPool-demo", "{handshake}");
        assert_eq!(client.ask("num-running\r"), "0");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_and_the_session_goes_on() {
    let server = Server::tcp(1, simple);
    let mut client = server.text();
    client.send(b"start \xff\xfe 1\n");
    assert!(client.read().contains("UTF-8"));
    client.send(b"\0\x01\x1b[2J\n");
    let block = client.read_block();
    assert!(
        !block.contains('\x1b') && !block.contains('\0'),
        "{block:?}"
    );
    assert_eq!(client.ask("num-running"), "0");
}

#[test]
fn commands_may_be_sent_without_waiting_and_cut_anywhere() {
    let server = Server::tcp(1000, simple);
    let mut client = Client::mute(&server.address);
    let mut sent = GREETING.to_vec();
    for _ in 0..300 {
        sent.extend_from_slice(b"start 1\nnum-running\n");
    }
    for piece in sent.chunks(7) {
        client.send(piece);
    }
    assert_eq!(client.read(), "SimpleTaskPool-demo");
    for n in 0..300 {
        assert_eq!(client.read(), format!("start-group-{n}"));
        assert_eq!(client.read(), (n + 1).to_string());
    }
}

#[test]
fn who_only_listens_after_speaking_is_answered_to_the_end() {
    let server = Server::tcp(2, simple);
    let mut client = Client::mute(&server.address);
    client.send(GREETING);
    client.send(b"start 2\nnum-running\nstop-all");
    client.finish();
    assert_eq!(
        client.read_to_end(),
        "SimpleTaskPool-demo\nstart-group-0\n2\n[1, 0]\n"
    );
}

#[test]
fn who_waits_with_half_a_connection_is_answered() {
    let server = Server::tcp(2, simple);
    let task = server.pool.spawn_n(std::future::pending::<()>());
    let mut client = Client::mute(&server.address);
    client.send(GREETING);
    client.send(b"gather-and-close\n");
    client.finish();
    assert_eq!(client.read(), "SimpleTaskPool-demo");
    eventually("it gathers", || server.pool.is_closed());
    task.abort();
    assert_eq!(client.read_to_end(), "ok\n");
}

#[test]
fn a_flood_that_nobody_reads_holds_up_nobody() {
    let server = Server::tcp(2, |pool| {
        simple(pool).idle_timeout(Duration::from_millis(500))
    });
    let mut floods: Vec<_> = (0..4).map(|_| Client::mute(&server.address)).collect();
    let threads: Vec<_> = floods
        .drain(..)
        .map(|mut flood| {
            std::thread::spawn(move || {
                flood.send(GREETING);
                let lines = b"-h\n".repeat(10_000);
                // It reads nothing: at some point, nothing more is taken from it.
                while flood.try_send(&lines) {}
            })
        })
        .collect();
    let mut client = server.text();
    for _ in 0..50 {
        assert_eq!(client.ask("num-running"), "0");
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(server.text().ask("num-running"), "0");
}

#[test]
fn a_stream_without_a_line_costs_no_memory_and_ends() {
    let server = Server::tcp(2, |pool| {
        simple(pool).idle_timeout(Duration::from_millis(500))
    });
    let mut flood = server.json();
    let noise = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while flood.try_send(&noise) {
        sent += noise.len();
        assert!(sent < 1 << 36, "it listens for ever");
    }
    assert_eq!(server.text().ask("num-running"), "0");
}

#[test]
fn connections_that_come_and_go_leave_nothing() {
    let server = Server::tcp(2, |pool| {
        simple(pool)
            .max_sessions(4)
            .idle_timeout(Duration::from_millis(500))
    });
    for round in 0..300 {
        let mut client = Client::mute(&server.address);
        match round % 3 {
            0 => {}
            1 => client.send(b"{\"terminal"),
            _ => client.send(b"{}\nuntil-closed\nnum-run"),
        }
    }
    eventually("there are seats again", || {
        server.text().title == "SimpleTaskPool-demo"
    });
}

#[test]
fn noise_of_every_sort_is_answered_line_by_line() {
    let server = Server::tcp(2, simple);
    let mut client = server.json();
    let mut state = 7_u64;
    let mut dice = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let commands = [
        "start", "stop", "cancel", "tasks", "stats", "flush", "groups", "pause", "resize", "x",
    ];
    const NOISE: &[u8] = b" -'\"[({\\9a\xc3\xa9\x00";
    for _ in 0..2_000 {
        let mut line = commands[dice() % commands.len()].as_bytes().to_vec();
        for _ in 0..dice() % 12 {
            line.push(NOISE[dice() % NOISE.len()]);
        }
        line.push(b'\n');
        client.send(&line);
        let reply = client.read();
        let reply: serde_json::Value = serde_json::from_str(&reply).expect(&reply);
        assert_eq!(reply.as_object().unwrap().len(), 1, "{reply}");
    }
    assert_eq!(
        client.ask_json("num-cancelled"),
        serde_json::json!({"ok": 0})
    );
}
