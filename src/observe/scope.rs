use std::panic::resume_unwind;
use std::sync::Arc;

use super::ended::Ended;
use super::view::{Submission, TaskView};
use crate::unwind::{caught, discard, shielded};

/// What an observer keeps for a task: made by [`Observer::capture`](crate::Observer::capture) at the submission, entered
/// around each poll of the task, and told of its start and end.
///
/// One scope may serve any number of tasks, since the methods take `&self`: return a clone of one `Arc` for all tasks, and
/// nothing is allocated for a task. It has nothing to do with [`AioPool::scope`](crate::AioPool::scope).
///
/// The default of each method does nothing but what it has to. All methods are called with no lock held.
///
/// # What the pool guarantees
///
/// - `on_start`, then `poll` for each poll, then `drop_future`, then `on_end`: in this order, one after the other. A task
///   that ends before its first poll has only the last two. `on_lend` and `on_return` come between two polls.
/// - A permit has one holder at a time, as told here: the scope of a task that ends or lends is called before the permit is
///   free, and that of the next task, by `on_start` or `on_return`, when it has the permit.
/// - `on_wait` is called by the thread that submits the task, if there was no permit for it then. Another thread may run
///   the task meanwhile, so this call may overlap with the others, and may even come after `on_end`. (The methods of
///   [`Observer`](crate::Observer) are always called in order.)
/// - A task is polled once for each call of `poll`, whatever the scope does. The closure that it gets polls the task when
///   it is called first, and does nothing when it is called again. If `poll` returns or panics without having called it,
///   the task is polled after that, outside of the scope. The same holds for `drop_future`.
/// - The closure does not panic: a panic of the task is kept until the scope has been left, and is the outcome of the task
///   as always. A panic of the scope itself is caught and ignored.
/// - The scope is dropped when the task has ended, before its handle sees that, or by the thread that submits the task, if
///   that is still telling of the wait. A `try_spawn` that returns its future drops the scope without calling it.
///
/// # Examples
///
/// An observer that carries a value of the submitting thread into the task:
///
/// ```
/// use std::cell::Cell;
/// use std::sync::Arc;
///
/// use aiopool::{AioPool, Observer, Submission, TaskScope, TaskView};
///
/// thread_local!(static REQUEST: Cell<u32> = const { Cell::new(0) });
///
/// struct Carry;
///
/// impl Observer for Carry {
///     fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
///         Some(Arc::new(Request(REQUEST.get())))
///     }
/// }
///
/// struct Request(u32);
///
/// impl TaskScope for Request {
///     fn poll(&self, _: &TaskView<'_>, poll: &mut dyn FnMut()) {
///         let outer = REQUEST.replace(self.0);
///         poll();
///         REQUEST.set(outer);
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = AioPool::builder().observer(Carry).build().unwrap();
/// REQUEST.set(7);
/// let seen = pool.spawn_n(async { REQUEST.get() });
/// REQUEST.set(0);
/// assert_eq!(seen.await.unwrap(), 7);
/// # });
/// ```
pub trait TaskScope: Send + Sync + 'static {
    /// Called when the task has been submitted and there is no permit for it.
    fn on_wait(&self, task: &TaskView<'_>) {
        let _ = task;
    }

    /// Called when the task has got its permit, before its first poll.
    fn on_start(&self, task: &TaskView<'_>) {
        let _ = task;
    }

    /// Called for each poll of the task's future, which `poll` does.
    fn poll(&self, task: &TaskView<'_>, poll: &mut dyn FnMut()) {
        let _ = task;
        poll();
    }

    /// Called when the task, which is suspended, is about to lend its permit: it waits for its own pool, or is in
    /// [`lend`](crate::lend). Until `on_return` it is polled only inside of `lend`.
    fn on_lend(&self, task: &TaskView<'_>) {
        let _ = task;
    }

    /// Called when a task that has lent its permit has a permit again, before its next poll. A task that ends without its
    /// permit is not told of this.
    fn on_return(&self, task: &TaskView<'_>) {
        let _ = task;
    }

    /// Called when the task's future is to be dropped, which `drop` does: after its last poll, or without any.
    fn drop_future(&self, task: &TaskView<'_>, drop: &mut dyn FnMut()) {
        let _ = task;
        drop();
    }

    /// Called when the task has ended, with the way in which it ended.
    fn on_end(&self, task: &TaskView<'_>, ended: Ended) {
        let _ = (task, ended);
    }

    /// Called on the scope that was captured for a [`feed`](crate::AioPool::feed), once for each item that the feed has
    /// pulled: it returns the scope of that task. With `None`, which is the default, the scope of the feed serves the
    /// task, too.
    fn item(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        let _ = task;
        None
    }
}

/// Runs `call` through a method of a scope: once, whatever the scope does. A panic of `call` is passed on when the scope
/// has been left, and a panic of the scope is ignored.
#[inline(never)]
pub(crate) fn through<R>(enter: impl FnOnce(&mut dyn FnMut()), call: impl FnOnce() -> R) -> R {
    let (mut call, mut result) = (Some(call), None);
    let mut once = || {
        if let Some(call) = call.take() {
            result = Some(caught(call));
        }
    };
    shielded(|| enter(&mut once));
    once();
    match result {
        Some(Ok(result)) => result,
        Some(Err(payload)) => resume_unwind(payload),
        None => unreachable!("it has been called"),
    }
}

/// Returns the scope of an item of a feed: what the scope of the feed returns for it, or that scope itself.
pub(crate) fn scope_of_item(
    feed: &Arc<dyn TaskScope>,
    item: &Submission<'_>,
) -> Arc<dyn TaskScope> {
    let scope = caught(|| feed.item(item)).unwrap_or_else(|payload| {
        discard(payload);
        None
    });
    scope.unwrap_or_else(|| feed.clone())
}

/// The scopes of two observers, the first around the second.
pub(super) struct Both(pub(super) Arc<dyn TaskScope>, pub(super) Arc<dyn TaskScope>);

impl TaskScope for Both {
    fn on_wait(&self, task: &TaskView<'_>) {
        shielded(|| self.0.on_wait(task));
        self.1.on_wait(task);
    }

    fn on_start(&self, task: &TaskView<'_>) {
        shielded(|| self.0.on_start(task));
        self.1.on_start(task);
    }

    fn poll(&self, task: &TaskView<'_>, poll: &mut dyn FnMut()) {
        through(
            |inner| self.0.poll(task, inner),
            || through(|inner| self.1.poll(task, inner), poll),
        );
    }

    fn on_lend(&self, task: &TaskView<'_>) {
        shielded(|| self.1.on_lend(task));
        self.0.on_lend(task);
    }

    fn on_return(&self, task: &TaskView<'_>) {
        shielded(|| self.0.on_return(task));
        self.1.on_return(task);
    }

    fn drop_future(&self, task: &TaskView<'_>, drop: &mut dyn FnMut()) {
        through(
            |inner| self.0.drop_future(task, inner),
            || through(|inner| self.1.drop_future(task, inner), drop),
        );
    }

    fn on_end(&self, task: &TaskView<'_>, ended: Ended) {
        shielded(|| self.1.on_end(task, ended));
        self.0.on_end(task, ended);
    }

    fn item(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        let (outer, inner) = (scope_of_item(&self.0, task), scope_of_item(&self.1, task));
        Some(Arc::new(Self(outer, inner)))
    }
}
