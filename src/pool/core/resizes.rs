use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::gate::NodeId;
use crate::lock::Lock;
use crate::pool::{AioPool, Core};
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

/// Keeps a listener registered until it is dropped. The listener is woken at each resize.
pub(crate) struct ResizeListener {
    pool: AioPool,
    key: u64,
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

    fn add(&self, waker: Waker) -> u64 {
        let mut listeners = self.listeners.lock();
        listeners.next += 1;
        let key = listeners.next;
        listeners.wakers.insert(key, waker);
        key
    }
}

impl Core {
    /// Makes known that the size of the pool or of a group has changed. Called with nothing locked.
    pub(crate) fn announce_sizes(&self) {
        self.resizes.announce();
        self.tell_size();
    }

    /// Tells the observers the size of the pool. Called with nothing locked.
    pub(crate) fn tell_size(&self) {
        let watcher = self.settings.watcher.as_ref();
        let Some(watcher) = watcher.filter(|watcher| watcher.hears_resizes()) else {
            return;
        };
        loop {
            let count = self.resizes.count.load(SeqCst);
            let size = self.lock().gate.size(NodeId::ROOT);
            watcher.on_resize(&self.settings.name, size);
            // If another thread has changed the size meanwhile, its call may have come before this one.
            if self.resizes.count.load(SeqCst) == count {
                return;
            }
        }
    }
}

impl AioPool {
    /// Returns how many times a size has changed: of the pool, or of any of its groups.
    pub(crate) fn resizes(&self) -> u64 {
        self.core().resizes.count.load(SeqCst)
    }

    pub(crate) fn on_resize(
        &self,
        listener: Arc<impl Wake + Send + Sync + 'static>,
    ) -> ResizeListener {
        let key = self.core().resizes.add(Waker::from(listener));
        let pool = self.clone();
        ResizeListener { pool, key }
    }
}

impl Drop for ResizeListener {
    fn drop(&mut self) {
        let listeners = &self.pool.core().resizes.listeners;
        let left = listeners.lock().wakers.remove(&self.key);
        // Unlocked: the waker may be the last owner of the listener, which is then dropped with it.
        drop(left);
    }
}
