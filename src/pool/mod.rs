//! The pool: where gate, tasks, workers, runtime and observer meet.
//!
//! - [`AioPool`]: the handle that users hold, its verbs by what they are for:
//!   `spawn` (one task), `blocking`, `feed` (a batch as one), `permit` (in place), `scope`,
//!   `group`, `stop`, `life` (of the pool), `look`; `current` and `lend` for who is inside.
//! - [`Core`]: what is behind it, and its [`State`](state::State) under one lock, with a
//!   [`NodeData`](node_data::NodeData) for the pool and for each group.
//! - `ending`: how tasks end, and how the next one starts; `walk`: going through many of them, `sweep`:
//!   stopping them all, `tidy`: what they leave.
//! - `clock`: what is to happen when, kept by one `timer`, and by a `sleeper` to less than a millisecond.
//! - `rate`: how many tasks start in an interval, and its `window`.
//! - `runtime`: which runtime a task starts on.
//! - [`TaskBuilder`], the `options` that it collects, the `extras` that a task carries of them, the `record` that the pool
//!   keeps, and the `watch` of an observer.

mod blocking;
mod builder;
mod cancel;
mod clock;
mod core;
mod current;
mod ending;
mod extras;
mod feed;
mod group;
mod idle_workers;
mod inspect;
mod lend;
mod lifecycle;
mod limit;
mod line;
mod node_data;
mod options;
mod permit;
mod rate;
mod record;
mod resizes;
mod runtime;
mod scope;
mod shutdown;
mod sleeper;
mod spawn;
mod state;
mod state_lock;
mod stats;
#[cfg(feature = "control")]
mod survey;
mod sweep;
mod task_builder;
mod then;
mod tidy;
mod timer;
mod wait_until;
mod waiters;
mod walk;
mod watch;
mod window;
mod withdrawals;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, OnceLock};

pub use self::builder::Builder;
use self::builder::Settings;
pub use self::cancel::CancelReport;
use self::core::Core;
pub use self::current::{Current, current};
pub use self::feed::{Feed, FeedReport};
pub use self::lend::lend;
pub use self::permit::Permit;
pub(crate) use self::resizes::ResizeListener;
pub use self::shutdown::{Shutdown, ShutdownReport};
pub use self::stats::Stats;
#[cfg(feature = "control")]
pub(crate) use self::survey::Surveyed;
pub use self::task_builder::TaskBuilder;
pub use self::then::Then;
use self::watch::Subject;
use crate::gate::NodeId;
use crate::spawner::Spawner;
use crate::task::{PoolRef, TaskLabel};

/// A pool of tasks: so many run at once, and the others wait in order.
///
/// It is cheap to clone, all clones are the same pool, and every method takes
/// `&self`. A waiting task is data, and no task of the runtime: it costs its
/// future and about a hundred bytes.
///
/// | to | use |
/// |---|---|
/// | submit, and wait while the pool is full | [`spawn`](Self::spawn), [`exec`](Self::exec), [`map`](Self::map) |
/// | submit, and never wait | [`spawn_n`](Self::spawn_n), [`map_n`](Self::map_n), [`apply`](Self::apply) |
/// | submit only if there is room | [`try_spawn`](Self::try_spawn) |
/// | read results as they come | [`itermap`](Self::itermap), [`itermap_stream`](Self::itermap_stream) |
/// | name, rank, weigh or limit a task | [`task`](Self::task) |
///
/// # Guarantees
///
/// - **Order**: tasks of the same priority start in the order of their submission.
/// - **No more and no less**: as long as tasks wait and the pool is not paused,
///   exactly [`size`](Self::size) are active. Whoever frees a permit starts the
///   next task: nobody else has to be polled for it.
/// - **Every handle settles**, once, whatever happens to the task, the pool or the runtime.
/// - **A panic** is caught, and is the outcome of its task. The pool goes on.
/// - **Nothing is kept** of a task that has ended, but the counters.
///
/// # Nested use
///
/// A task may use its own pool, or any group of it. While it is suspended and waits for that, it lends
/// its permit: others run on it, and a pool of size 1 walks a tree recursively. Before it is polled again
/// it has a permit again, for which it stands in line before all that have not started.
///
/// - This holds for `spawn`, `exec`, `map`, `try_map`, `itermap`, `join`, `closed`, `below`, `cancel`,
///   `cancel_all`, `shutdown`, `scope`, and for a handle. For other waits there is [`lend`](crate::lend).
/// - A wait lasts from its first poll until it is ready or dropped. So in a `select!` the permit is lent
///   while all branches are pending, and kept from then on if the wait for the pool has been dropped.
///   Where another thread drops a handle that the task has polled, that holds from the next time that it is woken.
/// - A combinator that polls only those of its futures that were woken, such as `FuturesUnordered`, hides the wait if
///   it was first polled outside of the task: put [`lend`](crate::lend) around it, or use
///   [`iterwait`](crate::iterwait), which does not. So does a `Shared` that another thread polls from outside at the
///   same moment.
/// - A task that lends is polled again only with a permit. So a `tokio::time::timeout` around such a wait does
///   not ring before others have given one back. Around that, use `lend`, or the
///   [`timeout`](crate::TaskBuilder::timeout) of the task.
/// - While it lends, a task counts as [`waiting`](Self::waiting). It is not held back by a
///   [`pause`](Self::pause): it has started.
/// - [`join`](Self::join) from inside, in a task of that pool or group, waits for all but those tasks that are
///   in a `join` themselves. So a task that joins is not to be awaited by another that does not: these two would
///   wait for each other. A `scope` waits for all of its tasks.
/// - The work of [`spawn_blocking`](Self::spawn_blocking) is never suspended, and keeps its permit while it
///   blocks on its own pool.
/// - [`run`](Self::run) in a task, on a group that it is not in, holds a permit of its own: what its future awaits
///   of the pool needs another one, and a `join` there would wait for the future itself.
///
/// # Dropping
///
/// When the last clone goes, what was submitted runs on to its end; a paused pool is resumed for that.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::AioPool;
///
/// let pool = AioPool::new(2);
/// for part in 0..10 {
///     pool.spawn(async move { part * part }).await; // waits while two are active
/// }
/// let report = pool.spawn_n(async { "done" });       // never waits
/// assert_eq!(report.await.unwrap(), "done");
/// pool.join().await;
/// assert_eq!(pool.stats().completed, 11);
/// # });
/// ```
#[derive(Clone)]
pub struct AioPool {
    inner: Arc<Inner>,
}

