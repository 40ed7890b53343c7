use std::task::Poll;

/// What a look at results that may be there has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// There will be none any more.
    Ended,
    /// There are no more for now.
    Dry,
    /// There may be more. So many were taken that others on the thread are to have their turn.
    Broken,
}

/// So many results are taken in one poll.
pub(super) const AT_ONCE: usize = 1024;

/// Takes results, each by a call of `take`, until there is none.
pub(super) fn look(mut take: impl FnMut() -> Poll<Option<()>>) -> Look {
    for _ in 0..AT_ONCE {
        match take() {
            Poll::Ready(Some(())) => {}
            Poll::Ready(None) => return Look::Ended,
            Poll::Pending => return Look::Dry,
        }
    }
    Look::Broken
}
