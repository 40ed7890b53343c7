//! Submitting tasks: one, with options, a batch, blocking work.
//!
//! - `spawn`: the verbs for one future; `line`: for `map` and the streams. [`Starting`](starting::Starting) waits for the
//!   start of a task.
//! - `enter`: how a boxed future becomes a task of the pool, or comes back [`Rejected`](rejected::Rejected).
//! - `watched`: a future without options, of which observers hear.
//! - [`TaskBuilder`](task_builder::TaskBuilder), the `options` that it collects, and the `equipment` that they come to,
//!   with the `extras` that the worker needs and their time `limit`s; `then`: a task that follows another; `retry`: a
//!   task that is tried again while it fails, as the future [`Tries`](tries::Tries).
//! - `blocking`: work that may block its thread, as a future ([`BlockingWork`](blocking_work::BlockingWork)); `feed`: a
//!   batch that stands in the queue as one entry.

// In the order of the methods in the docs of `AioPool`.
pub(super) mod spawn;

pub(super) mod blocking;

pub(super) mod feed;

pub(super) mod blocking_work;
pub(super) mod enter;
pub(super) mod equipment;
pub(super) mod extras;
pub(super) mod limit;
pub(super) mod line;
pub(super) mod options;
pub(super) mod rejected;
pub(super) mod retry;
pub(super) mod starting;
pub(super) mod stop_signal;
pub(super) mod task_builder;
pub(super) mod then;
pub(super) mod tries;
pub(super) mod watched;
