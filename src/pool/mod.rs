//! The pool: connects the gate, tasks, workers, runtimes and the observer.
//!
//! [`AioPool`] is the public handle. On top is what a reader looks for first: its `constructors` and `builder`, `in_place`
//! (code that is no task, with its `permit` and `permit_builder`), `throttle`, `inspect` (counts and listings), `stats`, and
//! `progress` (counts as a stream). Everything else is in four rooms:
//!
//! - `submit`: the verbs that submit a task, a task with options, blocking work, or a feed.
//! - `core`: the [`Core`] behind all handles of a pool. It keeps the `State` under one lock, starts and ends tasks, and
//!   keeps the time.
//! - `lifecycle`: joining, closing, cancelling and shutting down; groups and scopes.
//! - `inside`: what a task can do from inside of its pool.

// The docs of `AioPool` list its methods in the order of these modules, and those of `map` last. Blank lines keep it.
mod constructors;

mod submit;

mod lifecycle;

mod in_place;
mod permit;
mod permit_builder;

mod inspect;

mod progress;

mod builder;
mod core;
mod inside;
mod resize_listener;
mod stats;
mod throttle;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

pub use self::builder::Builder;
#[cfg(feature = "control")]
pub(crate) use self::core::group_survey::BusyGroup;
use self::core::settings::Settings;
#[cfg(feature = "control")]
pub(crate) use self::core::survey::Surveyed;
use self::core::{Core, Inner};
pub use self::inside::current::{Current, current};
pub use self::inside::lend::lend;
#[cfg(feature = "control")]
pub(crate) use self::inspect::Line;
pub use self::lifecycle::cancel::CancelReport;
pub use self::lifecycle::group_builder::GroupBuilder;
pub use self::lifecycle::shutdown::{Shutdown, ShutdownReport};
pub use self::permit::Permit;
pub use self::permit_builder::PermitBuilder;
pub use self::progress::{Progress, ProgressStream};
pub(crate) use self::resize_listener::ResizeListener;
pub use self::stats::Stats;
pub use self::submit::blocking_work::BlockingWork;
pub use self::submit::feed::{Feed, FeedReport};
pub use self::submit::task_builder::TaskBuilder;
pub use self::submit::then::Then;
pub use self::submit::tries::Tries;
use crate::gate::NodeId;
use crate::spawner::Spawner;
use crate::task::PoolRef;

