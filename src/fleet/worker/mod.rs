//! Workers: processes that run the tasks of a pool.

mod builder;
mod registry;
mod run;
mod running;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::mpsc::UnboundedSender;

use super::error::EngineError;
use super::info::WorkerReport;
use super::nats::{Driver, DriverEvents, Nats};
use super::ticket::Start;
use crate::AioPool;

pub use builder::WorkerBuilder;
pub use registry::Registry;
pub use run::Run;
use running::Running;

/// Runs tasks of a pool, in this process.
///
/// Tasks run in a local [`AioPool`], so that its observers and its control server see them. The connection is kept by a
/// thread of its own, with which a program that blocks its own threads does not lose its tasks.
///
/// ```no_run
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::time::Duration;
///
/// use aiopool::fleet::{Job, Nats, Registry, Run, Worker};
///
/// const LENGTH: Job<String, usize> = Job::new("length");
///
/// let registry = Registry::new().on(LENGTH, async |_: Run, text: String| Ok(text.len()));
/// let worker = Worker::builder(Nats::new("nats://localhost:4222"))
///     .pool("texts")
///     .slots(32)
///     .connect(registry)
///     .await?;
/// let signal = tokio::signal::ctrl_c();
/// let report = worker.run_until(signal, Duration::from_secs(20)).await?;
/// println!("{} tasks", report.completed);
/// # Ok::<(), aiopool::fleet::EngineError>(())
/// # }).unwrap();
/// ```
///
/// Dropping it, or the future of [`run`](Self::run), stops it without grace: its tasks are dropped, as soon as their
/// runtime polls them, and go back to the pool.
#[derive(Debug)]
#[must_use = "a worker takes tasks while `run` is polled"]
pub struct Worker {
    driver: Driver,
    events: DriverEvents,
    registry: Arc<Registry>,
    local: AioPool,
}

/// Stops a [`Worker`] that runs elsewhere.
#[derive(Clone, Debug)]
pub struct Stopper {
    stop: UnboundedSender<Duration>,
}

impl Worker {
    /// Starts to describe a worker.
    pub fn builder(nats: Nats) -> WorkerBuilder {
        WorkerBuilder::new(nats)
    }

    /// Returns the name of the worker.
    pub fn name(&self) -> &str {
        &self.driver.id
    }

    /// Returns the pool in which tasks run.
    pub fn local_pool(&self) -> &AioPool {
        &self.local
    }

    /// Returns a handle that stops the worker.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            stop: self.driver.stop.clone(),
        }
    }

    /// Runs tasks until the worker is [stopped](Stopper::stop).
    ///
    /// A lost connection comes back by itself. Tasks run on meanwhile, for as long as no other worker may have got them.
    ///
    /// # Errors
    ///
    /// [`EngineError::Disconnected`] if the connection's thread has ended, which it does not by itself.
    pub async fn run(mut self) -> Result<WorkerReport, EngineError> {
        while let Some(start) = self.events.starts.recv().await {
            self.start(start);
        }
        self.events
            .report
            .await
            .map_err(|_| EngineError::Disconnected)
    }

    /// Runs tasks until `signal` is ready, then stops with `grace`, as [`Stopper::stop`] does.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_until<S: Future>(
        self,
        signal: S,
        grace: Duration,
    ) -> Result<WorkerReport, EngineError> {
        let stopper = self.stopper();
        let running = std::pin::pin!(self.run());
        let signal = std::pin::pin!(signal);
        match select(running, signal).await {
            Either::Left((report, _)) => report,
            Either::Right((_, running)) => {
                stopper.stop(grace);
                running.await
            }
        }
    }

    /// A task that the local pool refuses is dropped, and with it goes back to the fleet.
    fn start(&self, start: Start) {
        let id = start.id.clone();
        let ends = self.driver.ends.clone();
        let progress = self.driver.progress.clone();
        let running = Running::new(start, self.registry.clone(), ends, progress);
        drop(self.local.task(running).name(id).spawn_n());
    }
}

impl Stopper {
    /// Stops the worker. It takes no more tasks; those that it has not started go back to the pool at once, those that
    /// run have `grace` to end, and then are dropped and go back too. [`Worker::run`] returns after the last one.
    ///
    /// A task that goes back is not charged with an attempt. Stopping twice is allowed: the shorter grace counts.
    pub fn stop(&self, grace: Duration) {
        let _ = self.stop.send(grace);
    }
}
