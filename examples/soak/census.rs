//! The tasks count themselves, from the inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::promises::{Promise, Promises};

/// What counts itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Task,
    Nested,
    Tried,
    Blocking,
    Item,
    InPlace,
    Permit,
}

/// The tasks of one pool or group, as they count themselves.
pub(crate) struct Census {
    name: String,
    promises: Arc<Promises>,
    around: Option<Arc<Census>>,
    /// The highest size that the pool has in this round.
    limit: AtomicUsize,
    /// The permits of the tasks that run: that have begun, and have not lent their permit.
    running: AtomicUsize,
    /// The same, by what they are.
    parts: [AtomicUsize; 7],
    /// The futures that have not been dropped.
    alive: AtomicUsize,
}

impl Census {
    pub(crate) fn new(
        name: &str,
        promises: &Arc<Promises>,
        around: Option<&Arc<Census>>,
    ) -> Arc<Self> {
        let around_it = around.map(|around| format!("{}/", around.name));
        Arc::new(Self {
            name: around_it.unwrap_or_default() + name,
            promises: promises.clone(),
            around: around.cloned(),
            limit: AtomicUsize::new(usize::MAX),
            running: AtomicUsize::new(0),
            parts: Default::default(),
            alive: AtomicUsize::new(0),
        })
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, SeqCst);
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive.load(SeqCst)
    }

    fn path(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Self>> {
        std::iter::successors(Some(self), |census| census.around.as_ref())
    }

    fn enter(self: &Arc<Self>, what: What, weight: usize) {
        for census in self.path() {
            census.parts[what as usize].fetch_add(weight, SeqCst);
            let running = census.running.fetch_add(weight, SeqCst) + weight;
            let limit = census.limit.load(SeqCst);
            let seen = || {
                let (name, parts) = (&census.name, &census.parts);
                format!("{running} of {limit} in {name}, the last a {what:?}, of {parts:?}")
            };
            census.promises.hold(Promise::Size, running <= limit, seen);
        }
    }

    fn leave(self: &Arc<Self>, what: What, weight: usize) {
        for census in self.path() {
            census.parts[what as usize].fetch_sub(weight, SeqCst);
            census.running.fetch_sub(weight, SeqCst);
        }
    }
}

/// A future that counts as alive from when this is made, and as running from when it [runs](Self::run).
pub(crate) struct Counted {
    census: Arc<Census>,
    what: What,
    weight: usize,
    is_running: bool,
}

impl Counted {
    pub(crate) fn new(census: &Arc<Census>, what: What, weight: usize) -> Self {
        census
            .path()
            .for_each(|census| _ = census.alive.fetch_add(1, SeqCst));
        Self {
            census: census.clone(),
            what,
            weight,
            is_running: false,
        }
    }

    pub(crate) fn run(&mut self) {
        if !std::mem::replace(&mut self.is_running, true) {
            self.census.enter(self.what, self.weight);
        }
    }

    /// Counts as not running meanwhile: what is awaited lends the permit.
    pub(crate) async fn lending<F: Future>(&mut self, wait: F) -> F::Output {
        self.pause();
        let output = wait.await;
        self.run();
        output
    }

    fn pause(&mut self) {
        if std::mem::take(&mut self.is_running) {
            self.census.leave(self.what, self.weight);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.pause();
        self.census
            .path()
            .for_each(|census| _ = census.alive.fetch_sub(1, SeqCst));
    }
}
