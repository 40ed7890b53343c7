//! Who may run now, and in which order everyone else waits.
//!
//! The rule of admission as a plain value: no lock, no clock, no waker, no
//! runtime, and nothing that runs foreign code. A [`Gate`] hands back what has
//! to be done, and its caller does it after unlocking.
//!
//! A gate has levels: the pool, and below it its groups. A task enters at the
//! level it was submitted to and climbs to the root, taking the permits of each
//! level. It waits in one queue at a time, holding what it took below.
//!
//! ```text
//!  enter ──▶ queue of its group ──▶ queue of the pool ──▶ admitted ──▶ leave
//!               │   takes the group's   │   takes the pool's
//!               └───────────────────────┴── withdraw ──▶ gone
//! ```
//!
//! - [`register`]: a slot for each live task, from its submission to its end.
//! - [`lane`]: one priority's queue, linked through the register.
//! - [`level`]: the permits of one pool or group, and its lanes; [`levels`]: all of them.
//! - [`place`]: what is noted of those who are more than plain tasks of the pool itself.
//! - [`state`]: the rule itself. Its [`plain`] tasks have short ways; [`lending`] is for those who
//!   wait for their own pool; [`groups`] are added and removed; [`look`] changes nothing.

mod groups;
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
