use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use super::item::{Counted, Item};
use super::tracker::{Position, Tracker};
use super::unpulled::{Unpulled, at_least};
use crate::gate::{Demand, NodeId};
use crate::input::Input;
use crate::observe::Origin;
use crate::pool::core::order::Patience;
use crate::pool::core::parts::record::{TaskRecord, Times};
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::state::{Exit, State};
use crate::pool::core::watch::{FeedScope, Watch};
use crate::pool::submit::equipment::Equipment;
use crate::pool::submit::options::TaskOptions;
use crate::pool::{AioPool, Core};
use crate::sync::MutexGuard;
use crate::task::{
    BoxTask, Complete, End, EntryId, Extras, Failure, Finish, NoExtras, Packed, Slot, Start, Task,
    TaskId,
};
use crate::unwind::{Payload, caught, discard};
use crate::wakes::{Wakes, wake};
use crate::worker::{PermitState, WorkerShared, running};

/// The input and the closure of a feed, while it is in the queue or with a worker.
///
/// With a worker, the source holds a permit and a slot. The item that it pulls takes both over. Before that item is
/// polled, the source is back in the queue, in another slot.
///
/// If the input is a stream that is pending, the source stays with its worker, which the stream wakes, and lends its
/// permit. Once the stream has an item, the source goes to the back of the queue with it.
pub(super) struct Source<I, F, Fut> {
    items: I,
    f: F,
    id: EntryId,
    tracker: Arc<Tracker>,
    /// The pool whose queue the source is in. Weak, because the pool owns the source while it waits: a strong reference
    /// would be a cycle.
    core: Weak<Core>,
    home: NodeId,
    /// How the feed was submitted, and what the observers have captured then.
    origin: Origin,
    scope: Option<FeedScope>,
    /// The runtime that the items start on, if it is not the main one.
    runtime: Option<Runtime>,
    /// Set when the runtime has dropped the worker of the source, and no item was pulled since.
    dropped: bool,
    /// Set while the source stays with its worker because the stream is pending.
    is_pending: bool,
    /// An item that was pulled ahead, or the panic of that pull: from an input whose size hint said that it was at its
    /// end, or from a stream that was pending.
    ahead: Option<Result<Fut, Payload>>,
    unpulled: Unpulled,
    /// The value of [`State::stops`] when the source entered the queue. A higher value means that all waiting tasks of
    /// its node have been stopped since.
    stops: u64,
}

impl<I, F, Fut> Unpin for Source<I, F, Fut> {}

