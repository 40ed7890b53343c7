use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::coop;
use crate::lock::Lock;
use crate::sync::atomic::Ordering::{Relaxed, SeqCst};
use crate::sync::atomic::{AtomicBool, AtomicUsize};
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
pub(crate) struct NestedWaits {
    /// Waits for its own pool that have begun, and have not ended.
    waits: AtomicUsize,
    /// Futures inside of `lend` that are not ready.
    lends: AtomicUsize,
    /// Futures inside of `lend` that are ready, and may not say so yet.
    owed: AtomicUsize,
    /// Joins of its pool or its groups that last, or [`OVER`]. Changed under the pool's lock.
    joins: AtomicUsize,
    aborted: Lock<AbortSignal>,
    returned: Lock<Wakers>,
}

/// Whether it has been asked to stop, and who waits to hear that.
#[derive(Debug, Default)]
struct AbortSignal {
    aborted: bool,
    wakers: Wakers,
}

/// One waker of each who waits.
#[derive(Debug, Default)]
struct Wakers {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Wakers {
    /// Leaves a waker in place of the one that lies under this key, which is returned. Without a key, gives one.
    #[must_use = "to be dropped when no lock is held"]
    fn leave(&mut self, key: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.wakers.insert(key, waker)
    }

    #[must_use = "to be dropped when no lock is held"]
    fn remove(&mut self, key: u64) -> Option<Waker> {
        self.wakers.remove(&key)
    }

    fn take_all(&mut self, wakes: &mut Wakes) {
        let wakers = std::mem::take(&mut self.wakers);
        wakers
            .into_values()
            .for_each(|waker| wakes.add(Some(waker)));
    }
}

/// A task that has ended joins nobody, whatever becomes of its futures.
const OVER: usize = usize::MAX;

/// A waker that lies where a task waits for its pool: until it is woken or taken away, the wait lasts.
struct Waiting {
    nested_waits: Arc<NestedWaits>,
    waker: Waker,
    over: AtomicBool,
}

/// Waits until a task is asked to stop.
pub(crate) struct Aborted<'n> {
    nested_waits: &'n NestedWaits,
    /// Where its waker lies.
    key: Option<u64>,
}

impl NestedWaits {
    pub(super) fn new(aborted: bool) -> Self {
        let signal = AbortSignal {
            aborted,
            ..AbortSignal::default()
        };
        Self {
            aborted: Lock::new(signal),
            ..Self::default()
        }
    }

    /// The waker to leave where the task waits for its own pool.
    pub(crate) fn waker(self: &Arc<Self>, cx: &Context<'_>) -> Waker {
        let waker = cx.waker().clone();
        self.waits.fetch_add(1, SeqCst);
        let (nested_waits, over) = (self.clone(), AtomicBool::new(false));
        Waker::from(Arc::new(Waiting {
            nested_waits,
            waker,
            over,
        }))
    }

    /// Returns whether the task was in no other join.
    pub(crate) fn begin_join(&self) -> bool {
        match self.joins.load(Relaxed) {
            OVER => false,
            joins => self.joins.swap(joins + 1, Relaxed) == 0,
        }
    }

    /// Returns whether it is in no other join now.
    pub(crate) fn end_join(&self) -> bool {
        match self.joins.load(Relaxed) {
            OVER => false,
            joins => self.joins.swap(joins - 1, Relaxed) == 1,
        }
    }

    /// The task has ended. Returns whether it was in a join.
    pub(super) fn end_joins(&self) -> bool {
        self.joins.swap(OVER, Relaxed) > 0
    }

    pub(crate) fn is_joining(&self) -> bool {
        !matches!(self.joins.load(Relaxed), 0 | OVER)
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
    pub(crate) fn is_lending(&self) -> bool {
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

    /// Has this waker woken when the permit is back, and the one before no longer.
    pub(crate) fn on_return(&self, key: &mut Option<u64>, cx: &Context<'_>) {
        let waker = cx.waker().clone();
        let stale = self.returned.lock().leave(key, waker);
        discard(stale);
    }

    /// Whoever left its waker under this key waits no longer.
    pub(crate) fn hush_return(&self, key: Option<u64>) {
        if let Some(key) = key {
            let left = self.returned.lock().remove(key);
            discard(left);
        }
    }

    pub(super) fn tell_returned(&self, wakes: &mut Wakes) {
        self.returned.lock().take_all(wakes);
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.lock().aborted
    }

    /// Waits until the task is asked to stop.
    pub(crate) fn aborted(&self) -> Aborted<'_> {
        let key = None;
        Aborted {
            nested_waits: self,
            key,
        }
    }

    pub(super) fn tell_aborted(&self, wakes: &mut Wakes) {
        let mut signal = self.aborted.lock();
        signal.aborted = true;
        signal.wakers.take_all(wakes);
    }
}

impl Future for Aborted<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        coop::poll(cx, |cx| self.poll_told(cx))
    }
}

impl Aborted<'_> {
    fn poll_told(&mut self, cx: &Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut signal = self.nested_waits.aborted.lock();
        if signal.aborted {
            drop(signal);
            discard(waker);
            return Poll::Ready(());
        }
        let stale = signal.wakers.leave(&mut self.key, waker);
        drop(signal);
        discard(stale);
        Poll::Pending
    }
}

impl Drop for Aborted<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let left = self.nested_waits.aborted.lock().wakers.remove(key);
            discard(left);
        }
    }
}

impl Waiting {
    fn end(&self) {
        if !self.over.swap(true, SeqCst) {
            self.nested_waits.waits.fetch_sub(1, SeqCst);
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        // Before: whoever is woken may be polled inside of this.
        self.end();
        self.waker.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.waker.wake_by_ref();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.end();
    }
}
