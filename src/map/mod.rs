//! Methods that run many tasks. They are built on the pool's `spawn` and `spawn_n`.
//!
//! | method | pulls its items | gives its results |
//! |---|---|---|
//! | `map`, `map_stream` | as permits become free | all at the end, in input order |
//! | `try_map`, `try_map_stream` | as permits become free | all at the end, or the first failure |
//! | `map_n`, `apply` | at once | as handles |
//! | `itermap`, `itermap_stream` | as results are read, a little further ahead than the pool can run (or `buffer`) | as a stream |
//! | `try_map_on` | as those, until the input fails | as a stream, the error of the input last |
//!
//! The verbs of an iterator and of a stream are one: both are an [`Input`](crate::Input). [`PoolStreamExt`] has those
//! of a stream, to be called on the stream.
//!
//! `iterwait` and `wait` give the results of existing handles.

// In the order of the methods in the docs of `AioPool`.
mod verbs;

mod try_map;

mod itermap;

mod ahead;
mod batches;
mod blocking;
mod completion;
mod flow;
mod gathers;
mod indexed;
mod iterwait;
mod look;
mod members;
mod return_when;
mod shed;
mod stream_ext;
mod try_feed;
mod try_itermap;
mod wait;

pub use batches::Batches;
pub use itermap::IterMap;
pub use iterwait::{IterWait, iterwait};
pub use return_when::ReturnWhen;
pub use stream_ext::PoolStreamExt;
pub use try_feed::TryFeed;
pub use try_itermap::TryIterMap;
pub use wait::{Waited, wait};
