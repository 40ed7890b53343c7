use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::pool::{AioPool, Core};
use crate::spawner::Blocking;
use crate::task::{
    BoxTask, Complete, End, Failure, Finish, JoinHandle, Packed, Rejection, Start, Task,
};
use crate::unwind::shielded;
use crate::wakes::Wakes;
use crate::worker::{Entered, WorkerShared, running};

impl AioPool {
    /// Spawns work that blocks its thread. If no permit is free, the work waits in the queue.
    ///
    /// The work runs where the runtime has room for it, and holds its permit until it returns, whatever is dropped
    /// meanwhile. If it is aborted before it starts, it never runs. If it is aborted later, it runs on to its end, and
    /// its value wins: code cannot be stopped from outside. The work may check
    /// [`Current::is_aborted`](crate::Current::is_aborted) now and then, and return early.
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let manifest = pool.spawn_blocking(|| std::fs::read_to_string("Cargo.toml"));
    /// assert!(manifest.await.unwrap().unwrap().contains("aiopool"));
    /// # });
    /// ```
    pub fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.task(Work(Some(work))).submit_blocking()
    }
}

/// A closure as a future that is polled once, and blocks.
pub(crate) struct Work<F>(Option<F>);

impl<F> Unpin for Work<F> {}

impl<F: FnOnce() -> T, T> Future for Work<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let work = self.0.take().expect("it is polled once");
        Poll::Ready(work())
    }
}

/// A task that leaves its worker at its first poll, and takes its permit along.
pub(crate) struct BlockingTask(pub(crate) BoxTask);

impl Task for BlockingTask {
    fn announce(&self, wakes: &mut Wakes) -> Start {
        self.0.announce(wakes)
    }

    fn leaves_its_worker(&self) -> bool {
        true
    }

    fn poll(self: Pin<Box<Self>>, _: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask> {
        let task = Pin::into_inner(self).0;
        match running() {
            Some(worker) => Away::new(worker, task).depart(),
            None => task.give_up(Failure::Rejected(Rejection::RuntimeGone).pack(), finish),
        }
        None
    }

    fn give_up(self: Pin<Box<Self>>, failure: Packed, finish: Finish<'_>) {
        Pin::into_inner(self).0.give_up(failure, finish);
    }
}

/// A task on a thread that it may block, or on its way to that thread.
struct Away {
    worker: Arc<WorkerShared>,
    task: Option<BoxTask>,
}

impl Away {
    fn new(worker: Arc<WorkerShared>, task: BoxTask) -> Self {
        let task = Some(task);
        Self { worker, task }
    }

    fn depart(self) {
        let worker = self.worker.clone();
        let work = Blocking::new(move || self.run());
        if let Some(core) = Core::of(&worker) {
            shielded(|| core.spawner().spawn_blocking(work));
        }
    }

    fn run(mut self) {
        let Some(task) = self.task.take() else { return };
        let mut running = Some(self.worker.clone());
        let _entered = Entered::new(&mut running);
        if self.worker.is_unstarted() {
            self.worker.scheduler().begin(&self.worker);
        }
        let mut finish = self.finish();
        if let Some(unfinished) = task.poll(&mut Context::from_waker(Waker::noop()), &mut finish) {
            unfinished.give_up(Failure::Cancelled(None).pack(), &mut finish);
        }
    }

    fn finish(&self) -> impl FnMut(Option<End>, Complete<'_>) {
        |end, complete| self.worker.scheduler().abandon(&self.worker, end, complete)
    }
}

impl Drop for Away {
    /// Ends a task that was not run: the runtime is gone, or has refused it.
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            let failure = Failure::Rejected(Rejection::RuntimeGone);
            task.give_up(failure.pack(), &mut self.finish());
        }
    }
}
