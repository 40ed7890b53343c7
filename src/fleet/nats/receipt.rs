use tokio::sync::oneshot;

use super::window::{Place, Stored};

/// Who is told when the server has a task, or refuses it.
#[derive(Debug, Default)]
pub(crate) enum Receipt {
    #[default]
    Unasked,
    Single(oneshot::Sender<Stored>),
    Batch(Place),
}

impl Receipt {
    pub(super) fn tell(self, stored: Stored) {
        match self {
            Self::Unasked => {}
            Self::Single(waiting) => drop(waiting.send(stored)),
            Self::Batch(place) => place.leave(stored),
        }
    }
}
