use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_lock::OnceCell;

/// Signals between the handle of a server and its future.
#[derive(Debug, Default)]
pub(super) struct Signals {
    stop: OnceCell<()>,
    ended: OnceCell<()>,
    // Read and written with `Relaxed`: the counter orders no other memory accesses.
    wrong_tokens: AtomicU64,
}

impl Signals {
    /// Tells the server to stop.
    pub(super) fn stop(&self) {
        _ = self.stop.set_blocking(());
    }

    pub(super) fn count_wrong_token(&self) {
        self.wrong_tokens.fetch_add(1, Relaxed);
    }

    pub(super) fn wrong_tokens(&self) -> u64 {
        self.wrong_tokens.load(Relaxed)
    }

    /// Waits until the server is told to stop.
    pub(super) async fn stopped(&self) {
        self.stop.wait().await;
    }

    /// Waits until the server has ended.
    pub(super) async fn ended(&self) {
        self.ended.wait().await;
    }

    /// Returns a guard that signals the end of the server.
    pub(super) fn signal_end_on_drop(self: Arc<Self>) -> EndSignal {
        EndSignal(self)
    }
}

/// Guard: signals the end of the server when it is dropped, also after a panic and when the future is dropped.
pub(super) struct EndSignal(Arc<Signals>);

impl Drop for EndSignal {
    fn drop(&mut self) {
        _ = self.0.ended.set_blocking(());
    }
}
