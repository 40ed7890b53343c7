//! Tools that make tests exact: those of the feature `testing`, timers that end
//! when they should not, and one body for all runtimes.

mod busy;
#[cfg(target_os = "linux")]
mod memory;
mod runtimes;
mod timed;
mod woken;

pub(crate) use aiopool::testing::{ManualSpawner as Hand, Probe};
pub(crate) use busy::busy;
#[cfg(target_os = "linux")]
pub(crate) use memory::{alone, resident};
pub(crate) use runtimes::{Pools, on_every_runtime, on_tokio, within};
pub(crate) use timed::Timed;
pub(crate) use woken::Reader;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Polls once, with a waker that does nothing.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets the others on the thread have a turn.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a pinned future once, which is not to be ready.
#[macro_export]
macro_rules! assert_pending {
    ($future:expr) => {
        assert!(
            $crate::support::poll_once($future.as_mut()).is_pending(),
            "it was ready"
        )
    };
}
