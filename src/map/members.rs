use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;

use crate::coop;
use crate::lock::Lock;
use crate::task::PoolRef;
use crate::unwind::discard;
use crate::waker_slot::WakerSlot;
use crate::wakes::wake;

/// Futures of pool tasks that one future awaits.
///
/// A member is polled again only when it is woken, so it does not learn that another task awaits it now. If a task
/// takes over a wait that has begun elsewhere, it lends its permit because of the waker in the relay.
pub(super) struct Members<F: Unpin> {
    futures: FuturesUnordered<F>,
    /// The pools of the members, each once.
    pools: Vec<Arc<dyn PoolRef>>,
    relay: Arc<Relay>,
}

/// Wakes the future that awaits the members.
#[derive(Default)]
struct Relay(Lock<Awaited>);

#[derive(Default)]
struct Awaited {
    /// Whether a member was woken since the last poll began.
    woken: bool,
    waker: WakerSlot,
}

impl<F: Unpin> Members<F> {
    pub(super) fn new() -> Self {
        Self {
            futures: FuturesUnordered::new(),
            pools: Vec::new(),
            relay: Arc::default(),
        }
    }

    pub(super) fn push(&mut self, future: F, pool_ref: Arc<dyn PoolRef>) {
        if !self.pools.iter().any(|known| Arc::ptr_eq(known, &pool_ref)) {
            self.pools.push(pool_ref);
        }
        self.futures.push(future);
    }

    pub(super) fn len(&self) -> usize {
        self.futures.len()
    }

    /// Returns the pool of a member, if there are any members.
    pub(super) fn pool_ref(&self) -> Option<Arc<dyn PoolRef>> {
        self.pools.first().cloned()
    }

    /// Takes the members out, from the last to the first.
    pub(super) fn take(&mut self) -> impl Iterator<Item = F> + use<F> {
        std::mem::take(&mut self.futures).into_iter()
    }
}

impl<F: Future + Unpin> Members<F> {
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        self.relay.begin();
        let waker = Waker::from(self.relay.clone());
        let next = coop::poll_as_one(|| {
            Pin::new(&mut self.futures).poll_next(&mut Context::from_waker(&waker))
        });
        match next {
            Poll::Ready(_) => self.relay.hush(),
            Poll::Pending => self.relay.wait(self.waker(cx)),
        }
        next
    }

    /// Returns the waker of the future that awaits the members. If that is a task of one of the pools, its nested wait
    /// begins.
    fn waker(&self, cx: &Context<'_>) -> Waker {
        let outer = cx.waker().clone();
        self.pools.iter().fold(outer, |waker, pool_ref| {
            pool_ref.waker(&Context::from_waker(&waker))
        })
    }
}

impl<F: Unpin> Drop for Members<F> {
    /// Drops the members one by one: dropping the set as a whole leaks the rest if a destructor panics.
    fn drop(&mut self) {
        self.relay.hush();
        self.take().for_each(discard);
    }
}

impl Relay {
    fn begin(&self) {
        self.0.lock().woken = false;
    }

    /// Leaves a waker, or wakes it if a member was woken meanwhile.
    fn wait(&self, waker: Waker) {
        let awaited = self.0.lock();
        if awaited.woken {
            drop(awaited);
            return wake(Some(waker));
        }
        WakerSlot::leave(awaited, |awaited| &mut awaited.waker, waker);
    }

    /// Takes the waker out, since nothing waits any more.
    fn hush(&self) {
        WakerSlot::clear(self.0.lock(), |awaited| &mut awaited.waker);
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut awaited = self.0.lock();
        awaited.woken = true;
        let waker = awaited.waker.take();
        drop(awaited);
        wake(waker);
    }
}
