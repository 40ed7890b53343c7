use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::{AioPool, Builder, Spawner, Worker};

use super::{Hand, Probe};

/// A runtime without a thread, whose timers end when a test says so.
#[derive(Clone, Default)]
pub(crate) struct Timed {
    pub(crate) hand: Hand,
    timers: Arc<Mutex<VecDeque<Probe>>>,
}

impl Spawner for Timed {
    fn spawn(&self, worker: Worker) {
        self.hand.spawn(worker);
    }

    fn sleep(&self, _: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let timer = Probe::new();
        self.timers.lock().unwrap().push_back(timer.clone());
        Some(Box::pin(timer.task(())))
    }
}

impl Timed {
    pub(crate) fn builder(&self) -> Builder {
        AioPool::builder().spawner(self.clone())
    }

    pub(crate) fn pool(size: usize) -> (Self, AioPool) {
        let timed = Self::default();
        let pool = timed.builder().size(size).build().unwrap();
        (timed, pool)
    }

    /// The timers that have begun since the last call.
    pub(crate) fn take(&self) -> VecDeque<Probe> {
        std::mem::take(&mut *self.timers.lock().unwrap())
    }

    /// Ends all timers that have begun. Nothing is polled yet.
    pub(crate) fn end_all(&self) {
        self.take().iter().for_each(Probe::end);
    }
}
