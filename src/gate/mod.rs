//! Decides which tasks may run now, and in which order the others wait.
//!
//! The rule of admission is a plain value: it has no lock, no clock, no waker and no runtime, and it runs no user
//! code. A [`Gate`] returns what has to be done, and its caller does it after unlocking.
//!
//! A gate has nodes: the pool is the root, and its groups are below it. A task waits in the queue of the node that
//! it was submitted to, and holds no permit there. It is admitted once that node and each node around it have a
//! permit for it. A group offers the first task that it would let through to the node around it. Among the tasks of
//! its own queue and these offers, a node takes the one with the best rank, and among equal ranks the one that
//! arrived first. In a pool with fair share it takes the one of the queue or group whose turn it is.
//!
//! ```text
//!  enter ──▶ queue of its node ──▶ first there, and it fits: offered to the node around
//!                │                        │  … and so on, up to the pool
//!                │                        ▼
//!                └── withdraw ──▶ gone    admitted: takes the permits of all nodes ──▶ leave
//! ```
//!
//! - [`register`]: a slot for each live task, from its submission to its end, stored in a [`seg_vec`].
//! - [`lane`]: the queue of one priority, linked through the register.
//! - [`node`]: the permits of one pool or group, and its lanes; [`tree`]: all nodes of a pool.
//! - [`queue_entry`]: additional data of each task that is in a group, has options, or lends its permits.
//! - [`state`]: the rule itself. [`fast_path`] has shortcuts for tasks without options in the root; [`same_queue`]
//!   has one for a task whose successor waits in the same queue.
//! - [`starts`]: limits how many tasks start at a node.
//! - [`fair_share`]: turns by share, which a pool may have instead of turns by age; [`turns`]: the virtual times that
//!   decide them.
//! - [`lending`]: nested waits, which lend the permits of a task and take them back.
//! - [`groups`]: adds, removes and changes nodes; [`inspect`]: reads the state; `survey`: what the control server asks.

mod fair_share;
mod fast_path;
mod groups;
mod inspect;
mod lane;
mod lending;
mod node;
mod queue_entry;
mod register;
mod same_queue;
mod seg_vec;
mod starts;
mod state;
#[cfg(feature = "control")]
mod survey;
#[cfg(test)]
mod tests;
mod tree;
mod turns;

#[cfg(test)]
fn entry_size<W, A>() -> usize {
    size_of::<register::Entry<W, A>>()
}

pub(crate) use node::{Demand, Ticket};
pub(crate) use register::Content;
pub(crate) use state::{Admitted, Gate};
pub(crate) use tree::NodeId;