/// What the clones of a pool or a group share, and its tasks do not: when it goes, nobody can resume the pool.
pub(crate) struct Inner {
    core: Arc<Core>,
    label: Arc<TaskLabel>,
    node: NodeId,
    /// What the observer is told of tasks without options, once there has been one.
    subject: OnceLock<Arc<Subject>>,
}

impl AioPool {
    /// A size without a bound: every task starts at once.
    pub const UNBOUNDED: usize = usize::MAX;

    /// Makes a pool that runs `size` tasks at once.
    ///
    /// A task starts on the runtime that it is submitted from: tokio inside of a tokio context, else smol, else
    /// async-std, as features allow. So the pool may be made before its runtime, in a `static` for example, and may
    /// serve any number of runtimes that come and go: the end of one ends the tasks that were submitted from it, and
    /// no others. A task that is submitted where no runtime is starts on one that the pool has used before.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0. To hold tasks back, [`pause`](Self::pause) the pool.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = aiopool::AioPool::new(8);
    /// assert_eq!(pool.size(), 8);
    /// ```
    #[track_caller]
    pub fn new(size: usize) -> Self {
        Self::built(Self::builder().size(size))
    }

    /// Makes a pool whose workers run on `spawner`.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::{AioPool, Tokio};
    ///
    /// let runtime = tokio::runtime::Runtime::new().unwrap();
    /// let pool = AioPool::with_spawner(8, Tokio::handle(runtime.handle().clone()));
    /// let handle = pool.spawn_n(async { 1 }); // outside of the runtime
    /// assert_eq!(runtime.block_on(handle).unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn with_spawner(size: usize, spawner: impl Spawner) -> Self {
        Self::built(Self::builder().size(size).spawner(spawner))
    }

    /// Begins a pool with more than a size. See [`Builder`].
    pub fn builder() -> Builder {
        Builder::new()
    }

    #[track_caller]
    fn built(builder: Builder) -> Self {
        match builder.build() {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }

    fn assemble(size: usize, settings: Settings, spawner: Option<Box<dyn Spawner>>) -> Self {
        let core = Core::new(size, settings, spawner);
        core.handle(&mut core.lock(), NodeId::ROOT)
    }

    pub(crate) fn pool_ref(&self) -> Arc<dyn PoolRef> {
        self.inner.core.clone()
    }

    fn core(&self) -> &Core {
        &self.inner.core
    }

    fn node(&self) -> NodeId {
        self.inner.node
    }
}

impl fmt::Debug for AioPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AioPool")
            .field("name", &self.name())
            .field("size", &self.size())
            .field("active", &self.active())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

// A panic of foreign code leaves the pool as it is: none runs while it changes.
impl UnwindSafe for AioPool {}
impl RefUnwindSafe for AioPool {}

impl Drop for Inner {
    fn drop(&mut self) {
        self.core.drop_handle(self.node);
    }
}
