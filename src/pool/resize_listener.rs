use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::pool::AioPool;

/// Keeps a listener registered until it is dropped. The listener is woken at each resize.
pub(crate) struct ResizeListener {
    pool: AioPool,
    key: u64,
}

impl AioPool {
    /// Returns how many times a size has changed: of the pool, or of any of its groups.
    pub(crate) fn resizes(&self) -> u64 {
        self.core().resizes.count()
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
        let left = self.pool.core().resizes.remove(self.key);
        // Unlocked: the waker may be the last owner of the listener, which is then dropped with it.
        drop(left);
    }
}
