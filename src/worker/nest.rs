use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Wake, Waker};

use crate::lock::Lock;
use crate::unwind::discard;
use crate::wakes::Wakes;

/// What a running task shares with those whom it asks: made when it first asks.
///
/// While it is suspended and waits for its own pool, a task lends its permit.
/// It may be in several such waits at once (`join!`), and in others beside them.
///
/// ```text
///            suspended, while it waits        woken
///  held ─────────────────────────────▶ lent ────────▶ returning
///    ▲                                 │  ▲                │
///    │                                 └──┘ polled on      │
///    │                                  inside of `lend`   │
///    └─────────────────────────────────────────────────────┘ has its permit: polled
/// ```
#[derive(Debug, Default)]
pub(crate) struct Nest {
    /// Waits for its own pool that have begun, and have not ended.
    waits: AtomicUsize,
    /// Futures inside of `lend` that are not ready.
    lends: AtomicUsize,
    /// Futures inside of `lend` that are ready, and may not say so yet.
    owed: AtomicUsize,
    aborted: Lock<Told>,
    returned: Lock<Vec<Waker>>,
}

/// Whether it has been asked to stop, and who waits to hear that.
#[derive(Debug, Default)]
struct Told {
    aborted: bool,
    wakers: Vec<Waker>,
}

/// A waker that lies where a task waits for its pool: as long as it does, the wait lasts.
struct Waiting {
    nest: Arc<Nest>,
    waker: Waker,
}

impl Nest {
    pub(super) fn new(aborted: bool) -> Self {
        let told = Told {
            aborted,
            wakers: Vec::new(),
        };
        Self {
            aborted: Lock::new(told),
            ..Self::default()
        }
    }

    /// The waker to leave where the task waits for its own pool.
    pub(crate) fn waker(self: &Arc<Self>, cx: &Context<'_>) -> Waker {
        let waker = cx.waker().clone();
        self.waits.fetch_add(1, SeqCst);
        let nest = self.clone();
        Waker::from(Arc::new(Waiting { nest, waker }))
    }

    /// Whether a suspended task is to lend its permit.
    pub(super) fn wants_out(&self) -> bool {
        self.is_lending() || self.waits.load(SeqCst) > 0
    }

    /// Whether one that has lent it has nothing more to wait for, or something to say.
    pub(super) fn wants_back(&self) -> bool {
        self.owed.load(SeqCst) > 0 || !self.wants_out()
    }

    /// Whether it is polled without a permit.
    pub(super) fn is_lending(&self) -> bool {
        self.lends.load(SeqCst) > 0
    }

    pub(crate) fn begin_lend(&self) {
        self.lends.fetch_add(1, SeqCst);
    }

    pub(crate) fn end_lend(&self) {
        self.lends.fetch_sub(1, SeqCst);
    }

    /// One of its `lend`s is ready, and waits for the permit to say so.
    pub(crate) fn owe(&self) {
        self.owed.fetch_add(1, SeqCst);
    }

    pub(crate) fn settle(&self) {
        self.owed.fetch_sub(1, SeqCst);
    }

    /// Has this waker woken when the permit is back.
    pub(crate) fn on_return(&self, cx: &Context<'_>) {
        let waker = cx.waker().clone();
        self.returned.lock().push(waker);
    }

    pub(super) fn tell_returned(&self, wakes: &mut Wakes) {
        let wakers = std::mem::take(&mut *self.returned.lock());
        wakers.into_iter().for_each(|waker| wakes.add(Some(waker)));
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.lock().aborted
    }

    /// Waits until the task is asked to stop.
    pub(crate) fn poll_aborted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut told = self.aborted.lock();
        if told.aborted {
            drop(told);
            discard(waker);
            return Poll::Ready(());
        }
        let known = told.wakers.iter().any(|known| known.will_wake(&waker));
        let stale = match known {
            true => Some(waker),
            false => {
                told.wakers.push(waker);
                None
            }
        };
        drop(told);
        discard(stale);
        Poll::Pending
    }

    pub(super) fn tell_aborted(&self, wakes: &mut Wakes) {
        let mut told = self.aborted.lock();
        told.aborted = true;
        told.wakers
            .drain(..)
            .for_each(|waker| wakes.add(Some(waker)));
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.waker.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.waker.wake_by_ref();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.nest.waits.fetch_sub(1, SeqCst);
    }
}
