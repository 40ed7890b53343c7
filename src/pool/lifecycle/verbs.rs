use crate::error::ZeroSize;
use crate::gate::NodeId;
use crate::pool::lifecycle::wait_until::Until;
use crate::pool::lifecycle::waiters::Goal;
use crate::pool::{AioPool, Core};
use crate::wakes::Wakes;

/// Maximum number of groups that are looked at under one lock.
const AT_ONCE: usize = 256;

/// The life cycle of the pool.
impl AioPool {
    /// Waits until nothing is active or waiting.
    ///
    /// Any number of callers may wait at once. Tasks that are submitted meanwhile are waited for too. While the pool is
    /// paused, the tasks that wait in it keep this waiting.
    ///
    /// # Cancel safety
    ///
    /// This future may be dropped at any time. Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(2);
    /// let handles = pool.map_n(0..10, |n| async move { n });
    /// pool.join().await;
    /// assert!(handles.iter().all(|handle| handle.is_finished()));
    /// # });
    /// ```
    pub async fn join(&self) {
        self.until(Goal::Idle).await;
    }

    /// Refuses new tasks. What has been submitted runs on to its end.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let before = pool.spawn_n(async { 1 });
    /// pool.close();
    /// let after = pool.spawn_n(async { 2 });
    /// assert_eq!(before.await.unwrap(), 1);
    /// assert!(after.await.unwrap_err().is_rejected());
    /// # });
    /// ```
    pub fn close(&self) {
        let (core, mut wakes) = (self.core(), Wakes::default());
        let mut state = core.lock();
        state.gate.data_mut(self.node()).closed = true;
        // Callers that wait from now on see the flag. Callers that wait already are woken, some groups at a time.
        for first in (0..).step_by(AT_ONCE) {
            let Some(nodes) = state.gate.nodes_at(first, AT_ONCE) else {
                break;
            };
            state.tell_waiters_of(&nodes, self.node(), &mut wakes);
            state = core.give_way(state);
        }
        drop(state);
        wakes.wake();
    }

    /// Accepts new tasks again.
    pub fn reopen(&self) {
        self.core().lock().gate.data_mut(self.node()).closed = false;
    }

    /// Returns `true` if the pool refuses new tasks.
    pub fn is_closed(&self) -> bool {
        self.core().lock().is_closed(self.node())
    }

    /// Waits until the pool is closed, and nothing is active or waiting.
    ///
    /// # Cancel safety
    ///
    /// This future may be dropped at any time. Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let watcher = tokio::spawn({
    ///     let pool = pool.clone();
    ///     async move { pool.closed().await }
    /// });
    /// pool.close();
    /// watcher.await.unwrap();
    /// # });
    /// ```
    pub async fn closed(&self) {
        self.until(Goal::Drained).await;
    }

    /// Starts no more tasks until [`resume`](Self::resume). Active tasks run on, and new tasks wait.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// pool.pause();
    /// let handle = pool.spawn_n(async { 1 });
    /// assert_eq!(pool.waiting(), 1);
    /// pool.resume();
    /// assert_eq!(handle.await.unwrap(), 1);
    /// # });
    /// ```
    pub fn pause(&self) {
        self.core().set_paused(self.node(), true);
    }

    /// Starts tasks again, as many as there are permits.
    ///
    /// This returns soon, however many tasks wait: it starts the first thousand, and as these are polled, they start
    /// the rest.
    pub fn resume(&self) {
        self.core().set_paused(self.node(), false);
    }

    /// Returns `true` if the pool is paused.
    pub fn is_paused(&self) -> bool {
        self.core().lock().gate.is_paused(self.node())
    }

    /// Changes how many tasks run at once.
    ///
    /// A larger size starts waiting tasks now; if there are more than a thousand, as described for
    /// [`resume`](Self::resume). A smaller size stops no task: it takes effect as tasks end.
    ///
    /// # Errors
    ///
    /// [`ZeroSize`] if `size` is 0; the pool stays as it is. To hold tasks back, [`pause`](Self::pause) the pool.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let handles = pool.map_n(0..4, |_| std::future::pending::<()>());
    /// assert_eq!(pool.active(), 1);
    /// pool.resize(3).unwrap();
    /// assert_eq!(pool.active(), 3);
    /// # pool.cancel_all().await;
    /// # });
    /// ```
    pub fn resize(&self, size: usize) -> Result<(), ZeroSize> {
        if size == 0 {
            return Err(ZeroSize);
        }
        let mut state = self.core().lock();
        state.resize(self.node(), size);
        self.core().dispatch(state);
        self.core().announce_sizes();
        Ok(())
    }

    pub(crate) fn until(&self, goal: Goal) -> Until<'_> {
        Until::new(self, goal)
    }
}

impl Core {
    pub(crate) fn set_paused(&self, node: NodeId, paused: bool) {
        let mut state = self.lock();
        state.gate.set_paused(node, paused);
        self.dispatch(state);
    }
}
