use std::sync::Arc;

use crate::pool::core::parts::runtime::Runtime;
use crate::task::RuntimeId;
use crate::worker::WorkerShared;

/// Workers without a task, which stay for two more polls: a task that comes meanwhile needs no new worker.
///
/// All of them stay while the next tasks are known to come. Otherwise a few stay, and how many depends on their
/// success: a worker that is given a task makes room for one more worker, and a worker that has stayed in vain halves
/// the room. If there is no room, as in the beginning, a worker is tried now and then.
pub(crate) struct IdleWorkers {
    /// Idle workers that have not been handed a task.
    workers: Vec<Arc<WorkerShared>>,
    room: usize,
    /// Number of workers that have found no room since one was tried.
    refused: u32,
}

/// The worker that runs a task.
pub(crate) enum Runner {
    /// The worker whose task has just ended.
    Free,
    /// An idle worker.
    Idle(Arc<WorkerShared>),
    /// A new worker, to be launched on this runtime.
    New(Arc<WorkerShared>, Option<Runtime>),
}

/// Maximum number of workers that stay on the chance of a task. More of them would take the work from each other, and
/// each has to fetch what it needs from the other threads.
const FEW: usize = 2;

/// If there is no room, one of this number of workers is tried.
const TRIED: u32 = 16;

impl IdleWorkers {
    pub(crate) fn new() -> Self {
        Self {
            workers: Vec::new(),
            room: 0,
            refused: 0,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// Lets a worker stay idle, if there is room or a task is `expected`.
    #[inline]
    pub(crate) fn offer(&mut self, worker: Arc<WorkerShared>, expected: bool) {
        if expected || self.workers.len() < self.room || self.is_tried() {
            worker.set_idle(true);
            worker.set_place(self.workers.len());
            self.workers.push(worker);
        }
    }

    fn is_tried(&mut self) -> bool {
        self.refused = (self.refused + 1) % TRIED;
        self.refused == 0 && self.room == 0
    }

    /// Chooses the worker for a task of this runtime: the worker that has become free, an idle worker, or a new one, which
    /// `make` makes.
    #[inline]
    pub(crate) fn runner(
        &mut self,
        free: &mut Option<Arc<WorkerShared>>,
        runtime: Option<&Runtime>,
        make: impl FnOnce(Option<RuntimeId>) -> WorkerShared,
    ) -> (Arc<WorkerShared>, Runner) {
        let id = runtime.map(Runtime::id);
        if let Some(worker) = free.take_if(|worker| worker.runtime() == id) {
            return (worker, Runner::Free);
        }
        if let Some(worker) = self.take(id) {
            return (worker.clone(), Runner::Idle(worker));
        }
        let worker = Arc::new(make(id));
        (worker.clone(), Runner::New(worker, runtime.cloned()))
    }

    /// Takes the newest idle worker out, to be handed a task, if it is a worker of this runtime.
    #[inline]
    pub(crate) fn take(&mut self, runtime: Option<RuntimeId>) -> Option<Arc<WorkerShared>> {
        self.workers
            .last()
            .filter(|worker| worker.runtime() == runtime)?;
        self.room = (self.room + 1).min(FEW);
        self.workers.pop()
    }

    /// Takes a worker out that has stayed in vain.
    pub(crate) fn leave(&mut self, worker: &Arc<WorkerShared>) {
        worker.set_idle(false);
        let place = worker.place();
        if self
            .workers
            .get(place)
            .is_some_and(|other| Arc::ptr_eq(other, worker))
        {
            self.workers.swap_remove(place);
            if let Some(moved) = self.workers.get(place) {
                moved.set_place(place);
            }
        }
        self.room /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::AioPool;

    fn workers(count: usize) -> Vec<Arc<WorkerShared>> {
        let pool = AioPool::new(1);
        let worker = || Arc::new(WorkerShared::new(pool.inner.core.clone(), None));
        std::iter::repeat_with(worker).take(count).collect()
    }

    fn stays(idle_workers: &mut IdleWorkers, worker: &Arc<WorkerShared>) -> bool {
        idle_workers.offer(worker.clone(), false);
        worker.is_idle()
    }

    #[test]
    fn one_is_tried_now_and_then_and_more_stay_as_long_as_that_is_worth_it() {
        let (mut idle_workers, workers) = (IdleWorkers::new(), workers(FEW + 1));
        for _ in 0..3 {
            let tries = (1..).find(|_| stays(&mut idle_workers, &workers[0]));
            assert_eq!(tries, Some(TRIED));
            idle_workers.leave(&workers[0]);
            assert!(!workers[0].is_idle() && idle_workers.is_empty());
        }
        for tried in 0..TRIED {
            assert_eq!(stays(&mut idle_workers, &workers[0]), tried + 1 == TRIED);
        }
        for _ in 0..FEW {
            let handed = idle_workers.take(None).unwrap();
            handed.set_idle(false);
            assert!(stays(&mut idle_workers, &workers[0]));
        }
        assert!(
            workers[1..FEW]
                .iter()
                .all(|worker| stays(&mut idle_workers, worker))
        );
        assert!(!stays(&mut idle_workers, &workers[FEW]), "there are enough");
    }

    #[test]
    fn all_stay_where_tasks_are_expected() {
        let (mut idle_workers, workers) = (IdleWorkers::new(), workers(100));
        for worker in &workers {
            idle_workers.offer(worker.clone(), true);
        }
        assert!(workers.iter().all(|worker| worker.is_idle()));
        for worker in workers.iter().rev() {
            assert!(Arc::ptr_eq(&idle_workers.take(None).unwrap(), worker));
        }
    }
}
