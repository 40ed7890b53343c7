use std::time::Duration;

use crate::pool::AioPool;

impl AioPool {
    /// Starts no task for this long: what a server asks for that answers "too many requests".
    ///
    /// It is as a [`pause`](Self::pause) that ends by itself. Active tasks run on, tasks that have lent their permits
    /// go on, new tasks wait, and so does code that wants to run [in place](Self::run). For a group, this concerns the
    /// group and the groups inside of it. A pause and a hold are independent of each other: tasks start when both are
    /// over.
    ///
    /// If the pool is held already, it is held until the later of the two ends. A shorter time, or none, changes
    /// nothing.
    ///
    /// The time is that of the runtime, as for the [rate](crate::Builder::rate): where a test pauses the runtime's
    /// clock, the hold ends by that clock. The pool's one timer runs only while tasks wait. If the runtime ends and no
    /// other runs a task of the pool, the hold is over, and the waiting tasks are rejected.
    ///
    /// A hold stays when the last handle of the pool or group is dropped: the tasks that wait start at its end. A group
    /// that ends because nothing is in it, and no handle of it is left, takes its hold along: a group of this name that
    /// is created later is not held. To hold an empty group, keep a handle of it.
    ///
    /// # Panics
    ///
    /// Panics if the runtime has no timer, or if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::{Duration, Instant};
    ///
    /// let pool = aiopool::AioPool::new(100);
    /// let host = pool.keyed("example.com", 4);
    /// let begun = Instant::now();
    /// host.hold(Duration::from_millis(20));              // it has answered 429
    /// let other = pool.exec(async move { begun.elapsed() });  // other hosts are asked as before
    /// let later = host.exec(async move { begun.elapsed() });
    /// assert!(other.await.unwrap() < later.await.unwrap());
    /// assert!(begun.elapsed() >= Duration::from_millis(20));
    /// # });
    /// ```
    #[track_caller]
    pub fn hold(&self, time: Duration) {
        self.core().hold(self.node(), time);
    }
}
