//! What others may send, and who may connect.

use std::time::Duration;

use crate::support::jobs::SLEEP;
use crate::support::raw::Raw;
use crate::support::{LEASE, Server, pool, runtime, with_server, workers};
use aiopool::fleet::{EngineError, FleetPool, Nats, Registry, Worker};
use tokio::time::sleep;

/// The header of a task that is in order.
const GOOD: &str = "1 job=sleep owner=nobody";

#[test]
fn messages_that_are_no_tasks_are_refused_counted_and_kept_and_never_come_again() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let _workers = workers(&server, 1, 2);
        let mut raw = Raw::connect(&server);
        let task = |fields: &str| vec![("Aiop-Task", fields.to_owned())];
        let with = |field: &str| task(&format!("{GOOD} {field}"));
        let other = |name, value: &str| vec![(name, value.to_owned())];
        let hostile = [
            vec![],
            task(""),
            task("1"),
            task("1 job=sleep"),
            task("1 job=sleep owner=>"),
            with("batch=a.b"),
            with("retry=1,x"),
            with("deadline=-1"),
            with("origin=99999999999999999999"),
            other("Aiop-Echo", "1"),
            other("Nats-Rollup", "all"),
            other("Status", "408"),
        ];
        let mut sent = 0;
        for headers in &hostile {
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (*name, &**value))
                .collect();
            let answer = raw.publish("aiop.tests.w.g.i", &headers, b"\xff\x00{[");
            sent += u64::from(answer.contains("\"seq\"") && !answer.contains("\"error\""));
        }
        let good = [("Aiop-Task", GOOD)];
        let answer = raw.publish("aiop.tests.w.g.i)", &good, b"1");
        assert!(
            answer.contains("\"seq\""),
            "any subject is stored: {answer}"
        );
        sent += 1;
        assert!(sent >= 10, "{sent} were stored");
        // A task behind them is run, so they are out of the way.
        pool.exec(SLEEP, &1).await.expect("a result");
        sleep(LEASE * 2).await;
        let stats = pool.stats().await.expect("figures");
        assert_eq!((stats.refused, stats.active, stats.waiting), (sent, 0, 0));
        let refused = pool.workers().await.expect("workers")[0].refused;
        assert_eq!(refused, sent, "each came once");
        let kept = raw.request("$JS.API.STREAM.MSG.GET.AIOP_tests_X", "{\"seq\":1}");
        assert_eq!(kept["message"]["subject"], "aiop.tests.x");
    });
}

#[test]
fn messages_of_other_kinds_are_ignored_where_they_make_no_sense() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let _workers = workers(&server, 1, 2);
        let mut raw = Raw::connect(&server);
        for subject in [
            "aiop.tests.c.f.all",
            "aiop.tests.c.f.group.x",
            "aiop.tests.c.state",
            "aiop.tests.c.x.y.z",
            "aiop.tests.d.1.g.i",
            "aiop.tests.d.x.g.i",
            "aiop.tests.r.nobody.i.x",
        ] {
            raw.publish(subject, &[("Aiop-Outcome", "done")], b"\xff");
        }
        pool.exec(SLEEP, &1).await.expect("a result");
        sleep(Duration::from_secs(1)).await;
        pool.join().await.expect("an end");
        pool.exec(SLEEP, &1).await.expect("a result");
    });
}

#[test]
fn a_task_of_another_version_is_not_run_and_its_owner_is_told() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let _workers = workers(&server, 1, 2);
        let headers = [("Aiop-Task", "2 job=sleep owner=nobody")];
        Raw::connect(&server).publish("aiop.tests.w.g.i", &headers, b"1");
        let handle = pool.attach(SLEEP, "i").expect("a handle");
        assert_eq!(handle.await, Err(aiopool::fleet::JobError::Version));
    });
}

#[test]
fn only_checked_names_become_subjects() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        for bad in ["", "a.b", "*", ">", "a b", "a\r\nPUB x 0", "ü"] {
            let invalid = EngineError::InvalidName(bad.to_owned());
            let task = pool.task(SLEEP, &1).id(bad).spawn_n().await.map(drop);
            assert_eq!(task, Err(invalid.clone()));
            let group = pool.task(SLEEP, &1).group(bad).spawn_n().await.map(drop);
            assert_eq!(group, Err(invalid.clone()));
            assert_eq!(pool.group(bad).map(drop), Err(invalid.clone()));
            assert_eq!(pool.cancel(bad).await, Err(invalid.clone()));
            assert_eq!(pool.attach(SLEEP, bad).map(drop), Err(invalid.clone()));
            let named = FleetPool::builder(Nats::new(server.url()))
                .pool(bad)
                .size(1);
            assert_eq!(named.connect().await.map(drop), Err(invalid));
        }
    });
}

