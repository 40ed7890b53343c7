use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use super::Spawner;

type Shared = Arc<dyn Spawner>;

/// One kind of runtime.
pub(super) struct Kind {
    /// Runs workers on the runtime around the caller, if that runtime is of this kind.
    pub(super) spawner: Shared,
    pub(super) id_here: fn() -> Option<NonZeroU64>,
    /// Returns the time of the runtime around the caller, if that is of this kind.
    pub(super) now_here: fn() -> Option<Instant>,
    /// Returns a spawner for the runtime around the caller alone.
    pub(super) bind_here: fn(&Shared) -> Option<Shared>,
}
