//! The engine of a worker: it gets tasks from the server, keeps their leases, and stores their outcomes.
//!
//! ```text
//!  delivered ──▶ Checking ──▶ Held ──▶ Recording ──▶ Running ──▶ Concluding ──▶ gone
//!     │     (the server knows  │ │    (only if it was    │      (outcome stored,    ▲
//!     │      that it is here)  │ │   delivered before)   │    then acknowledged)    │
//!     │                        │ └───── worker stops ────┴──▶ Returning ────────────┤
//!     └── no task: refused     └─ cancelled, expired, dead ──▶ Concluding           │
//!                    lease lost, in any of these states ────────────────────────────┘
//! ```
//!
//! A task that has failed and is tried again is `Resubmitting` instead of `Concluding`: its next try is stored, and then
//! its message is acknowledged. So is one that is `Held` and for which the pool has become too small.
//!
//! One task of the runtime owns all state. Whatever has to wait for the server (a lookup, an outcome to store, an
//! acknowledgement) is a task of its own, which reports back as a `Step`; the end of a task, which is what there is most of,
//! is messages whose answers come back to the worker's own address.

mod address;
mod agreed;
mod anew;
mod answers;
mod clock;
mod conclude;
mod control;
mod inbox;
mod intake;
mod leasing;
mod passed;
mod position;
mod reading;
mod service;
mod size;
mod start;
mod state;
mod steps;
mod stopping;
mod sweep;
mod tasks;
mod timers;

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::connect::Nats;
use super::link::{Link, RETRY_PAUSE};
use super::setup::{self, PoolFacts, PoolSettings};
use super::thread::Thread;
use crate::fleet::error::EngineError;
use crate::fleet::info::WorkerReport;
use crate::fleet::ticket::{End, Start};
use crate::fleet::wire::Names;

/// What a worker is made with.
#[derive(Debug)]
pub(crate) struct DriverOptions {
    pub(crate) settings: PoolSettings,
    pub(crate) id: Option<String>,
    pub(crate) max_attempts: u32,
    pub(crate) jobs: Vec<String>,
    pub(crate) pool: crate::AioPool,
}

/// A worker's connection to one pool.
#[derive(Debug)]
pub(crate) struct Driver {
    _thread: Thread,
    pub(crate) stop: mpsc::UnboundedSender<Duration>,
    pub(crate) ends: mpsc::UnboundedSender<(u64, End)>,
    pub(crate) progress: mpsc::Sender<(u64, Vec<u8>)>,
    pub(crate) id: String,
}

/// What the engine tells the worker.
#[derive(Debug)]
pub(crate) struct DriverEvents {
    /// Tasks to start.
    pub(crate) starts: mpsc::UnboundedReceiver<Start>,
    /// Told after the last task.
    pub(crate) report: oneshot::Receiver<WorkerReport>,
}

/// Progress values that wait to be sent.
const PROGRESS: usize = 256;

impl Driver {
    pub(crate) async fn connect(
        nats: Nats,
        names: Names,
        options: DriverOptions,
    ) -> Result<(Self, DriverEvents), EngineError> {
        let thread = Thread::start()?;
        let settings = options.settings.clone();
        let opened = thread
            .run(async move {
                let (client, connections) = nats.connect().await?;
                let link = Link::new(client, names);
                let facts = wait_for_pool(&link, &settings).await?;
                Ok::<_, EngineError>((link, connections, facts))
            })
            .await?;
        let (link, connections, facts) = opened?;
        let id = options.id.clone().unwrap_or_else(|| {
            let inbox = link.client.new_inbox();
            inbox.rsplit('.').next().unwrap_or_default().to_owned()
        });
        let (starts, started) = mpsc::unbounded_channel();
        let (ends, ended) = mpsc::unbounded_channel();
        let (progress, values) = mpsc::channel(PROGRESS);
        let (stop, stops) = mpsc::unbounded_channel();
        let (report, reported) = oneshot::channel();
        let inputs = service::Inputs {
            connections,
            ended,
            values,
            stops,
            report,
        };
        let state = state::State::new(link, facts, id.clone(), options, starts);
        let service = thread.run(service::start(state, inputs)).await??;
        drop(thread.spawn(service));
        let driver = Self {
            _thread: thread,
            stop,
            ends,
            progress,
            id,
        };
        let events = DriverEvents {
            starts: started,
            report: reported,
        };
        Ok((driver, events))
    }
}

/// A worker that is dropped gives its tasks back.
impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.stop.send(Duration::ZERO);
    }
}

/// A worker may be started before the client that creates the pool.
async fn wait_for_pool(link: &Link, settings: &PoolSettings) -> Result<PoolFacts, EngineError> {
    if settings.size.is_some() {
        return setup::open(link, settings).await;
    }
    loop {
        match setup::find(link).await? {
            Some(facts) => return Ok(facts),
            None => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
}
