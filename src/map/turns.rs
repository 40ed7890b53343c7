use std::future::poll_fn;
use std::task::{Context, Poll};

/// So many steps are taken in a row, before others on the thread have their turn.
const IN_A_ROW: u32 = 64;

/// Lets a loop that never has to wait give way now and then.
#[derive(Default)]
pub(super) struct Turns(u32);

impl Turns {
    /// Counts a step; after so many, lets the others have their turn.
    pub(super) async fn step(&mut self) {
        poll_fn(|cx| self.poll_step(cx)).await;
    }

    pub(super) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 < IN_A_ROW {
            self.0 += 1;
            return Poll::Ready(());
        }
        self.0 = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
