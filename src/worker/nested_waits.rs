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

/// The waits of a running task for its own pool, shared between its worker and the places where the task waits.
///
/// It is made when the task first waits for its pool, or calls `lend` or `current`. While a task is suspended in a
/// nested wait, it lends its permit. It may be in several such waits at once (`join!`), and in other waits beside them.
///
/// ```text
///            suspended in a wait              woken
///  held ─────────────────────────────▶ lent ────────▶ returning
///    ▲                                 │  ▲                │
///    │                                 └──┘ polled inside  │
///    │                                      of `lend`      │
///    └─────────────────────────────────────────────────────┘ the permit is back: polled
/// ```
#[derive(Debug, Default)]
pub(crate) struct NestedWaits {
    // The first three counters may change on any thread, and each stands alone. A decrement that belongs to a wake
    // comes before that wake (see `Waiting::wake`), so the worker that this wake polls reads the new count. A weaker
    // ordering than `Release` in the decrement and `Acquire` in the load would leave this to the runtime's own
    // synchronization: a task could then lend its permit for a wait that is over. `SeqCst` is more than that needs, and
    // costs only tasks that wait for their own pool.
    /// Number of waits for the own pool that have begun and not ended.
    waits: AtomicUsize,
    /// Number of futures inside of `lend` that are not ready.
    lends: AtomicUsize,
    /// Number of futures inside of `lend` that are ready and wait for the permit before they return.
    returning: AtomicUsize,
    /// Number of joins that the task is in, of its pool or of the pool's groups, or [`OVER`].
    // The pool's lock orders all accesses, hence `Relaxed`. Without the lock, two changes could overwrite each other,
    // since each is a load and then a swap.
    joins: AtomicUsize,
    /// Whether the task has reported that its server is overloaded.
    // `Relaxed`: it is read when the task has ended, which happens after all that the task does.
    overloaded: AtomicBool,
    aborted: Lock<AbortSignal>,
    returned: Lock<Wakers>,
}

/// Whether the task has been asked to stop, and the wakers of the futures that wait for this.
#[derive(Debug, Default)]
struct AbortSignal {
    aborted: bool,
    wakers: Wakers,
}

/// The wakers of several futures, one of each.
#[derive(Debug, Default)]
struct Wakers {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Wakers {
    /// Puts the waker in under `key`, and returns the waker that was there. Without a key, chooses a new one.
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

/// The number of joins of a task that has ended: it counts as joining no more, even if one of its futures lives on.
const OVER: usize = usize::MAX;

/// The waker of a task, left at a place where the task waits for its own pool. The wait lasts until this waker is woken
/// or dropped.
struct Waiting {
    nested_waits: Arc<NestedWaits>,
    waker: Waker,
    over: AtomicBool,
}

/// The future of [`NestedWaits::aborted`].
pub(crate) struct Aborted<'n> {
    nested_waits: &'n NestedWaits,
    /// The key of its waker in the [`AbortSignal`].
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

    /// Begins a nested wait, and returns the waker to leave where the task waits.
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

    /// Begins a join. Returns `true` if the task was in no other join.
    pub(crate) fn begin_join(&self) -> bool {
        match self.joins.load(Relaxed) {
            OVER => false,
            joins => self.joins.swap(joins + 1, Relaxed) == 0,
        }
    }

    /// Ends a join. Returns `true` if the task is in no other join now.
    pub(crate) fn end_join(&self) -> bool {
        match self.joins.load(Relaxed) {
            OVER => false,
            joins => self.joins.swap(joins - 1, Relaxed) == 1,
        }
    }

    /// Ends all joins, since the task has ended. Returns `true` if the task was in a join.
    pub(super) fn end_joins(&self) -> bool {
        self.joins.swap(OVER, Relaxed) > 0
    }

    pub(crate) fn is_joining(&self) -> bool {
        !matches!(self.joins.load(Relaxed), 0 | OVER)
    }

    /// Returns `true` if the task is to lend its permit while it is suspended.
    pub(super) fn wants_out(&self) -> bool {
        self.is_lending() || self.waits.load(SeqCst) > 0
    }

    /// Returns `true` if a task that has lent its permit wants it back: all its waits are over, or a `lend` is ready.
    pub(super) fn wants_back(&self) -> bool {
        self.returning.load(SeqCst) > 0 || !self.wants_out()
    }

    /// Returns `true` if the task is inside of `lend`, and so is polled without a permit.
    pub(crate) fn is_lending(&self) -> bool {
        self.lends.load(SeqCst) > 0
    }

    pub(crate) fn begin_lend(&self) {
        self.lends.fetch_add(1, SeqCst);
    }

    pub(crate) fn end_lend(&self) {
        self.lends.fetch_sub(1, SeqCst);
    }

    /// Notes that a future inside of `lend` is ready and waits for the permit.
    pub(crate) fn begin_return(&self) {
        self.returning.fetch_add(1, SeqCst);
    }

    /// Notes that this future waits for the permit no longer.
    pub(crate) fn end_return(&self) {
        self.returning.fetch_sub(1, SeqCst);
    }

    /// Registers the waker to be woken when the permit is back, in place of the one under `key`.
    pub(crate) fn on_return(&self, key: &mut Option<u64>, cx: &Context<'_>) {
        let waker = cx.waker().clone();
        let stale = self.returned.lock().leave(key, waker);
        discard(stale);
    }

    /// Removes the waker that [`on_return`](Self::on_return) has registered under `key`.
    pub(crate) fn hush_return(&self, key: Option<u64>) {
        if let Some(key) = key {
            let left = self.returned.lock().remove(key);
            discard(left);
        }
    }

    pub(super) fn tell_returned(&self, wakes: &mut Wakes) {
        self.returned.lock().take_all(wakes);
    }

    pub(crate) fn report_overload(&self) {
        self.overloaded.store(true, Relaxed);
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        self.overloaded.load(Relaxed)
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.lock().aborted
    }

    /// Returns a future that is ready when the task has been asked to stop.
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
        // The wait ends first: `wake_by_ref` may poll the task inside of this call, and the worker then reads the
        // count.
        self.end();
        self.waker.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The waker stays in its place, so the wait goes on.
        self.waker.wake_by_ref();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.end();
    }
}