impl<I, F, Fut> Source<I, F, Fut>
where
    I: Input + Send + 'static,
    F: FnMut(I::Item) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    #[track_caller]
    pub(super) fn new(items: I, f: F, tracker: Arc<Tracker>, pool: &AioPool) -> Self {
        static FEEDS: AtomicU64 = AtomicU64::new(1);
        let id = EntryId::source(FEEDS.fetch_add(1, Relaxed));
        let origin = Origin {
            location: Location::caller(),
            is_awaited: false,
        };
        let unpulled = Unpulled::new(at_least(items.items_left()));
        Self {
            items,
            f,
            id,
            tracker,
            core: Arc::downgrade(&pool.core().me()),
            home: pool.node(),
            origin,
            scope: pool.capture_for_feed(origin),
            runtime: None,
            dropped: false,
            is_pending: false,
            ahead: None,
            unpulled,
            stops: 0,
        }
    }

    /// Ends a feed that the pool does not take. It counts as one rejected task.
    pub(super) fn refuse(self: Box<Self>, core: &Core, id: TaskId) {
        let (tracker, home, origin) = (self.tracker.clone(), self.home, self.item_origin());
        discard(self);
        tracker.mark_rejected();
        core.tell_of_source(home, id, End::Rejected, origin);
        let complete: Complete<'_> = &mut || tracker.end_source();
        core.complete_unstarted(Exit::Refused(home), Some(End::Rejected), complete);
    }

    fn poll_pull(&mut self, cx: &mut Context<'_>) -> Poll<Option<Pulled<Fut>>> {
        self.dropped = false;
        let Some(future) = ready!(self.poll_one(cx)) else {
            return Poll::Ready(None);
        };
        let left = self.items.items_left();
        let is_last = left.1 == Some(0) && !self.is_pending && self.has_ended(cx);
        let is_ahead = self.is_pending || self.ahead.is_some();
        self.unpulled.left = at_least(left) + u64::from(is_ahead);
        Poll::Ready(Some(Pulled { future, is_last }))
    }

    fn poll_one(&mut self, cx: &mut Context<'_>) -> Poll<Option<Fut>> {
        match self.ahead.take() {
            Some(pulled) => {
                let future = pulled.unwrap_or_else(|payload| resume_unwind(payload));
                Poll::Ready(Some(future))
            }
            None => self.items.poll_item(cx).map(|item| item.map(&mut self.f)),
        }
    }

    /// Pulls one item ahead from an input whose size hint says that it is at its end, so that a wrong hint loses no
    /// items. Returns `true` if the input has ended.
    fn has_ended(&mut self, cx: &mut Context<'_>) -> bool {
        self.ahead = match caught(|| self.poll_one(cx)) {
            Ok(Poll::Ready(None)) => return true,
            Ok(Poll::Ready(Some(future))) => Some(Ok(future)),
            Ok(Poll::Pending) => None,
            Err(payload) => Some(Err(payload)),
        };
        false
    }

    /// Keeps the source with its worker until the stream has an item.
    fn stay(mut self: Box<Self>, poll: &mut SourcePoll<'_, '_>) -> Option<BoxTask> {
        // A stream that uses `lend` itself may have brought the permit back.
        let has_permit = poll.worker.permit() == PermitState::Held;
        if has_permit && !self.lend_permit(poll) {
            self.end(poll.finish);
            return None;
        }
        Some(Box::into_pin(self))
    }

    /// Lends the permit of the source to other tasks, until the source leaves its worker. Returns `false` if all waiting
    /// tasks have been stopped since the source was in the queue.
    fn lend_permit(&mut self, poll: &SourcePoll<'_, '_>) -> bool {
        // The start of the rate is free again, and the source needs none when it leaves this worker.
        let has_unused_start = poll.worker.is_unstarted();
        poll.worker.set_started();
        // Before the permit is lent: from then on the worker may be woken, and polls the source without a permit.
        if !std::mem::replace(&mut self.is_pending, true) {
            poll.worker.nested_waits().begin_lend();
        }
        // Under one lock: a caller that stops the waiting tasks from now on finds the source among them.
        let mut state = poll.core.lock();
        if has_unused_start {
            state.give_back_start_of(poll.worker.slot());
        }
        if state.stops(self.home) != self.stops {
            return false;
        }
        state.lend(poll.worker);
        poll.core.dispatch(state);
        true
    }

    /// Puts the source, whose stream was pending, at the back of the queue with the item that it has now.
    fn park_with(mut self: Box<Self>, pulled: Pulled<Fut>, poll: &mut SourcePoll<'_, '_>) {
        self.ahead = Some(Ok(pulled.future));
        self.park_again(poll.core, poll.finish);
    }

    /// Ends the feed at its worker, without an item.
    fn end(self: Box<Self>, finish: Finish<'_>) {
        let tracker = self.tracker.clone();
        discard(self);
        finish(None, &mut || tracker.end_source());
    }

    /// Ends a feed whose input or closure has panicked. It counts as a task that panicked.
    fn end_broken(self: Box<Self>, poll: &mut SourcePoll<'_, '_>) {
        let (tracker, home, origin) = (self.tracker.clone(), self.home, self.item_origin());
        // A source that was pending has given its start of the rate back.
        let has_start = !self.is_pending;
        discard(self);
        tracker.mark_broken();
        let raw = poll.core.time_of_start().filter(|_| has_start);
        let mut state = poll.core.lock();
        let id = state.number_item(poll.worker.slot());
        poll.begin_and_dispatch(state, raw);
        poll.core.tell_of_source(home, id, End::Panicked, origin);
        (poll.finish)(Some(End::Panicked), &mut || tracker.end_source());
    }

    /// Runs a pulled item in place of the source.
    fn start(self: Box<Self>, poll: SourcePoll<'_, '_>, pulled: Pulled<Fut>) -> Option<BoxTask> {
        match poll.core.equip_item(self.item_origin()) {
            None => self.start_with(poll, pulled, NoExtras, None),
            Some(Equipment { extras, order }) => {
                self.start_with(poll, pulled, extras, order.record)
            }
        }
    }

    /// Gives the slot and the permit to an item, and puts the source back into the queue.
    fn start_with<X: Extras + 'static>(
        self: Box<Self>,
        poll: SourcePoll<'_, '_>,
        pulled: Pulled<Fut>,
        extras: X,
        record: Option<TaskRecord>,
    ) -> Option<BoxTask> {
        let (tracker, home, slot) = (self.tracker.clone(), self.home, poll.worker.slot());
        let mut item = Item::boxed(pulled.future, extras);
        let record = record.map(|mut record| {
            record.times.iter_mut().for_each(Times::start_at_once);
            record.runtime.clone_from(&self.runtime);
            record
        });
        let raw = poll.core.time_of_start();
        let mut state = poll.core.lock();
        let id = state.number_item(slot);
        if let Some(record) = record {
            state.records.keep(slot, record);
        }
        let is_stopped = state.stops(home) != self.stops;
        let (last, waits) = if pulled.is_last {
            (Some(self), None)
        } else {
            (None, Some(self.enter(&mut state)))
        };
        let (place, goes_on) = tracker.start((slot, id.into()), waits);
        item.bind(Counted {
            tracker: tracker.clone(),
            id,
            place,
        });
        // An abort may have reached the worker while the item was pulled without the lock.
        let goes_on = goes_on && !poll.worker.is_aborted();
        let withdrawn = match waits {
            Some((source, _)) if !goes_on || is_stopped => state.withdraw_source(source),
            _ => None,
        };
        // If the item ends at once, its worker should stay idle for a moment: the feed will bring the next task.
        poll.core.expecting.store(true, Relaxed);
        poll.begin_and_dispatch(state, raw);
        // Unlocked: dropping a source runs user code, and locks the pool to take its items out of the count.
        if last.is_some() || withdrawn.is_some() {
            discard((last, withdrawn));
            wake(tracker.end_source());
        }
        poll.run(Box::into_pin(item), goes_on)
    }

    /// Puts the source into the queue for the first time.
    pub(super) fn park(
        mut self: Box<Self>,
        core: &Core,
        mut state: MutexGuard<'_, State>,
        runtime: Option<Runtime>,
    ) {
        self.runtime = runtime;
        let tracker = self.tracker.clone();
        let at = self.enter(&mut state);
        tracker.park(at);
        core.dispatch(state);
    }

    /// Takes the source away from a worker that the runtime has dropped. If that happens again before the source is
    /// pulled, the runtime is gone.
    fn lose_worker(mut self: Box<Self>, core: &Core, finish: Finish<'_>) {
        if std::mem::replace(&mut self.dropped, true) {
            self.end_rejected(core, finish);
        } else {
            self.park_again(core, finish);
        }
    }

    /// Returns `true` if the source was pending at its worker, and was not asked to stop.
    fn is_wanted(&self, core: &Core) -> bool {
        let is_stopped = || core.lock().stops(self.home) != self.stops;
        self.is_pending && !self.tracker.is_aborted() && !is_stopped()
    }

    /// Puts the source back into the queue, and leaves its worker.
    fn park_again(mut self: Box<Self>, core: &Core, finish: Finish<'_>) {
        self.is_pending = false;
        let (tracker, home) = (self.tracker.clone(), self.home);
        let mut state = core.lock();
        let goes_on = state.stops(home) == self.stops;
        let at = self.enter(&mut state);
        let withdrawn = if tracker.park_again(at, goes_on) {
            None
        } else {
            state.withdraw_source(at.0)
        };
        // `finish` locks the pool again, and starts the tasks that can start now.
        drop(state);
        discard(withdrawn);
        finish(None, &mut || tracker.end_source());
    }

    /// Ends a feed whose runtime is gone. It counts as one rejected task.
    fn end_rejected(self: Box<Self>, core: &Core, finish: Finish<'_>) {
        let (tracker, home, origin) = (self.tracker.clone(), self.home, self.item_origin());
        let id = core.lock().number(home);
        discard(self);
        tracker.mark_rejected();
        core.tell_of_source(home, id, End::Rejected, origin);
        finish(Some(End::Rejected), &mut || tracker.end_source());
    }

    fn item_origin(&self) -> ItemOrigin {
        (self.origin, self.scope.clone())
    }

    /// Puts the source at the back of the queue.
    fn enter(mut self: Box<Self>, state: &mut State) -> Position {
        self.unpulled.count(state, self.home);
        self.stops = state.stops(self.home);
        let (id, home, runtime) = (self.id, self.home, self.runtime.clone());
        let parked = |_| Box::into_pin(self) as BoxTask;
        let slot = state.gate.enter(id, home, Demand::DEFAULT, parked);
        if let Some(record) = TaskRecord::of_runtime(runtime) {
            state.records.keep(slot, record);
        }
        (slot, id)
    }
}

