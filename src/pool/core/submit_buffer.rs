//! Tasks that were submitted to a full pool while other threads used its lock, and are yet to be put into its queue.

use std::pin::Pin;

use crate::gate::NodeId;
use crate::lock::Lock;
use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::sync::MutexGuard;
use crate::sync::atomic::AtomicBool;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{BoxTask, RuntimeId, TaskId};

/// A buffer of new tasks without options, with a lock of its own: otherwise a thread that submits many tasks competes for
/// the pool's lock with each task that ends.
///
/// It is opened when such a task had to be put into the queue. While it is open, nothing happens to the pool but that its
/// tasks end, each into the next one of the queue. Whoever does anything else or looks at the pool locks it by
/// [`Core::lock`], which flushes and closes the buffer first. So a task in the buffer is for everybody one that waits behind
/// those of the queue.
// Aligned, so that the threads that submit do not slow down those that end tasks.
#[repr(align(128))]
pub(crate) struct SubmitBuffer {
    /// It changes with both the pool and the buffer locked, so that it is exact under either lock. Without a lock it is a
    /// hint, which spares most submissions the lock of the buffer.
    is_open: AtomicBool,
    tasks: Lock<Buffered>,
}

struct Buffered {
    /// The main runtime of the pool.
    main: Option<RuntimeId>,
    /// The number of the next task.
    next: u64,
    tasks: Vec<BoxTask>,
}

/// Maximum number of tasks in the buffer, all of which are put into the queue under one lock.
const ROOM: usize = 64;

impl SubmitBuffer {
    pub(crate) fn new() -> Self {
        Self {
            is_open: AtomicBool::new(false),
            tasks: Lock::new(Buffered {
                main: None,
                next: 0,
                tasks: Vec::new(),
            }),
        }
    }

    /// Returns a place for a task that is submitted on this runtime, if the buffer is open to it.
    #[inline]
    pub(crate) fn place(&self, here: Option<RuntimeId>) -> Option<BufferPlace<'_>> {
        if !self.is_open() {
            return None;
        }
        let buffered = self.tasks.lock();
        let is_main = here.is_none() || here == buffered.main;
        let is_free = self.is_open() && buffered.tasks.len() < ROOM;
        (is_main && is_free).then_some(BufferPlace(buffered))
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Relaxed)
    }
}

/// A place for one task in the buffer, which is locked.
pub(crate) struct BufferPlace<'a>(MutexGuard<'a, Buffered>);

impl BufferPlace<'_> {
    #[inline]
    pub(crate) fn fill(mut self, make: impl FnOnce(TaskId) -> BoxTask) {
        let task = make(self.0.next.into());
        self.0.next += 1;
        self.0.tasks.push(task);
    }
}

impl Core {
    /// Opens the buffer, after a task without options was put into the queue and could not start.
    ///
    /// It stays closed while callers wait for a goal of the pool, such as an empty queue: a task that ends may reach that,
    /// without a look into the buffer.
    #[cold]
    pub(crate) fn open_buffer(&self, state: &State) {
        let root = state.gate.data(NodeId::ROOT);
        if state.serves_several || !root.waiters.is_empty() {
            return;
        }
        let mut buffered = self.buffer.tasks.lock();
        buffered.next = root.stats.submitted;
        buffered.main = state.main_id();
        buffered.tasks.reserve(ROOM);
        self.buffer.is_open.store(true, Relaxed);
    }

    /// Puts the tasks of the buffer into the queue, and closes the buffer.
    #[inline]
    pub(crate) fn flush(&self, state: &mut State) {
        if self.buffer.is_open() {
            self.flush_buffer(state);
        }
    }

