//! Many tasks at once: ways of use of the pool, built on its `spawn` and `spawn_n`.
//!
//! | verb | pulls its items | gives its results |
//! |---|---|---|
//! | `map` | as permits free | all at the end, in input order |
//! | `try_map` | as permits free | all at the end, or the first failure |
//! | `map_n`, `apply` | now | as handles |
//! | `itermap` | at its first poll, or as results are read (`buffer`) | as a stream |
//! | `itermap_stream` | as results are read, up to the pool's size ahead | as a stream |
//!
//! `iterwait` and `wait` do the same for handles that are there already.

mod batches;
mod completion;
mod indexed;
mod itermap;
mod iterwait;
mod members;
mod shed;
mod stream;
mod try_map;
mod turns;
mod verbs;
mod wait;

pub use batches::{Batches, ReturnWhen};
pub use itermap::IterMap;
pub use iterwait::{IterWait, iterwait};
pub use wait::{Waited, wait};
