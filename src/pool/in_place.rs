use crate::pool::{AioPool, Permit, PermitBuilder};

/// Running in place: for code that cannot be a task.
impl AioPool {
    /// Runs `future` under a permit of this pool, in the caller's own task.
    ///
    /// This is the way to run what cannot be a task: a future that borrows, or that is not `Send`. For several of them
    /// at once, await `join_all` over calls of `run`, as in the example: they take turns in the caller's task, and no
    /// more of them have begun than the pool has permits.
    ///
    /// The future waits in the same queue as the tasks, and counts as waiting and active, but it is not a task: it has
    /// no number, is not listed, and is not cancelled. The pool's `join` waits for it. A pool that is closed or whose
    /// queue is full does not refuse it: it is the caller's own code, and runs there anyway.
    ///
    /// A task of this pool has a permit already: there the future just runs, unless this is inside of
    /// [`lend`](fn@crate::lend). In a task that belongs to another group of the pool, this lends the permit of that task
    /// meanwhile. Outside of tasks, a future that awaits this pool from inside of `run` needs a second permit: there
    /// `run` does not lend the permit that it has.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped while it waits, it leaves the queue, and nothing of it is left. If it is dropped later, it
    /// drops the future, then gives the permit back. Unlike the permit of a task, this permit is given to a caller that
    /// has to be polled: do not hold it in a future that you have stopped polling.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let words = vec!["borrowed".to_owned()];
    /// let length = pool.run(async { words[0].len() }).await;
    /// assert_eq!(length, 8);
    /// # });
    /// ```
    ///
    /// Several futures that borrow, and are not `Send`:
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::cell::Cell;
    ///
    /// use futures::future::join_all;
    ///
    /// let pool = aiopool::AioPool::new(2);
    /// let (words, letters) = (["at", "most", "two", "at", "once"], Cell::new(0));
    /// let count = async |word: &str| letters.set(letters.get() + word.len());
    /// join_all(words.iter().map(|word| pool.run(count(word)))).await;
    /// assert_eq!(letters.get(), 15);
    /// # });
    /// ```
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        self.permit().run(future)
    }

    /// Waits for a permit of this pool, and holds it until the [`Permit`] is dropped.
    ///
    /// The caller waits in the same queue as the tasks. See [`run`](Self::run) for what that means, and use `run` if
    /// the work can be written as one future.
    ///
    /// A task of this pool that calls this holds two permits then. In a pool of size 1 it would wait forever.
    ///
    /// # Cancel safety
    ///
    /// If this is dropped while it waits, it leaves the queue, and nothing of it is left.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let permit = pool.acquire().await;
    /// let task = pool.spawn_n(async { "after" });
    /// assert_eq!((pool.active(), pool.waiting()), (1, 1));
    /// drop(permit);
    /// assert_eq!(task.await.unwrap(), "after");
    /// # });
    /// ```
    pub async fn acquire(&self) -> Permit {
        self.permit().acquire().await
    }

    /// Returns a permit of this pool if one is free now, and `None` otherwise.
    ///
    /// It takes no permit that a waiting task, or a caller that waits [in place](Self::run), could start with, and no
    /// start that a rate does not allow yet. In a paused pool no permit is free. A closed pool gives permits as
    /// [`acquire`](Self::acquire) does: the work is the caller's own. No counter counts the attempt.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let permit = pool.try_acquire().expect("it is free");
    /// assert!(pool.try_acquire().is_none());
    /// drop(permit);
    /// assert!(pool.try_acquire().is_some());
    /// # });
    /// ```
    pub fn try_acquire(&self) -> Option<Permit> {
        self.permit().try_acquire()
    }

    /// Returns a builder that gives code in place a weight and a priority in the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let sum = pool.permit().weight(2).priority(1).run(async { 1 + 1 }).await;
    /// assert_eq!(sum, 2);
    /// # });
    /// ```
    pub fn permit(&self) -> PermitBuilder<'_> {
        PermitBuilder::new(self)
    }
}
