//! Who may run now, and in which order everyone else waits.
//!
//! The rule of admission as a plain value: no lock, no clock, no waker, no
//! runtime, and nothing that runs foreign code. A [`Gate`] hands back what has
//! to be done, and its caller does it after unlocking.
//!
//! A gate has levels: the pool, and below it its groups. A task stands in the
//! queue of the level that it was submitted to, and holds nothing, until it has a
//! permit of that level and of each around it. A group offers to the level around
//! it the first whom it would let through; of its own queue and of these offers, a
//! level takes the one of the best rank, and among equals who came first.
//!
//! ```text
//!  enter ──▶ queue of its level ──▶ first there, and it fits: offered to the level around
//!                │                        │  … and so on, up to the pool
//!                │                        ▼
//!                └── withdraw ──▶ gone    admitted: takes the permits of all levels ──▶ leave
//! ```
//!
//! - [`register`]: a slot for each live task, from its submission to its end, in [`chunks`].
//! - [`lane`]: one priority's queue, linked through the register.
//! - [`level`]: the permits of one pool or group, and its lanes; [`levels`]: all of them.
//! - [`place`]: what is noted of those who are more than plain tasks of the pool itself.
//! - [`state`]: the rule itself. Its [`plain`] tasks have short ways, and so has each
//!   [`heir`] of its own queue; [`lending`] is for those who
//!   wait for their own pool; [`groups`] are added and removed; [`look`] changes nothing.

mod chunks;
mod groups;
mod heir;
mod lane;
mod lending;
mod level;
mod levels;
mod look;
mod place;
mod plain;
mod register;
mod state;
#[cfg(test)]
mod tests;

#[cfg(test)]
fn entry_size<W, A>() -> usize {
    size_of::<register::Entry<W, A>>()
}

pub(crate) use level::Standing;
pub(crate) use levels::LevelId;
pub(crate) use register::Content;
pub(crate) use state::{Admitted, Gate};
