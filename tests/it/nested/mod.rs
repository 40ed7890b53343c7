//! Nested use never deadlocks.

mod busy;
mod current;
mod dropped_waits;
mod joins;
mod lend;
mod permits;
mod stopping;
mod tree;
