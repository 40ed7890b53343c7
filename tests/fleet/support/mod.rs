//! A server, workers as processes, and what their logs say.

pub mod clock;
pub mod jobs;
pub mod log;
pub mod server;
pub mod worker;

use std::time::Duration;

use aiopool::fleet::{FleetBuilder, FleetPool, Nats};

pub use server::Server;
pub use worker::WorkerProcess;

/// The lease of most tests: short, so that a lost worker is noticed soon.
pub const LEASE: Duration = Duration::from_secs(2);

/// The name of the pool.
pub const POOL: &str = "tests";

/// Runs a test with a server of its own. Without a server on this machine, the test is skipped, except in CI.
pub fn with_server<F: Future<Output = ()>>(test: impl FnOnce(Server) -> F) {
    let Some(server) = Server::start() else {
        assert!(std::env::var_os("CI").is_none(), "there is no nats-server");
        println!("skipped: there is no nats-server (AIOPOOL_NATS_SERVER, or on the PATH)");
        return;
    };
    runtime().block_on(async {
        let patience = Duration::from_secs(80);
        let done = tokio::time::timeout(patience, test(server)).await;
        done.expect("the test takes too long");
    });
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

pub fn builder(server: &Server) -> FleetBuilder {
    FleetPool::builder(Nats::new(server.url())).pool(POOL)
}

/// A client of a pool that this creates.
pub async fn pool(server: &Server, size: usize) -> FleetPool {
    builder(server)
        .size(size)
        .lease(LEASE)
        .connect()
        .await
        .expect("a pool")
}

/// Waits until `condition` is true.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..3000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 30 s: {what}");
}
