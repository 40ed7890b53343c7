use std::time::Duration;

use super::Spawner;
use crate::unwind::{caught, discard};

/// Returns `true` if a runtime has a timer, by starting one that is never polled. A runtime whose timer panics has none.
pub(crate) fn has_timer(spawner: &dyn Spawner) -> bool {
    let sleep = caught(|| spawner.sleep(Duration::from_millis(1)));
    let is_there = matches!(sleep, Ok(Some(_)));
    discard(sleep);
    is_there
}