/// A pool of tasks: it runs a limited number of them at once, and the others wait in order.
///
/// A pool is cheap to clone. All clones are the same pool, and every method takes `&self`. A waiting task is data, not
/// a task of the runtime: it costs its future and about a hundred bytes.
///
/// | to | use |
/// |---|---|
/// | submit, and wait while the pool is full | [`spawn`](Self::spawn), [`exec`](Self::exec), [`map`](Self::map) |
/// | submit, and never wait | [`spawn_n`](Self::spawn_n), [`map_n`](Self::map_n), [`apply`](Self::apply) |
/// | submit only if there is room | [`try_spawn`](Self::try_spawn) |
/// | read results as they come | [`itermap`](Self::itermap), [`itermap_stream`](Self::itermap_stream) |
/// | take the items from a stream | [`map_stream`](Self::map_stream), [`PoolStreamExt`](crate::PoolStreamExt) |
/// | name, rank, weigh or limit a task | [`task`](Self::task) |
/// | try a task again while it fails | [`task_fn`](Self::task_fn) |
/// | run a future that borrows, or is not `Send` | [`run`](Self::run) |
///
/// # Guarantees
///
/// - **Order**: tasks of the same priority get their permits in the order of their submission. In a pool with
///   [`fair_share`](Builder::fair_share) this holds inside of each group, and the groups take turns. Tasks that have
///   permits are polled as the runtime likes: a task may be polled before up to `size - 1` older ones, which have permits too.
/// - **No more and no less**: as long as tasks wait and the pool is not paused, exactly [`size`](Self::size) tasks are
///   active. There are fewer while none of the waiting tasks may start: a rate allows no start yet, their groups are full
///   or paused, or the first of them weighs more than the free permits. Whatever frees a permit also starts the next task:
///   nothing else has to be polled for that.
/// - **Every handle completes**, exactly once, whatever happens to the task, the pool or the runtime.
/// - **A panic** of a task is caught, and becomes the outcome of that task. The pool continues.
/// - **Nothing remains** of a task that has ended, except in the counters.
///
/// # Nested use
///
/// A task may use its own pool, or any group of it. While the task is suspended and waits for its pool, it lends its
/// permit: other tasks run on it, so a pool of size 1 can walk a tree recursively. Before the task is polled again, it
/// gets a permit back. Tasks that want a permit back come before all tasks that have not started.
///
/// - A task that waits for other things besides (`select!`, `join!`) needs its permit whenever it is woken. So that such
///   tasks do not keep those from starting that they wait for, a task that can start goes first after 64 others in a row
///   have taken their permit back. If that task is heavy and lacks permits, no further task takes its permit back while
///   the missing ones are held by tasks that have just taken theirs back and have not been polled since. (In a pool that
///   serves several runtimes, a heavy task starts once its permits happen to be free at the same moment.)
/// - This holds for `spawn`, `exec`, `map`, `try_map`, `itermap`, the same verbs over a stream, `join`, `closed`,
///   `below`, `cancel`, `cancel_all`, `shutdown`, `shutdown_on`, `scope`, `throttle`, `progress`, and for awaiting a
///   handle. For other waits, use [`lend`].
/// - A wait lasts from its first poll until it is ready or dropped. In a `select!`, the permit is therefore lent while
///   all branches are pending. Once the wait for the pool has been dropped, the task keeps its permit. If another
///   thread drops a handle that the task has polled, the task keeps its permit from the next time that it is woken.
/// - A combinator that polls only those of its futures that were woken, such as `FuturesUnordered`, hides the wait from
///   the pool if the wait was first polled outside of the task. In that case, put [`lend`] around the combinator, or
///   use [`iterwait`](crate::iterwait), which does not hide the wait. A `Shared` that another thread polls from outside
///   at the same moment hides the wait too.
/// - A task that lends its permit is polled again only when it has a permit. So a `tokio::time::timeout` around such a
///   wait does not fire before another task has given a permit back. Put `lend` around the timeout, or use the
///   [`timeout`](crate::TaskBuilder::timeout) of the task.
/// - While a task lends its permit, it counts as [`waiting`](Self::waiting). A [`pause`](Self::pause) does not hold it
///   back, because it has started already.
/// - [`join`](Self::join) called in a task of that pool or group waits for all tasks except those that are in a `join`
///   themselves. So a task that joins must not be awaited by another task that does not join: these two would wait for
///   each other. A `scope` waits for all of its tasks.
/// - The pool cannot see a wait for anything else, and the task keeps its permit then. These can deadlock: a lock that is
///   held while the task awaits its pool, if the task that is to run needs it; a channel between two tasks, without
///   [`lend`]; and [`acquire`](Self::acquire) in a task of a pool of size 1.
/// - The work of [`spawn_blocking`](Self::spawn_blocking) is never suspended. It keeps its permit while it blocks on
///   its own pool.
/// - [`run`](Self::run), called in a task on a group that the task is not in, holds a permit of its own. What its
///   future awaits from the pool needs another permit, and a `join` in it would wait for the future itself.
///
/// # Recursion
///
/// A function that submits itself to a pool returns a boxed future, because the future of an `async fn` would contain
/// itself, and the compiler could not tell whether it is `Send`:
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::pin::Pin;
///
/// use aiopool::AioPool;
///
/// fn leaves(pool: AioPool, depth: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
///     Box::pin(async move {
///         if depth == 0 {
///             return 1;
///         }
///         let below = pool.map(0..2, |_| leaves(pool.clone(), depth - 1)).await;
///         below.into_iter().map(Result::unwrap).sum()
///     })
/// }
///
/// let pool = AioPool::new(1);
/// assert_eq!(pool.exec(leaves(pool.clone(), 3)).await.unwrap(), 8);
/// # });
/// ```
///
/// # Dropping
///
/// When the last clone is dropped, the tasks that were submitted still run to their end. A paused pool is resumed for
/// that.
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

impl AioPool {
    fn assemble(size: usize, settings: Settings, spawner: Option<Box<dyn Spawner>>) -> Self {
        let core = Core::new(size, settings, spawner);
        core.tell_size();
        core.handle(&mut core.lock(), NodeId::ROOT)
    }

    pub(crate) fn pool_ref(&self) -> Arc<dyn PoolRef> {
        self.inner.core.clone()
    }

    fn core(&self) -> &Arc<Core> {
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

// User code never runs while the state of the pool changes, so a panic in it leaves the pool consistent.
impl UnwindSafe for AioPool {}
impl RefUnwindSafe for AioPool {}