impl<I, F, Fut> Drop for Source<I, F, Fut> {
    fn drop(&mut self) {
        if let (true, Some(core)) = (self.unpulled.is_counted(), self.core.upgrade()) {
            self.unpulled.uncount(&mut core.lock(), self.home);
        }
    }
}

/// How a feed was submitted, and what the observers have captured then.
type ItemOrigin = (Origin, Option<FeedScope>);

/// An item that a source has pulled.
struct Pulled<Fut> {
    future: Fut,
    /// Set if the input has no more items.
    is_last: bool,
}

/// One poll of a source that has a permit.
struct SourcePoll<'t, 'w> {
    core: &'t Core,
    worker: &'t WorkerShared,
    cx: &'t mut Context<'w>,
    finish: Finish<'t>,
}

impl SourcePoll<'_, '_> {
    /// Counts the item that has taken over the slot as started, then starts the tasks that can be started, and unlocks.
    /// `raw` is the time of the start, if it counts in a rate.
    fn begin_and_dispatch(&self, mut state: MutexGuard<'_, State>, raw: Option<Instant>) {
        state.begin(self.worker, None);
        let counted = self.core.count_first_poll(&mut state, self.worker, raw);
        self.core.dispatch(state);
        self.core.tell_timer(counted.is_starved);
    }

