use std::sync::Arc;

use async_lock::{OnceCell, Semaphore};

use super::super::steer::Handler;
use super::audit::Audit;
use super::limits::Limits;
use super::lobby::Lobby;
use super::signals::Signals;

/// State that all sessions share.
pub(super) struct Host {
    pub(super) seats: Arc<Semaphore>,
    /// One more seat, for the newest client if all others are taken. `None` without a token: then any client could take
    /// it.
    pub(super) kept_seat: Option<Arc<Lobby>>,
    pub(super) lobby: Arc<Lobby>,
    pub(super) limits: Limits,
    pub(super) handler: Arc<Handler>,
    pub(super) audit: Audit,
    /// Set when the server ends because its pool has ended: from then on, no session begins another command.
    pub(super) ending: OnceCell<()>,
    pub(super) signals: Arc<Signals>,
}

/// Bounds for the number of connections without a seat. Within them, it is the number of seats.
const FEW: usize = 16;
const MANY: usize = 256;

impl Host {
    pub(super) fn new(
        handler: Arc<Handler>,
        audit: Audit,
        limits: Limits,
        signals: Arc<Signals>,
    ) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(limits.sessions)),
            kept_seat: limits.token.is_some().then(|| Lobby::new(1)),
            lobby: Lobby::new(limits.sessions.clamp(FEW, MANY)),
            limits,
            handler,
            audit,
            ending: OnceCell::new(),
            signals,
        }
    }

    pub(super) fn shrink_lobby(&self) {
        self.lobby.shrink(FEW);
    }
}
