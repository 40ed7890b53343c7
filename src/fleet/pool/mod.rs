//! The client: submitting tasks, reading their outcomes, steering the pool.

mod batch;
mod builder;
mod defaults;
mod guard;
mod handle;
mod itermap;
mod map;
mod progress;
pub(crate) mod settings;
mod steer;
mod submit;
mod task_builder;
mod verbs;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::nats::{Client, Nats};

pub use builder::FleetBuilder;
use defaults::Defaults;
pub use handle::JobHandle;
pub use itermap::IterMap;
pub use progress::Progress;
pub use task_builder::TaskBuilder;

/// A pool of tasks over many machines.
///
/// Its size is a number of permits that the server holds, so that never more tasks run, whatever number of workers
/// there is, and whatever happens to them: the page [`fleet`](crate::docs::fleet) of the book has the promise with its
/// exceptions. A task is a call of a [`Job`](super::Job), which a [`Worker`](super::Worker) runs.
///
/// The verbs are those of [`AioPool`](crate::AioPool). A clone is another handle to the same connection.
///
/// ```no_run
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::fleet::{FleetPool, Job, Nats};
///
/// const LENGTH: Job<String, usize> = Job::new("length");
///
/// let pool = FleetPool::builder(Nats::new("nats://localhost:4222"))
///     .pool("texts")
///     .size(200)                                      // over all workers
///     .connect()
///     .await?;
/// let handle = pool.spawn(LENGTH, &"a".to_owned()).await?;     // resolves when a worker has started it
/// let parked = pool.spawn_n(LENGTH, &"b".to_owned()).await?;   // resolves when the server has it
/// println!("{:?} {:?}", handle.await, parked.await);
/// let lengths = pool.map(LENGTH, ["c".to_owned(), "dd".to_owned()]).await; // in input order
/// assert_eq!(lengths, [Ok(1), Ok(2)]);
/// # Ok::<(), aiopool::fleet::EngineError>(())
/// # }).unwrap();
/// ```
///
/// # Dropping
///
/// Dropping the last clone closes the connection. Tasks that the server has are run, and their outcomes are kept, for a
/// client that [attaches](Self::attach) to them.
#[derive(Clone)]
pub struct FleetPool {
    inner: Arc<Inner>,
}

struct Inner {
    client: Arc<Client>,
    name: String,
    defaults: Defaults,
    closed: Arc<AtomicBool>,
    /// As it was last seen by this client. It only decides how far `itermap` looks ahead.
    size: AtomicUsize,
}

impl FleetPool {
    /// Starts to describe a pool.
    pub fn builder(nats: Nats) -> FleetBuilder {
        FleetBuilder::new(nats)
    }

    /// Returns the name of the pool.
    pub fn name(&self) -> &str {
        &self.inner.name
    }
}

impl fmt::Debug for FleetPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetPool")
            .field("name", &self.inner.name)
            .field("group", &self.inner.defaults.group)
            .finish_non_exhaustive()
    }
}
