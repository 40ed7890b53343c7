use std::error::Error;
use std::fmt;

use crate::task::Refusal;

/// The error of a call that the pool has refused: the inner service was not called.
///
/// [`PoolLimit`](super::PoolLimit) returns it in a box, beside the errors of the inner service. So a handler asks for it by
/// `error.downcast_ref::<PoolRefused>()`, as for the errors of other layers.
///
/// # Examples
///
/// ```
/// use std::error::Error;
///
/// use aiopool::tower::PoolRefused;
///
/// fn status(error: Box<dyn Error + Send + Sync>) -> u16 {
///     match error.downcast_ref::<PoolRefused>() {
///         Some(refused) if refused.is_full() => 429,
///         Some(_) => 503,
///         None => 500,
///     }
/// }
/// # assert_eq!(status("the inner service has failed".into()), 500);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolRefused {
    refusal: Refusal,
}

impl PoolRefused {
    pub(super) fn new(refusal: Refusal) -> Self {
        Self { refusal }
    }

    /// Returns why the pool has refused the call.
    pub fn refusal(&self) -> Refusal {
        self.refusal
    }

    /// Returns `true` if as many calls and tasks waited as may wait. Later there may be room.
    pub fn is_full(&self) -> bool {
        self.refusal == Refusal::Full
    }

    /// Returns `true` if the pool was closed.
    pub fn is_closed(&self) -> bool {
        self.refusal == Refusal::Closed
    }
}

impl fmt::Display for PoolRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call was refused: {}", self.refusal)
    }
}

impl Error for PoolRefused {}
