//! How a pool, a group or all their tasks end, and how callers wait for that.
//!
//! - `verbs`: join, close, reopen, pause, resume, resize; `hold`: a pause that ends by itself;
//!   `wait_until`, `waiters`: what a `join` or `below` leaves.
//! - `cancel`: stopping tasks; `sweep`: stopping all of them, in parts; `shutdown`: the end of a pool in one of several
//!   ways.
//! - `group`: pools inside of a pool, with the settings of a `group_builder`; `scope`: tasks that end with a block of
//!   code.

// In the order of the methods in the docs of `AioPool`.
pub(super) mod verbs;

pub(super) mod hold;

pub(super) mod shutdown;

pub(super) mod cancel;

pub(super) mod group;

pub(super) mod scope;

pub(super) mod group_builder;
pub(super) mod sweep;
pub(super) mod wait_until;
pub(super) mod waiters;
