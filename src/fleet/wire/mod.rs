//! What crosses the wire: names, subjects, headers and payloads, as plain values.
//!
//! ```text
//! stream       subjects                          what it holds
//! AIOP_{P}_W   aiop.{P}.w.{group}.{id}           tasks that have no outcome yet, in the order of their start
//! AIOP_{P}_R   aiop.{P}.r.{owner}.{id}.{origin}  outcomes, for as long as the pool keeps results
//! AIOP_{P}_C   aiop.{P}.c.…                      fences, and whether the pool is paused
//! AIOP_{P}_D   aiop.{P}.d.{origin}.{group}.{id}  tasks between two tries
//! AIOP_{P}_N   aiop.{P}.n.{sequence}             how often a task that was delivered again has started
//! AIOP_{P}_X   aiop.{P}.x                        messages that are no tasks, kept for inspection
//! (no stream)  aiop.{P}.e.{owner}.{id}           a task has started, or reports progress
//! (no stream)  aiop.{P}.q                        a question to all workers
//! ```
//!
//! The *origin* of a task is the sequence number of its first message in the work stream. The server gives it, so that
//! a task that is submitted again under an old id has an outcome of its own.

mod control;
mod envelope;
mod event;
pub(crate) mod headers;
pub(crate) mod limits;
mod name;
mod names;
mod outcome;
mod report;

pub(crate) use control::{Control, Fence, FenceKey};
pub(crate) use envelope::{Envelope, Malformed, millis};
pub(crate) use event::Event;
pub(crate) use headers::Header;
pub(crate) use limits::MAX_DELAYS;
pub(crate) use name::{check_name, is_name};
pub(crate) use names::Names;
pub(crate) use outcome::{Failure, Outcome};
pub(crate) use report::{Question, RunningTask, WorkerReply};
