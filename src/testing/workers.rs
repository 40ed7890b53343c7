use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::flag::Flag;
use crate::lock::Lock;
use crate::spawner::Blocking;
use crate::worker::Worker;

/// The workers of a runtime that is driven by hand, and the blocking work that it was given.
///
/// A worker is taken out while it is polled or dropped, and nothing is locked then: both run user code, and may bring
/// new workers.
#[derive(Default)]
pub(super) struct Workers {
    workers: Lock<VecDeque<Spawned>>,
    blocking: Lock<VecDeque<Blocking>>,
}

struct Spawned {
    worker: Worker,
    is_woken: Arc<Flag>,
}

impl Spawned {
    fn poll(&mut self) -> Poll<()> {
        let waker = self.is_woken.waker();
        Pin::new(&mut self.worker).poll(&mut Context::from_waker(&waker))
    }
}

impl Workers {
    pub(super) fn add(&self, worker: Worker) {
        let is_woken = Flag::set();
        self.workers.lock().push_back(Spawned { worker, is_woken });
    }

    pub(super) fn add_blocking(&self, work: Blocking) {
        self.blocking.lock().push_back(work);
    }

    pub(super) fn len(&self) -> usize {
        self.workers.lock().len()
    }

    /// Returns how many workers have been woken since their last poll.
    pub(super) fn woken(&self) -> usize {
        let workers = self.workers.lock();
        workers.iter().filter(|one| one.is_woken.is_set()).count()
    }

    /// Polls each worker once that has been woken, and runs the blocking work. Returns `true` if there was any of either.
    ///
    /// The blocking work that comes from a worker runs before the next worker is polled, so that tasks begin in the order
    /// in which they have got their permits.
    pub(super) fn step(&self) -> bool {
        let mut has_run = self.run_blocking();
        for _ in 0..self.len() {
            let Some(mut next) = self.pop() else { break };
            let is_woken = next.is_woken.take();
            has_run |= is_woken;
            if !is_woken || next.poll().is_pending() {
                self.workers.lock().push_back(next);
            }
            has_run |= self.run_blocking();
        }
        has_run
    }

    /// Runs the blocking work that has come so far. Returns `true` if there was some.
    fn run_blocking(&self) -> bool {
        let work = std::mem::take(&mut *self.blocking.lock());
        let is_there = !work.is_empty();
        work.into_iter().for_each(Blocking::run);
        is_there
    }

    /// Drops the oldest worker. Returns `false` if there is none.
    pub(super) fn drop_one(&self) -> bool {
        self.pop().is_some()
    }

    /// Drops the blocking work that has not run.
    pub(super) fn drop_blocking(&self) {
        let unused = std::mem::take(&mut *self.blocking.lock());
        drop(unused);
    }

    /// Takes the next worker out. The lock is released at the return.
    fn pop(&self) -> Option<Spawned> {
        self.workers.lock().pop_front()
    }
}
