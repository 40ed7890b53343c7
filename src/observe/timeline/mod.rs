//! A trace of a run, in Chrome's format.
//!
//! - `observer`: what the user holds. Gives each task a scope, and ends the trace.
//! - `scope`: one task, from its submission to its end.
//! - `state`: the rows and counts of each pool, as a plain value under one lock: who takes which row, and which events come of
//!   it. `rows` gives out the lowest free row, and `counts` thins out the curves.
//! - `note`: what has happened, until it is written as an `event` of the trace.
//! - `recorder`: the state with its lock and its clock, and the way out.
//! - `output`: the limit, the buffer, and the thread that writes.
//!
//! A call of the pool takes the lock of the state for the change of a few numbers, turns the events into text with no lock
//! held, and puts the text into the buffer. Only the thread of `output` calls the user's writer.

mod counts;
mod event;
mod note;
mod observer;
mod output;
mod recorder;
mod rows;
mod scope;
mod state;

pub use self::observer::{TimelineObserver, TimelineReport};
