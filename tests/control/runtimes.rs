//! The same on every runtime.

use crate::support::{Runtime, Server, loopback, on_every_runtime, simple, with_work};

#[test]
fn a_session_is_the_same_on_every_runtime() {
    on_every_runtime(|runtime: Runtime| {
        let mut server = Server::begin(runtime, 3, |pool| loopback(with_work(pool))).unwrap();
        let (mut client, mut other) = (server.text(), server.json());
        for (line, reply) in [
            ("apply work -n 5", "apply-work-group-0"),
            ("get-group-ids apply-work-group-0", "{0, 1, 2}"),
            ("cancel 1", "ok"),
            ("num-ended", "1"),
            ("resize 5", "ok"),
            ("cancel-all", "ok"),
            ("num-running", "0"),
            ("map quick [1, 2, 3]", "map-quick-group-0"),
            ("gather-and-close", "ok"),
        ] {
            assert_eq!(client.ask(line), reply, "{line} on {runtime:?}");
        }
        assert_eq!(other.ask("is-locked"), r#"{"ok":true}"#);
        server.stop();
        assert_eq!(client.read_to_end(), "");
    });
}

#[test]
fn many_clients_are_served_at_once_on_every_runtime() {
    on_every_runtime(|runtime| {
        let server = Server::begin(runtime, 1000, |pool| loopback(simple(pool))).unwrap();
        let mut clients: Vec<_> = (0..20).map(|_| server.text()).collect();
        for client in &mut clients {
            for _ in 0..10 {
                client.say("start 2");
            }
        }
        for client in &mut clients {
            for _ in 0..10 {
                assert!(client.read().starts_with("start-group-"));
            }
        }
        assert_eq!(clients[7].ask("num-running"), "400", "on {runtime:?}");
    });
}
