use std::time::{Duration, Instant};

use async_io::Timer;

/// So long a reply waits for the tasks to be where the command wants them: they get there by their own runtime,
/// and one that blocks is not waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// Waits until it is so, or no longer.
pub(super) async fn settled(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(50);
    while !is_so() && begun.elapsed() < PATIENCE {
        Timer::after(pause).await;
        pause *= 2;
    }
}
