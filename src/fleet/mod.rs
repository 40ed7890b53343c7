//! A pool of tasks over many machines, on a NATS server with JetStream.
//!
//! A [`Job`] is a named function. A [`FleetPool`] submits calls of it: *tasks*. A [`Worker`] runs them, in as many
//! processes and on as many machines as you like. The server holds the queue and the permits, so that never more tasks
//! run than the pool's size says.
//!
//! ```no_run
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use aiopool::fleet::{FleetPool, Job, Nats, Registry, Run, Worker};
//!
//! const LENGTH: Job<String, usize> = Job::new("length");                  // known to both sides
//!
//! // In a worker's process:
//! let registry = Registry::new().on(LENGTH, async |_: Run, text: String| Ok(text.len()));
//! let worker = Worker::builder(Nats::new("nats://localhost:4222")).pool("texts").slots(32);
//! tokio::spawn(worker.connect(registry).await?.run());
//!
//! // In a client's process:
//! let pool = FleetPool::builder(Nats::new("nats://localhost:4222")).pool("texts").size(200);
//! let pool = pool.connect().await?;
//! let lengths = pool.map(LENGTH, ["a", "bb"].map(str::to_owned)).await;
//! # let _ = lengths;
//! # Ok::<(), aiopool::fleet::EngineError>(())
//! # }).unwrap();
//! ```
//!
//! The page [`fleet`](crate::docs::fleet) of the book says when to use it, what is promised, and how a server is run.
//!
//! The module needs Rust 1.89. It starts a thread for each connection, on which the client of NATS runs, and works with
//! any runtime.

mod admission;
mod clock;
mod demand;
mod echo;
mod error;
mod fence;
mod floor;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod info;
mod job;
mod lease;
mod majority;
mod nats;
mod pool;
mod repeats;
mod ticket;
mod wire;
mod worker;

pub use error::{EngineError, Fail, JobError};
pub use info::{FleetStats, TaskInfo, TaskState, WorkerInfo, WorkerReport};
pub use job::{Codec, Job, Json};
pub use nats::Nats;
pub use pool::{FleetBuilder, FleetPool, IterMap, JobHandle, Progress, TaskBuilder};
pub use worker::{Registry, Run, Stopper, Worker, WorkerBuilder};
