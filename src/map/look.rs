use std::task::{Context, Poll};

use crate::budget::Pace;
use crate::coop::{self, STEPS_IN_A_POLL};

/// The outcome of taking the results that are ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The stream has ended.
    Ended,
    /// No more results are ready now.
    Dry,
    /// More results may be ready, but the poll has taken long enough.
    Broken,
}

/// Calls `take` until no result is ready, or the budget of the poll is used up.
pub(super) fn look(
    cx: &mut Context<'_>,
    mut take: impl FnMut(&mut Context<'_>) -> Poll<Option<()>>,
) -> Look {
    let mut budget = coop::steps(STEPS_IN_A_POLL, cx);
    loop {
        match take(cx) {
            Poll::Ready(Some(())) => {}
            Poll::Ready(None) => return Look::Ended,
            Poll::Pending => return Look::Dry,
        }
        if !budget.spend(&mut Pace::Short) {
            return Look::Broken;
        }
    }
}
