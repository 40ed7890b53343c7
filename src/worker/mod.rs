//! What runs tasks: a runtime task that polls one pool task after the other.
//!
//! A [`Worker`] starts with one task. When that ends, it asks its
//! [`Scheduler`] for the next, which inherits the permit, and polls it in the
//! same runtime task: this is why a busy pool costs less than spawning each
//! task. When nothing waits, the worker ends.
//!
//! ```text
//!            next task           nothing waits
//!  spawned ──▶ running ─────────────────────────▶ ended
//!                ▲ │ nothing waits, but more         ▲
//!      handed one│ │ is likely to come at once       │ still nothing,
//!                │ ▼                                 │ one poll later
//!                idle ──────────────────────────────┘
//! ```
//!
//! - [`WorkerShared`]: where a worker is reached from outside.
//! - [`NestedWaits`]: what a task shares with those whom it asks, and when it lends its permit.
//! - [`running`]: which task is being polled on this thread.
//! - [`Latch`]: waits until a number of aborted tasks have ended.
//!
//! A worker may keep the time of its pool instead, and run no tasks.

mod latch;
mod nested_waits;
mod run;
mod running;
mod shared;

pub use run::Worker;

pub(crate) use latch::Latch;
pub(crate) use nested_waits::NestedWaits;
pub(crate) use run::Scheduler;
pub(crate) use running::{Entered, running};
pub(crate) use shared::{PermitState, WorkerShared};
