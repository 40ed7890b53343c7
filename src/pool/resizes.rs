use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::AioPool;
use crate::lock::Lock;
use crate::sync::atomic::AtomicU64;
use crate::sync::atomic::Ordering::SeqCst;
use crate::wakes::wake;

/// Tells the streams that read ahead when a size changes: of the pool, or of any of its groups.
#[derive(Default)]
pub(super) struct Resizes {
    count: AtomicU64,
    listeners: Lock<Listeners>,
}

#[derive(Default)]
struct Listeners {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// Has its listener woken at each resize, until it is dropped.
pub(crate) struct ResizeListener {
    pool: AioPool,
    key: u64,
}

impl Resizes {
    /// Called when a size has changed, with nothing locked.
    pub(super) fn announce(&self) {
        self.count.fetch_add(1, SeqCst);
        // Cloning is not foreign code: all of these are ours.
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

impl AioPool {
    /// Returns how often a size has changed, of the pool or of any of its groups.
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
        // Unlocked: what it holds may be dropped with it.
        drop(left);
    }
}
