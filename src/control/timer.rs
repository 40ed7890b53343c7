//! Timers, from one place: those of async-io, or, in the checks in `models`, one that needs no clock.

#[cfg(not(aiopool_shuttle))]
pub(super) use async_io::Timer;
#[cfg(aiopool_shuttle)]
pub(super) use modelled::Timer;

#[cfg(aiopool_shuttle)]
mod modelled {
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    /// A short time is over when other threads may have done something. A longer one never ends, as nothing in a model
    /// takes that long.
    pub(in crate::control) enum Timer {
        Begun,
        Over,
        Never,
    }

    const LONG: Duration = Duration::from_secs(1);

    impl Timer {
        pub(in crate::control) fn after(time: Duration) -> Self {
            if time < LONG {
                Self::Begun
            } else {
                Self::Never
            }
        }
    }

    impl Future for Timer {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            match *self {
                Self::Never => return Poll::Pending,
                Self::Over => return Poll::Ready(()),
                Self::Begun => *self = Self::Over,
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}
