//! Workers: the runtime tasks that poll the tasks of a pool, one after the other.
//!
//! A [`Worker`] starts with one task. When that task ends, the worker asks its [`Scheduler`] for the next one, which
//! inherits the permit, and polls it in the same runtime task. This is why a busy pool costs less than a runtime task
//! for each pool task. When no task waits, the worker ends.
//!
//! ```text
//!           next task              no task waits
//!  spawned ──▶ running ─────────────────────────▶ ended
//!                ▲ │ no task waits, but the next    ▲
//!   handed a task│ │ one is likely to come soon     │ still no task
//!                │ ▼                                │ two polls later
//!                idle ──────────────────────────────┘
//! ```
//!
//! - [`WorkerShared`]: the state of a worker that other threads reach.
//! - [`NestedWaits`]: the waits of a task for its own pool, and when the task lends its permit.
//! - [`running()`]: the worker that is being polled on this thread.
//! - [`Latch`]: counts aborted tasks until all of them have ended.
//!
//! A worker may instead run a future that is no task, such as the clock of its pool.

mod latch;
mod nested_waits;
mod run;
mod running;
mod shared;

pub use run::Worker;

pub(crate) use latch::Latch;
pub(crate) use nested_waits::NestedWaits;
pub(crate) use running::{Entered, running};
pub(crate) use shared::{PermitState, Scheduler, WorkerShared};