#[test]
fn the_settings_of_a_pool_are_those_of_its_creation() {
    with_server(async |server| {
        let builder = || FleetPool::builder(Nats::new(server.url())).pool("p");
        let config = |pool: Result<FleetPool, EngineError>| {
            matches!(pool.map(drop), Err(EngineError::Config(_)))
        };
        assert!(config(builder().connect().await), "it does not exist");
        assert!(config(builder().size(0).connect().await));
        builder().size(3).connect().await.expect("a pool");
        assert!(
            config(builder().size(4).connect().await),
            "it has another size"
        );
        let found = builder().connect().await.expect("a pool");
        assert_eq!(found.stats().await.expect("figures").size, 3);
    });
}

#[test]
fn settings_that_cannot_be_are_refused_before_any_server_is_asked() {
    let is_refused = |error: Option<EngineError>| matches!(error, Some(EngineError::Config(_)));
    runtime().block_on(async {
        let nobody = || Nats::new("nats://127.0.0.1:1");
        let pool = || FleetPool::builder(nobody()).pool("p");
        for pool in [
            pool().size(0),
            pool().lease(Duration::from_secs(1)),
            pool().keep_results(Duration::ZERO),
            pool().max_tasks(0),
            pool().replicas(0),
            pool().replicas(6),
        ] {
            assert!(is_refused(pool.connect().await.err()));
        }
        let worker = || Worker::builder(nobody()).pool("p");
        for worker in [worker().slots(0), worker().max_attempts(0)] {
            assert!(is_refused(worker.connect(Registry::new()).await.err()));
        }
        let many = pool()
            .replicas(5)
            .patience(Duration::from_secs(1))
            .connect();
        assert!(matches!(many.await, Err(EngineError::Connect(_))));
    });
}

#[test]
fn a_full_pool_refuses_tasks() {
    with_server(async |server| {
        let pool = FleetPool::builder(Nats::new(server.url()))
            .size(1)
            .max_tasks(2);
        let pool = pool.connect().await.expect("a pool");
        pool.map_n(SLEEP, [1_u64, 1]).await.expect("tasks");
        let full = pool.spawn_n(SLEEP, &1).await.map(drop);
        assert_eq!(full, Err(EngineError::Full));
    });
}

#[test]
fn a_server_that_wants_to_know_who_we_are_is_told() {
    for (arguments, login) in [
        (["--user", "joe", "--pass", "secret"].as_slice(), true),
        (["--auth", "secret"].as_slice(), false),
    ] {
        let Some(server) = Server::start_with(arguments) else {
            return with_server(async |_| {});
        };
        runtime().block_on(async {
            let nats = Nats::new(server.url());
            let stranger = FleetPool::builder(nats.clone()).size(1).connect().await;
            assert!(matches!(stranger, Err(EngineError::Connect(_))));
            let known = match login {
                true => nats.user_and_password("joe", "secret"),
                false => nats.token("secret"),
            };
            FleetPool::builder(known)
                .size(1)
                .connect()
                .await
                .expect("a pool");
        });
    }
}

#[test]
fn a_server_with_tls_is_trusted_if_its_certificate_is() {
    let Some(certificate) = Certificate::new() else {
        println!("skipped: there is no openssl");
        return;
    };
    let Some(server) = Server::start_with(&[
        "--tls",
        "--tlscert",
        &certificate.cert,
        "--tlskey",
        &certificate.key,
    ]) else {
        return with_server(async |_| {});
    };
    runtime().block_on(async {
        let nats = Nats::new(format!("tls://localhost:{}", server.port())).require_tls();
        let untrusted = FleetPool::builder(nats.clone()).size(1).connect().await;
        assert!(matches!(untrusted, Err(EngineError::Connect(_))));
        let trusted = nats.root_certificates(&certificate.cert);
        FleetPool::builder(trusted)
            .size(1)
            .connect()
            .await
            .expect("a pool");
    });
}

struct Certificate {
    cert: String,
    key: String,
}

impl Certificate {
    fn new() -> Option<Self> {
        let name = std::env::temp_dir().join(format!("aiopool-tls-{}", std::process::id()));
        let [cert, key] = ["cert.pem", "key.pem"].map(|file| format!("{}-{file}", name.display()));
        let made = std::process::Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", &key, "-out", &cert])
            .output();
        made.ok()?.status.success().then_some(Self { cert, key })
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        for file in [&self.cert, &self.key] {
            let _ = std::fs::remove_file(file);
        }
    }
}

#[test]
fn a_server_or_credentials_that_are_not_there_are_typed_errors() {
    runtime().block_on(async {
        for nats in [
            Nats::new("nats://127.0.0.1:1"),
            Nats::new("not a url"),
            Nats::new("nats://127.0.0.1:1").credentials_file("/no/such/file"),
        ] {
            let nobody = FleetPool::builder(nats).size(1).connect().await;
            assert!(matches!(nobody, Err(EngineError::Connect(_))), "{nobody:?}");
        }
    });
}
