use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::fleet::error::EngineError;

/// Time that the thread gives to what it was asked for before its last user went away.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The private thread, with a runtime of tokio. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Thread {
    runtime: Handle,
    busy: mpsc::Sender<()>,
    _stop: Arc<oneshot::Sender<()>>,
}

impl Thread {
    pub(super) fn start() -> Result<Self, EngineError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| EngineError::Connect(error.to_string()))?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (busy, mut idle) = mpsc::channel::<()>(1);
        let watched = busy.downgrade();
        thread::Builder::new()
            .name("aiopool-fleet".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let _ = stopped.await;
                    drop(watched);
                    let _ = tokio::time::timeout(LAST_WORDS, idle.recv()).await;
                });
            })
            .map_err(|error| EngineError::Connect(error.to_string()))?;
        Ok(Self {
            runtime: handle,
            busy,
            _stop: Arc::new(stop),
        })
    }

    /// Runs `future` on the thread and waits for it. Dropping the wait does not stop `future`.
    pub(super) async fn run<F>(&self, future: F) -> Result<F::Output, EngineError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn(future)
            .await
            .map_err(|_| EngineError::Disconnected)
    }

    /// Runs `future` on the thread. The thread waits for it before it ends, if it does not take too long.
    pub(super) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let busy = self.busy.clone();
        self.runtime.spawn(async move {
            let _busy = busy;
            future.await
        })
    }

    /// Runs `future` on the thread until the thread ends.
    pub(super) fn spawn_service<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.runtime.spawn(future);
    }
}
