//! The fleet.

use std::time::Duration;

use aiopool::fleet::{FleetPool, Job, JobHandle, Nats, Registry, Run, Worker};

use crate::Contender;
use crate::server::Server;

/// Sleeps so many milliseconds, if not 0, and returns how many microseconds it took.
const SLEEP: Job<u64, u64> = Job::new("sleep");

const POOL: &str = "bench";

pub(crate) struct Ours {
    pool: FleetPool,
    parked: Vec<JobHandle<u64>>,
}

impl Contender for Ours {
    const ROLE: &'static str = "ours";

    async fn new(server: &Server, size: usize) -> Self {
        let builder = FleetPool::builder(Nats::new(server.url())).pool(POOL);
        let pool = builder.size(size).connect().await.expect("a pool");
        pool.pause().await.expect("an answer");
        Self {
            pool,
            parked: Vec::new(),
        }
    }

    async fn park(&mut self, tasks: usize, sleep: u64) {
        let tasks = std::iter::repeat_n(sleep, tasks);
        let parked = self.pool.map_n(SLEEP, tasks).await;
        self.parked.extend(parked.expect("stored tasks"));
    }

    async fn results(&mut self) -> Duration {
        let mut ran = 0;
        for handle in self.parked.drain(..) {
            ran += handle.await.expect("a result");
        }
        Duration::from_micros(ran)
    }

    async fn exec(&mut self) {
        self.pool.exec(SLEEP, &0).await.expect("a result");
    }

    async fn ready(&mut self, workers: usize) {
        while self.pool.workers().await.expect("an answer").len() < workers {}
        // Until all of them know that the pool is paused.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    async fn go(&mut self) {
        self.pool.resume().await.expect("an answer");
    }
}

pub(crate) async fn work(url: &str, slots: usize) {
    let registry = Registry::new().on(SLEEP, async |_: Run, sleep: u64| {
        Ok(crate::sleep(sleep).await)
    });
    let worker = Worker::builder(Nats::new(url)).pool(POOL).slots(slots);
    let worker = worker.connect(registry).await.expect("a connection");
    worker.run().await.expect("a report");
}
