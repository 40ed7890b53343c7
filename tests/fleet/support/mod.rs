//! A server, workers as processes, and what their logs say.

pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod jobs;
pub(crate) mod log;
pub(crate) mod namespace;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod server;
pub(crate) mod worker;

use std::time::Duration;

use aiopool::fleet::{FleetBuilder, FleetPool, Nats};

pub(crate) use server::Server;
pub(crate) use worker::WorkerProcess;

/// The lease of most tests: short, so that a lost worker is noticed soon.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// The name of the pool.
pub(crate) const POOL: &str = "tests";

/// Runs a test with a server of its own. Without a server on this machine, the test is skipped, except in CI.
pub(crate) fn with_server<F: Future<Output = ()>>(test: impl FnOnce(Server) -> F) {
    let Some(server) = Server::start() else {
        assert!(std::env::var_os("CI").is_none(), "there is no nats-server");
        println!("skipped: there is no nats-server (AIOPOOL_NATS_SERVER, or on the PATH)");
        return;
    };
    runtime().block_on(async {
        let seconds =
            std::env::var("AIOPOOL_FLEET_CHAOS").map_or(0, |text| text.parse().unwrap_or(0));
        let patience = Duration::from_secs(80 + 2 * seconds);
        let done = tokio::time::timeout(patience, test(server)).await;
        done.expect("the test takes too long");
    });
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

pub(crate) fn builder(server: &Server) -> FleetBuilder {
    FleetPool::builder(Nats::new(server.url())).pool(POOL)
}

/// A client of a pool that this creates.
pub(crate) async fn pool(server: &Server, size: usize) -> FleetPool {
    builder(server)
        .size(size)
        .lease(LEASE)
        .connect()
        .await
        .expect("a pool")
}

/// Workers `w0`, `w1`, ….
pub(crate) fn workers(server: &Server, number: usize, slots: usize) -> Vec<WorkerProcess> {
    (0..number)
        .map(|n| WorkerProcess::start(server, &format!("w{n}"), slots))
        .collect()
}

/// Waits until so many tasks run, by the logs of the workers.
pub(crate) async fn until_running(workers: &[WorkerProcess], running: usize) {
    until("so many tasks run", async || {
        let runs = worker::runs_of(workers);
        runs.iter().filter(|run| run.end == u64::MAX).count() >= running
    })
    .await;
}

/// Waits until no task holds a permit. An outcome is known a moment before the permit is free.
pub(crate) async fn until_no_permit_is_used(pool: &FleetPool) {
    until("no permit is used", async || {
        pool.stats().await.is_ok_and(|stats| stats.active == 0)
    })
    .await;
}

/// Waits until `condition` is true.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..3000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 30 s: {what}");
}
