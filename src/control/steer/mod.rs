//! What the commands do: a pool, and what has to be known of it beyond what it tells itself.
//!
//! - [`Target`]: the pool.
//! - [`Works`]: the work that may be started by name.
//! - [`Handler`]: carries commands out, for all sessions of a server.
//! - `search`: goes through all tasks, and holds up nobody.
//! - `groups`: which tasks were started from outside, in which group.

mod callback_queue;
mod callbacks;
mod group_ids;
mod groups;
mod handler;
mod ids;
mod looking;
mod names;
mod search;
mod settled;
mod starting;
mod stopping;
mod target;
mod work;

pub(super) use self::callback_queue::CallbackQueue;
pub(super) use self::handler::Handler;
pub use self::target::Target;
pub(super) use self::work::Works;
