use std::sync::Arc;

use tokio::sync::oneshot;

use crate::fleet::nats::Client;
use crate::fleet::wire::FenceKey;

/// Cancels tasks when it is dropped, unless it is disarmed.
#[derive(Debug)]
pub(super) struct CancelOnDrop {
    client: Arc<Client>,
    armed: Option<(FenceKey, oneshot::Receiver<()>)>,
}

/// What a task carries that is under way to the server, so that it is not cancelled before it arrives there.
pub(super) type UnderWay = Arc<oneshot::Sender<()>>;

impl CancelOnDrop {
    /// Returns a guard for the tasks of `key`, and what each of them has to carry.
    pub(super) fn new(client: Arc<Client>, key: FenceKey) -> (Self, UnderWay) {
        let (under_way, arrived) = oneshot::channel();
        let guard = Self {
            client,
            armed: Some((key, arrived)),
        };
        (guard, Arc::new(under_way))
    }

    /// Lets the tasks run on.
    pub(super) fn disarm(&mut self) {
        self.armed = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some((key, arrived)) = self.armed.take() {
            // Its sender is dropped with the last task that carries it.
            self.client
                .abandon(vec![key], async { drop(arrived.await) });
        }
    }
}
