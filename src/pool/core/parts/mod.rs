//! What the core of a pool is made of: plain data, each with rules of its own. None of it knows the state as a whole.
//!
//! - `node_data`: what the pool stores for itself and for each group. `record`: for each task that is more than a future;
//!   `records`: those of all tasks.
//! - `runtime`: the runtime that a task starts on. `idle_workers`: workers that wait a moment for the next task.
//! - `withdrawals`: tasks that were taken out of the queue and have not ended. `holds`: nodes that start nothing for a
//!   time.
//! - `clock`: the times that the pool waits for. `deadlines`: times, of which the earliest comes first.
//! - `rate`: how many starts an interval may have; `window`: the starts in the last one. `group_rates`: those of groups.
//!   `throttles`: the callers that wait for a start.
//! - `blocks`: when a task wants a thread that it may block. `resizes`: the streams to wake when a size changes.

pub(crate) mod blocks;
pub(crate) mod clock;
pub(crate) mod deadlines;
pub(crate) mod group_rates;
pub(crate) mod holds;
pub(crate) mod idle_workers;
pub(crate) mod node_data;
pub(crate) mod rate;
pub(crate) mod record;
pub(crate) mod records;
pub(crate) mod resizes;
pub(crate) mod runtime;
pub(crate) mod throttles;
pub(crate) mod window;
pub(crate) mod withdrawals;
