//! Methods that run many tasks. They are built on the pool's `spawn` and `spawn_n`.
//!
//! | method | pulls its items | gives its results |
//! |---|---|---|
//! | `map` | as permits become free | all at the end, in input order |
//! | `try_map` | as permits become free | all at the end, or the first failure |
//! | `map_n`, `apply` | at once | as handles |
//! | `itermap` | as results are read, a little further ahead than the pool can run (or `buffer`) | as a stream |
//! | `itermap_stream` | as results are read, as far ahead as the pool can run | as a stream |
//!
//! `iterwait` and `wait` give the results of existing handles.

mod ahead;
mod batches;
mod completion;
mod flow;
mod indexed;
mod itermap;
mod iterwait;
mod look;
mod members;
mod shed;
mod stream;
mod try_map;
mod verbs;
mod wait;

pub use batches::{Batches, ReturnWhen};
pub use itermap::IterMap;
pub use iterwait::{IterWait, iterwait};
pub use wait::{Waited, wait};
