use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::tracker::Tracker;
use crate::gate::{LevelId, Standing};
use crate::pool::Core;
use crate::pool::core::Patience;
use crate::pool::detail::Detail;
use crate::pool::dressed::{Dressed, Wishes};
use crate::pool::state::State;
use crate::task::{
    Body, End, Extras, Failure, Finish, Parked, Plain, Shared, Slot, Start, Task, TaskId,
};
use crate::unwind::{caught, discard};
use crate::wakes::Wakes;
use crate::worker::{Seat, running};

/// The iterator and the closure of a feed, in the queue or with a worker.
///
/// With a worker it holds a permit, and a slot, which the item that it pulls takes over. Then it is back in
/// the queue, in another slot, before that item is polled.
pub(super) struct Source<I, F> {
    items: I,
    f: F,
    id: TaskId,
    tracker: Arc<Tracker>,
}

impl<I, F> Unpin for Source<I, F> {}

impl<I, F, Fut> Source<I, F>
where
    I: Iterator + Send + 'static,
    F: FnMut(I::Item) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    pub(super) fn new(items: I, f: F, tracker: Arc<Tracker>) -> Self {
        static FEEDS: AtomicU64 = AtomicU64::new(1);
        let id = TaskId::unnumbered(FEEDS.fetch_add(1, Relaxed));
        Self {
            items,
            f,
            id,
            tracker,
        }
    }

    /// The pool takes none of it.
    pub(super) fn refuse(self: Box<Self>) {
        let tracker = self.tracker.clone();
        discard(self);
        tracker.mark_rejected();
        tracker.goes().wake();
    }

    fn pull(&mut self) -> Option<Fut> {
        let item = self.items.next()?;
        Some((self.f)(item))
    }

    /// Ends the feed at its worker: nothing more is pulled.
    fn end(self: Box<Self>, finish: Finish<'_>) {
        let tracker = self.tracker.clone();
        discard(self);
        finish(End::Nothing, &mut || Some(tracker.goes()));
    }

    /// Its iterator or its closure has panicked: that is the end of a task, and of the feed.
    fn end_broken(self: Box<Self>, core: &Core, seat: &Seat, finish: Finish<'_>) {
        let tracker = self.tracker.clone();
        discard(self);
        tracker.mark_broken();
        core.lock().number_item(seat.slot());
        finish(End::Panicked, &mut || Some(tracker.goes()));
    }

    /// Lets an item have the slot and the permit, and goes back to the queue.
    fn start(
        self: Box<Self>,
        core: &Core,
        seat: &Seat,
        future: Fut,
        cx: &mut Context<'_>,
        finish: Finish<'_>,
    ) -> Option<Parked> {
        match core.dress_item() {
            None => self.start_with(core, seat, future, Plain, None, cx, finish),
            Some(dressed) => {
                let detail = dressed.detail();
                self.start_with(core, seat, future, dressed, detail, cx, finish)
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a step of `start`")]
    fn start_with<X: Extras + 'static>(
        self: Box<Self>,
        core: &Core,
        seat: &Seat,
        future: Fut,
        extras: X,
        detail: Option<Arc<Detail>>,
        cx: &mut Context<'_>,
        finish: Finish<'_>,
    ) -> Option<Parked> {
        let tracker = self.tracker.clone();
        let place = tracker.reserve();
        let extras = Item {
            fed: Some((tracker.clone(), place)),
            extras,
        };
        let mut shared = Arc::new(Shared::told(tracker.goes()));
        let mut body = Box::new(Body::new(future, extras));
        let mut state = core.lock();
        let id = state.number_item(seat.slot());
        if let Some(detail) = detail {
            state.details.insert(seat.slot(), detail);
        }
        body.place(&mut shared, id, seat.slot());
        if tracker.fill(place, seat.slot(), id) && !seat.is_aborted() {
            let home = state.gate.home(seat.slot());
            self.park(core, state, home);
            let item = Box::into_pin(body);
            announce(&*item);
            return item.poll(cx, finish);
        }
        // It was aborted while it was pulled.
        drop(state);
        discard(self);
        tracker.goes().wake();
        let failure = Failure::Cancelled(seat.reason());
        Box::into_pin(body).give_up(failure, finish);
        None
    }

    /// Stands in the queue, behind all that are there.
    pub(super) fn park(
        self: Box<Self>,
        core: &Core,
        mut state: MutexGuard<'_, State>,
        home: LevelId,
    ) {
        let (id, tracker) = (self.id, self.tracker.clone());
        let slot = state
            .gate
            .enter(id, home, Standing::PLAIN, |_| Box::into_pin(self));
        tracker.park(slot, id);
        core.dispatch(state);
    }
}

/// Takes the time of the start.
fn announce(item: &dyn Task) {
    let mut wakes = Wakes::default();
    item.announce(&mut wakes);
    wakes.wake();
}

impl<I, F, Fut> Task for Source<I, F>
where
    I: Iterator + Send + 'static,
    F: FnMut(I::Item) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn announce(&self, _: &mut Wakes) -> Start {
        Start::Silent
    }

    fn poll(self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<Parked> {
        let mut source = Pin::into_inner(self);
        let goes_on = source.tracker.unpark();
        let Some((core, seat)) = Core::here() else {
            source.refuse();
            return None;
        };
        let pulled = match goes_on {
            true => caught(|| source.pull()),
            false => Ok(None),
        };
        match pulled {
            Ok(Some(future)) => return source.start(&core, &seat, future, cx, finish),
            Ok(None) => source.end(finish),
            Err(payload) => {
                discard(payload);
                source.end_broken(&core, &seat, finish);
            }
        }
        None
    }

    fn give_up(self: Pin<Box<Self>>, failure: Failure, finish: Finish<'_>) {
        let source = Pin::into_inner(self);
        source.tracker.unpark();
        if let Failure::Rejected(_) = failure {
            source.tracker.mark_rejected();
        }
        source.end(finish);
    }
}

impl Tracker {
    /// To be woken when the source, or an item, has gone from the pool.
    fn goes(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }
}

/// What an item has beside what any task has: it tells the feed what became of it.
#[derive(Default)]
struct Item<X> {
    fed: Option<(Arc<Tracker>, usize)>,
    extras: X,
}

impl<X: Extras> Extras for Item<X> {
    fn admitted(&self, wakes: &mut Wakes) -> Start {
        self.extras.admitted(wakes)
    }

    fn poll_expired(&mut self, id: TaskId, cx: &mut Context<'_>) -> Poll<()> {
        self.extras.poll_expired(id, cx)
    }

    fn ended(self, id: TaskId, end: End) {
        self.extras.ended(id, end);
        if let Some((tracker, place)) = self.fed {
            tracker.count(place, end);
        }
    }
}

impl State {
    /// Makes a task of what runs in a slot.
    fn number_item(&mut self, slot: Slot) -> TaskId {
        let id = self.number(self.gate.home(slot));
        self.gate.renumber(slot, id);
        id
    }
}

impl Core {
    /// The pool and the seat of what is being polled on this thread.
    fn here() -> Option<(Arc<Self>, Arc<Seat>)> {
        let seat = running()?;
        let core = seat.dispatcher().clone().into_any().downcast().ok()?;
        Some((core, seat))
    }

    /// Whether a new feed may neither start nor wait. Then it is counted.
    pub(super) fn rejects_source(&self, state: &mut State, home: LevelId) -> bool {
        let rejection = self.rejection(state, home, Standing::PLAIN, Patience::Park);
        if rejection.is_some() {
            state.number(home);
            state.count(home, End::Rejected);
        }
        rejection.is_some()
    }

    /// What a mere future needs beyond itself, in a pool that is watched or timed.
    fn dress_item(&self) -> Option<Dressed> {
        if !self.settings.timed {
            return None;
        }
        let dress = self
            .home_here()?
            .dress(Wishes::default(), Start::Silent, None);
        Some(Dressed(Some(Box::new(dress))))
    }
}
