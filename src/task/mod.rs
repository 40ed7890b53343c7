//! Tasks: their types, states, handles and outcomes.
//!
//! A task consists of two allocations. [`Body`] owns the user's future, and moves in its box from the queue to the
//! worker. [`Shared`] is the part that the [`JoinHandle`] sees: the number of the task, and its stage.
//!
//! ```text
//!             admitted                poll → Ready
//!  waiting ─────────────▶ active ──────────────────▶ finished (a value)
//!    │                      │ panic ───────────────▶ finished (panicked)
//!    │                      │ its time is over ────▶ finished (timed out)
//!    │ abort                │ abort ── next poll ──▶ finished (cancelled)
//!    ├──────────────────────────────────────────────▶ finished (cancelled)  never polled, no permit taken
//!    │ waits too long ──────────────────────────────▶ finished (timed out)   likewise
//!    └ runtime gone ────────────────────────────────▶ finished (rejected)    likewise
//! ```
//!
//! The future is always dropped before the task counts as finished.

// In the order of the methods in the docs of `JoinHandle`.
mod handle;

mod abort_on_drop;

mod abort;
mod body;
mod cause;
mod error;
mod id;
mod info;
mod label;
mod outcome;
mod refusal;
mod shared;
mod tag;

pub use abort::AbortHandle;
pub use abort_on_drop::AbortOnDrop;
pub(crate) use abort_on_drop::abort_each;
pub(crate) use body::{
    Announced, Body, BoxTask, Complete, Extras, Finish, NoExtras, Receiver, Start, Task,
};
pub use cause::CancelCause;
pub(crate) use cause::Reason;
pub use error::JoinError;
pub use handle::JoinHandle;
pub(crate) use id::{EntryId, RuntimeId, Slot};
pub use id::{TaskId, TaskState};
pub use info::TaskInfo;
pub(crate) use label::{PoolRef, Sleep, TaskLabel};
pub(crate) use outcome::{End, Failure, Late, Outcome, Packed};
pub use refusal::Refusal;
pub(crate) use shared::Shared;
pub use tag::Tag;
