use std::task::{Context, Poll};

use crate::budget::Pace;
use crate::coop::{self, STEPS_IN_A_POLL};

/// What a look at results that may be there has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// There will be none any more.
    Ended,
    /// There are no more for now.
    Dry,
    /// There may be more. The poll has gone on for long enough.
    Broken,
}

/// Takes results, each by a call of `take`, until there is none.
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