    fn run(self, mut item: BoxTask, goes_on: bool) -> Option<BoxTask> {
        if !goes_on {
            // The item counts as started, so an observer has to hear of its start.
            item.announce(&mut Wakes::default());
            item.as_mut().begin();
            let failure = Failure::Cancelled(self.worker.reason());
            item.give_up(failure.pack(), self.finish);
            return None;
        }
        let mut wakes = Wakes::default();
        item.announce(&mut wakes);
        wakes.wake();
        item.poll(self.cx, self.finish)
    }
}

impl<I, F, Fut> Task for Source<I, F, Fut>
where
    I: Input + Send + 'static,
    F: FnMut(I::Item) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn announce(&self, _: &mut Wakes) -> Start {
        Start::Silent
    }

    fn poll(self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask> {
        let mut source = Pin::into_inner(self);
        let worker = running();
        let Some((core, worker)) = worker
            .as_ref()
            .and_then(|worker| Some((Core::of(worker)?, worker)))
        else {
            source.end(finish);
            return None;
        };
        let mut poll = SourcePoll {
            core,
            worker,
            cx,
            finish,
        };
        match caught(|| source.poll_pull(poll.cx)) {
            Ok(Poll::Pending) => return source.stay(&mut poll),
            Ok(Poll::Ready(Some(pulled))) if source.is_pending => {
                source.park_with(pulled, &mut poll);
            }
            Ok(Poll::Ready(Some(pulled))) => return source.start(poll, pulled),
            Ok(Poll::Ready(None)) => source.end(poll.finish),
            Err(payload) => {
                discard(payload);
                source.end_broken(&mut poll);
            }
        }
        None
    }

    fn give_up(self: Pin<Box<Self>>, failure: Packed, finish: Finish<'_>) {
        let source = Pin::into_inner(self);
        match source.core.upgrade() {
            Some(core) if failure.end() == End::Rejected || source.is_wanted(&core) => {
                source.lose_worker(&core, finish);
            }
            _ => source.end(finish),
        }
    }
}

impl State {
    /// Withdraws a source that has just entered the queue. The caller drops it after unlocking.
    fn withdraw_source(&mut self, slot: Slot) -> Option<BoxTask> {
        let source = self.gate.withdraw(slot);
        self.gate.forget(slot);
        // Dropping the record runs no user code: the source still holds the runtime that the record names.
        self.records.forget(slot, &mut Wakes::default());
        source
    }

    /// Gives a new task number to the item that takes over the slot of its source.
    fn number_item(&mut self, slot: Slot) -> TaskId {
        let home = self.gate.home(slot);
        let id = self.number(home);
        self.gate.renumber(slot, id);
        id
    }
}

impl Core {
    /// Counts and numbers a new feed that may neither start nor wait. Returns `None` if the pool takes the feed.
    pub(super) fn refuse_source(&self, state: &mut State, home: NodeId) -> Option<TaskId> {
        self.refusal(state, home, Demand::DEFAULT, Patience::Park)
            .map(|_| state.refuse(home))
    }

    /// Tells the observer of a feed whose end counts as the end of a task.
    fn tell_of_source(&self, home: NodeId, id: TaskId, end: End, origin: ItemOrigin) {
        if self.settings.watcher.is_none() {
            return;
        }
        let pool = self.handle(&mut self.lock(), home);
        let mut extras = pool.equip_bare(origin).extras;
        if end != End::Rejected {
            extras.admitted(&mut Wakes::default());
            extras.begin(id);
        }
        extras.ended(id, end);
    }

    /// Returns what an item needs beyond its future, in a pool that is timed or has an observer; otherwise `None`.
    fn equip_item(&self, origin: ItemOrigin) -> Option<Equipment> {
        if !self.settings.is_timed() && self.settings.heard_by().is_none() {
            return None;
        }
        Some(self.home_here()?.equip_bare(origin))
    }
}

impl AioPool {
    /// Returns what an item needs, as a task without options that is not submitted by itself.
    fn equip_bare(&self, (origin, scope): ItemOrigin) -> Equipment {
        self.equip(TaskOptions::default(), |observed| {
            Watch::of_item(observed, origin, scope.as_ref())
        })
    }

    fn capture_for_feed(&self, origin: Origin) -> Option<FeedScope> {
        let watcher = self.core().settings.heard_by()?;
        FeedScope::capture(&self.bare_observed(watcher), origin)
    }
}
