//! Executes the commands: holds the pool, and the records that the pool itself does not keep.
//!
//! - [`Target`]: the pool.
//! - [`Works`]: the work that clients can start by name.
//! - [`Handler`]: executes commands for all sessions of a server.
//! - `search`: goes through all tasks without blocking the runtime.
//! - `times`: how long tasks wait and run, of which a `spread` has the percentiles; `group_lists`: its groups.
//! - `groups`: records which tasks a client has started, and in which group.

mod callback_queue;
mod callbacks;
mod group_ids;
mod group_lists;
mod groups;
mod handler;
mod ids;
mod names;
mod reading;
mod search;
mod spread;
mod starting;
mod stopping;
mod target;
mod times;
mod wait;
mod work;

pub(crate) use self::callback_queue::CallbackQueue;
pub(super) use self::handler::Handler;
pub use self::target::Target;
pub(super) use self::work::Works;
