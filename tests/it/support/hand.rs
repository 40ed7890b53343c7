use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use aiopool::{AioPool, Builder, Spawner, Worker};

/// A runtime without a thread: its workers are polled when a test says so.
#[derive(Clone, Default)]
pub(crate) struct Hand(Arc<Mutex<VecDeque<Spawned>>>);

struct Spawned {
    worker: Worker,
    flag: Arc<Flag>,
}

impl Spawned {
    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(self.flag.clone());
        Pin::new(&mut self.worker).poll(&mut Context::from_waker(&waker))
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Spawner for Hand {
    fn spawn(&self, worker: Worker) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        self.0.lock().unwrap().push_back(Spawned { worker, flag });
    }
}

impl Hand {
    pub(crate) fn pool(size: usize) -> (Self, AioPool) {
        let hand = Self::default();
        let pool = hand.builder().size(size).build().unwrap();
        (hand, pool)
    }

    pub(crate) fn builder(&self) -> Builder {
        AioPool::builder().spawner(self.clone())
    }

    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Polls those who were woken, until none is.
    pub(crate) fn run(&self) {
        while self.poll_each_once() {}
    }

    /// Gives each of those who were woken one poll. Returns whether there were any.
    pub(crate) fn poll_each_once(&self) -> bool {
        let mut any = false;
        for _ in 0..self.workers() {
            let Some(mut next) = self.0.lock().unwrap().pop_front() else {
                break;
            };
            let woken = next.flag.0.swap(false, Ordering::SeqCst);
            any |= woken;
            if !woken || next.poll().is_pending() {
                self.0.lock().unwrap().push_back(next);
            }
        }
        any
    }

    /// Drops one worker, and no other.
    pub(crate) fn drop_one(&self) {
        let one = self.0.lock().unwrap().pop_front();
        drop(one);
    }

    /// Drops all workers, as a runtime does at its end.
    pub(crate) fn drop_workers(&self) {
        loop {
            // One at a time, unlocked: what is dropped may bring new ones.
            let next = self.0.lock().unwrap().pop_front();
            if next.is_none() {
                return;
            }
        }
    }
}
