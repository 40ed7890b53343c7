use std::sync::Arc;

use async_lock::{OnceCell, Semaphore};

use super::super::steer::Handler;
use super::audit::Audit;
use super::limits::Limits;
use super::signals::Signals;
use super::slots::Slots;

/// State that all sessions share.
pub(super) struct Host {
    /// A permit for each session.
    pub(super) sessions: Arc<Semaphore>,
    /// One more session, for the newest client if there is no other. `None` without a token: then any client could take
    /// it.
    pub(super) reserved_session: Option<Arc<Slots>>,
    /// The connections that have not been admitted, and the connections that are about to end.
    pub(super) pending: Arc<Slots>,
    pub(super) limits: Limits,
    pub(super) handler: Arc<Handler>,
    pub(super) audit: Audit,
    /// Set when the server ends because its pool has ended: from then on, no session begins another command.
    pub(super) ending: OnceCell<()>,
    pub(super) signals: Arc<Signals>,
}

/// Bounds for the number of pending connections. Within them, it is the number of sessions.
const MIN_PENDING: usize = 16;
const MAX_PENDING: usize = 256;

impl Host {
    pub(super) fn new(
        handler: Arc<Handler>,
        audit: Audit,
        limits: Limits,
        signals: Arc<Signals>,
    ) -> Self {
        Self {
            sessions: Arc::new(Semaphore::new(limits.sessions)),
            reserved_session: limits.token.is_some().then(|| Slots::new(1)),
            pending: Slots::new(limits.sessions.clamp(MIN_PENDING, MAX_PENDING)),
            limits,
            handler,
            audit,
            ending: OnceCell::new(),
            signals,
        }
    }

    /// Evicts the older half of the pending connections, which frees their descriptors.
    pub(super) fn evict_older_half(&self) {
        self.pending.shrink(MIN_PENDING);
    }
}
