use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::thread;

/// What the futures of the tasks do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Conduct {
    Ready,
    Never,
    /// It yields some times first.
    Slow,
    Panics,
    /// It gives a value, and its destructor panics.
    PanicsWhenDropped,
    /// It never ends, and its destructor panics.
    NeverAndPanicsWhenDropped,
}

impl Conduct {
    pub(crate) fn is_endless(self) -> bool {
        matches!(self, Self::Never | Self::NeverAndPanicsWhenDropped)
    }
}

/// Makes the futures of the tasks, and counts those that are left.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) conduct: Conduct,
    alive: Arc<AtomicUsize>,
}

/// The value that a future gives.
pub(crate) const VALUE: u32 = 7;

impl Work {
    pub(crate) fn new(conduct: Conduct) -> Self {
        Self {
            conduct,
            alive: Arc::default(),
        }
    }

    pub(crate) fn future(&self) -> Doing {
        self.alive.fetch_add(1, SeqCst);
        Doing {
            conduct: self.conduct,
            alive: self.alive.clone(),
            polls: 0,
        }
    }

    /// The same for blocking work, which cannot be suspended.
    pub(crate) fn block(&self) -> u32 {
        assert!(self.conduct != Conduct::Panics, "on purpose");
        VALUE
    }

    /// Number of futures that have not been dropped.
    pub(crate) fn alive(&self) -> usize {
        self.alive.load(SeqCst)
    }
}

pub(crate) struct Doing {
    conduct: Conduct,
    alive: Arc<AtomicUsize>,
    polls: usize,
}

impl Future for Doing {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        self.polls += 1;
        match self.conduct {
            Conduct::Never | Conduct::NeverAndPanicsWhenDropped => Poll::Pending,
            Conduct::Slow if self.polls < 4 => {
                wake(cx);
                Poll::Pending
            }
            Conduct::Ready | Conduct::Slow | Conduct::PanicsWhenDropped => Poll::Ready(VALUE),
            Conduct::Panics => panic!("on purpose"),
        }
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, SeqCst);
        let panics = matches!(
            self.conduct,
            Conduct::PanicsWhenDropped | Conduct::NeverAndPanicsWhenDropped
        );
        // A panic during another one would abort the process.
        assert!(
            !panics || thread::panicking(),
            "on purpose, in a destructor"
        );
    }
}

/// Suspends once.
pub(crate) async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        wake(cx);
        Poll::Pending
    })
    .await;
}

/// Wakes its own task. A panic of the waker is none of the future here.
fn wake(cx: &Context<'_>) {
    drop(catch_unwind(AssertUnwindSafe(|| cx.waker().wake_by_ref())));
}
