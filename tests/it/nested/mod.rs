//! Nested use never deadlocks.

mod current;
mod dropped_waits;
mod joins;
mod lend;
mod permits;
mod stopping;
mod tree;
