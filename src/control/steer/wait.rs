use std::time::{Duration, Instant};

use super::super::timer::Timer;
use crate::sync::MODELLED;

/// Maximum time that a reply waits until the effect of its command is visible. Tasks run on their own runtime, and a
/// task that blocks its thread must not delay the reply.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// Waits until `condition` returns `true`, but no longer than [`PATIENCE`]. Checks it at growing intervals.
pub(super) async fn wait_briefly_until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(50);
    while !condition() && (MODELLED || begun.elapsed() < PATIENCE) {
        Timer::after(pause).await;
        pause *= 2;
    }
}
