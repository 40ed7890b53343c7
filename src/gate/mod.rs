//! Who may run now, and in which order everyone else waits.
//!
//! The rule of admission as a plain value: no lock, no clock, no waker, no
//! runtime, and nothing that runs foreign code. A [`Gate`] hands back what has
//! to be done, and its caller does it after unlocking.
//!
//! A gate has nodes: the pool, and below it its groups. A task stands in the
//! queue of the node that it was submitted to, and holds nothing, until it has a
//! permit of that node and of each around it. A group offers to the node around
//! it the first whom it would let through; of its own queue and of these offers, a
//! node takes the one of the best rank, and among equals who came first.
//!
//! ```text
//!  enter ──▶ queue of its node ──▶ first there, and it fits: offered to the node around
//!                │                        │  … and so on, up to the pool
//!                │                        ▼
//!                └── withdraw ──▶ gone    admitted: takes the permits of all nodes ──▶ leave
//! ```
//!
//! - [`register`]: a slot for each live task, from its submission to its end, in [`chunks`].
//! - [`lane`]: one priority's queue, linked through the register.
//! - [`node`]: the permits of one pool or group, and its lanes; [`tree`]: all of them.
//! - [`queue_entry`]: what is noted of those who are more than plain tasks of the pool itself.
//! - [`state`]: the rule itself. Its [`fast_path`] tasks have short ways, and so has each
//!   [`same_queue`] of its own queue; [`lending`] is for those who
//!   wait for their own pool; [`groups`] are added and removed; [`inspect`] changes nothing.

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
mod state;
#[cfg(test)]
mod tests;
mod tree;

#[cfg(test)]
fn entry_size<W, A>() -> usize {
    size_of::<register::Entry<W, A>>()
}

pub(crate) use node::Demand;
pub(crate) use register::Content;
pub(crate) use state::{Admitted, Gate};
pub(crate) use tree::NodeId;
