use std::task::Poll;

use crate::budget::{Budget, Pace};

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

/// Maximum number of results that are taken in one poll.
pub(super) const RESULTS_IN_A_POLL: u32 = 1024;

/// Takes results, each by a call of `take`, until there is none.
pub(super) fn look(mut take: impl FnMut() -> Poll<Option<()>>) -> Look {
    let mut budget = Budget::new(RESULTS_IN_A_POLL, Pace::Short);
    loop {
        match take() {
            Poll::Ready(Some(())) => {}
            Poll::Ready(None) => return Look::Ended,
            Poll::Pending => return Look::Dry,
        }
        if !budget.spend(&mut Pace::Short) {
            return Look::Broken;
        }
    }
}