    #[inline(never)]
    fn flush_buffer(&self, state: &mut State) {
        let mut buffered = self.buffer.tasks.lock();
        self.buffer.is_open.store(false, Relaxed);
        for task in buffered.tasks.drain(..) {
            state.park_fast(|_, slot| {
                Pin::as_ref(&task).settle(slot);
                task
            });
        }
        debug_assert_eq!(buffered.next, state.gate.data(NodeId::ROOT).stats.submitted);
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use super::ROOM;
    use crate::pool::AioPool;
    use crate::task::{JoinHandle, TaskState};

    /// Submits two tasks to a full pool, of which one waits in the queue and the other one in the buffer, and runs a test.
    fn with_a_buffered_task(test: impl AsyncFnOnce(AioPool, [JoinHandle<()>; 2])) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let pool = AioPool::new(1);
            let (end, is_over) = tokio::sync::oneshot::channel::<()>();
            drop(pool.spawn(async { _ = is_over.await }).await);
            let queued = pool.spawn_n(async {});
            open_buffer(&pool);
            let buffered = pool.spawn_n(async {});
            assert_eq!(count_buffered(&pool), 1);
            test(pool.clone(), [queued, buffered]).await;
            drop(end);
            pool.join().await;
            let stats = pool.stats();
            assert_eq!(
                stats.submitted,
                stats.completed + stats.cancelled + stats.rejected
            );
        });
    }

    fn open_buffer(pool: &AioPool) {
        let core = pool.core();
        core.open_buffer(&core.lock());
    }

    fn count_buffered(pool: &AioPool) -> usize {
        pool.core().buffer.tasks.lock().tasks.len()
    }

    #[test]
    fn whoever_looks_finds_a_buffered_task_at_the_end_of_the_queue() {
        let looks: [fn(&AioPool, &JoinHandle<()>) -> bool; 8] = [
            |pool, _| pool.waiting() == 2,
            |pool, _| pool.len() == 3,
            |pool, _| pool.stats().submitted == 3,
            |pool, task| pool.tasks()[2].id == task.id(),
            |_, task| task.state() == TaskState::Waiting,
            |_, task| task.abort_handle().state() == TaskState::Waiting,
            |_, task| !task.is_finished(),
            |pool, task| pool.spawn_n(async {}).id().get() == task.id().get() + 1,
        ];
        for look in looks {
            with_a_buffered_task(async |pool, [_, buffered]| assert!(look(&pool, &buffered)));
        }
    }

    #[test]
    fn a_buffered_task_is_cancelled_like_any_other() {
        let ways: [fn(&AioPool, &JoinHandle<()>) -> bool; 4] = [
            |_, task| task.abort(),
            |_, task| task.abort_handle().abort(),
            |pool, task| pool.abort([task.id()]) == Ok(1),
            |pool, _| pool.abort_all() == 3,
        ];
        for cancel in ways {
            with_a_buffered_task(async |pool, [_queued, buffered]| {
                assert!(cancel(&pool, &buffered));
                assert!(buffered.await.unwrap_err().is_cancelled());
            });
        }
    }

    #[test]
    fn a_pool_that_grows_or_closes_runs_what_is_buffered() {
        let changes: [fn(&AioPool); 2] = [|pool| pool.resize(3).unwrap(), AioPool::close];
        for change in changes {
            with_a_buffered_task(async |pool, [_, buffered]| {
                change(&pool);
                if pool.is_closed() {
                    assert!(pool.spawn_n(async {}).await.unwrap_err().is_rejected());
                    pool.resize(2).unwrap();
                }
                buffered.await.unwrap();
            });
        }
    }

    #[test]
    fn buffered_tasks_start_in_order_whether_the_buffer_is_full_or_the_queue_empty() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let (pool, started) = (AioPool::new(1), Arc::new(Mutex::new(Vec::new())));
            let mut numbers = 0..;
            let mut submit = || {
                let (started, number) = (started.clone(), numbers.next());
                pool.spawn_n(async move { started.lock().unwrap().push(number) })
            };
            for round in 0..3 * ROOM {
                submit();
                open_buffer(&pool);
                (0..round).for_each(|_| drop(submit()));
                let buffered = if round > ROOM { 0 } else { round };
                assert_eq!(count_buffered(&pool), buffered);
                tokio::task::yield_now().await;
            }
            pool.join().await;
            let started = started.lock().unwrap();
            assert_eq!(started.len() as u64, pool.stats().submitted);
            assert!(started.is_sorted());
        });
    }

    #[test]
    fn no_task_is_buffered_while_a_caller_waits_for_a_goal() {
        with_a_buffered_task(async |pool, [queued, buffered]| {
            let mut drained = std::pin::pin!(pool.below(1));
            assert!(futures::poll!(&mut drained).is_pending());
            open_buffer(&pool);
            let third = pool.spawn_n(pending::<()>());
            assert_eq!((count_buffered(&pool), pool.waiting()), (0, 3));
            assert!(third.abort() && queued.abort());
            assert!(futures::poll!(&mut drained).is_pending());
            assert!(buffered.abort());
            drained.await;
        });
    }
}
