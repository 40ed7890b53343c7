use std::collections::BTreeMap;
use std::task::Waker;

use crate::lock::Lock;
use crate::sync::atomic::AtomicU64;
use crate::sync::atomic::Ordering::SeqCst;
use crate::wakes::wake;

/// Wakes the streams that read ahead when the size of the pool, or of any of its groups, changes.
#[derive(Default)]
pub(crate) struct Resizes {
    count: AtomicU64,
    listeners: Lock<Listeners>,
}

#[derive(Default)]
struct Listeners {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Resizes {
    /// Wakes the listeners after a size has changed. Called with nothing locked.
    pub(crate) fn announce(&self) {
        // Before the wakes: a woken stream compares this count with the one that it knows.
        self.count.fetch_add(1, SeqCst);
        // Cloning runs no user code under the lock: all of these wakers are made by the crate.
        let wakers: Vec<Waker> = self.listeners.lock().wakers.values().cloned().collect();
        wakers.into_iter().for_each(|waker| wake(Some(waker)));
    }

    pub(crate) fn add(&self, waker: Waker) -> u64 {
        let mut listeners = self.listeners.lock();
        listeners.next += 1;
        let key = listeners.next;
        listeners.wakers.insert(key, waker);
        key
    }

    /// Removes a listener. Its waker is user code: the caller drops it.
    pub(crate) fn remove(&self, key: u64) -> Option<Waker> {
        self.listeners.lock().wakers.remove(&key)
    }

    /// Returns how many times a size has changed.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(SeqCst)
    }
}
