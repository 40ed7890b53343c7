use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use crate::lock::Lock;
use crate::observe::{
    Ended, Observed, Origin, Submission, TaskScope, TaskTimes, TaskView, scope_of_item, through,
};
use crate::task::{TaskId, TaskInfo, TaskState};
use crate::unwind::{discard, shielded};
use crate::worker::{PermitState, running};

/// Tells the pool's observers about one task, in the order in which things happen.
#[derive(Clone)]
pub(crate) struct Watch {
    observed: Arc<Observed>,
    origin: Origin,
    times: Cell<TaskTimes>,
    scope: Option<Arc<dyn TaskScope>>,
    /// `true` if the scope has been told that the task lends its permit, and not yet that the permit is back.
    has_lent: Cell<bool>,
    /// `None` if no observer hears of waits: then no event has to be held back until a wait has been told.
    newcomer: Option<Arc<Lock<Newcomer>>>,
}

/// A task whose submission is not over. The submitting thread first tells the observers that the task waits, and only
/// then what has happened to the task meanwhile, which is collected here.
#[derive(Default)]
struct Newcomer {
    /// `true` if the task has got its permit.
    admitted: bool,
    events: Vec<Event>,
    is_over: bool,
}

/// An event that the observers are told after the wait.
enum Event {
    Start(TaskInfo),
    End(TaskInfo, Ended),
}

impl Watch {
    /// Makes the watch of a task that is submitted now. Calls the observers: call it with no lock held.
    #[inline]
    pub(crate) fn new(observed: Arc<Observed>, origin: Origin) -> Self {
        let scope = observed.capture(origin);
        let is_told_of_waits = observed.watcher.hears_waits() || scope.is_some();
        Self {
            times: Cell::new(observed.times_of_submission(scope.is_some())),
            observed,
            origin,
            scope,
            has_lent: Cell::new(false),
            newcomer: is_told_of_waits.then(Arc::default),
        }
    }

    /// Makes the watch of an item that a feed has pulled, in the scope that was captured for the feed. It is no
    /// newcomer: the feed has waited in its place.
    pub(crate) fn of_item(
        observed: Arc<Observed>,
        origin: Origin,
        feed: Option<&FeedScope>,
    ) -> Self {
        let submission = Submission::new(&observed.subject, origin);
        let scope = feed.map(|FeedScope(scope)| scope_of_item(scope, &submission));
        Self {
            times: Cell::new(observed.times_of_submission(scope.is_some())),
            observed,
            origin,
            scope,
            has_lent: Cell::new(false),
            newcomer: None,
        }
    }

    /// Notes that the task has got its permit. May be called with the pool locked.
    #[inline]
    pub(crate) fn admit(&self) {
        if let Some(newcomer) = &self.newcomer {
            newcomer.lock().admitted = true;
        }
    }

    /// Returns a clone for the submitting thread, if that has to end the submission.
    #[inline]
    pub(crate) fn of_submission(&self) -> Option<Self> {
        self.newcomer.is_some().then(|| self.clone())
    }

    /// Ends the submission of a task, which has this number if it was accepted. If the task has no permit yet, tells the
    /// observers that it waits, and then what has happened since.
    pub(crate) fn end_submission(&self, accepted: Option<TaskId>) {
        if let (Some(id), Some(newcomer)) = (accepted, &self.newcomer) {
            let is_admitted = newcomer.lock().admitted;
            if !is_admitted {
                self.wait(id);
            }
        }
        self.release();
    }

    fn wait(&self, id: TaskId) {
        let task = self.view(id);
        if let Some(scope) = &self.scope {
            shielded(|| scope.on_wait(&task));
        }
        if self.observed.watcher.hears_waits() {
            self.observed
                .watcher
                .on_wait(&task.info(TaskState::Waiting));
        }
    }

    /// Tells the collected events. From then on, events are told at once.
    fn release(&self) {
        while let Some(events) = self.take_events() {
            events.into_iter().for_each(|event| self.tell_now(event));
        }
    }

    /// Takes the collected events. If there are none, ends the submission.
    fn take_events(&self) -> Option<Vec<Event>> {
        let mut newcomer = self.newcomer.as_ref()?.lock();
        let events = std::mem::take(&mut newcomer.events);
        newcomer.is_over |= events.is_empty();
        (!events.is_empty()).then_some(events)
    }

    #[inline]
    pub(crate) fn start(&self, id: TaskId) {
        if self.scope.is_some() || self.observed.watcher.is_told_times() {
            self.tell_start(id);
        }
    }

    #[inline(never)]
    fn tell_start(&self, id: TaskId) {
        self.change_times(TaskTimes::start);
        if let Some(scope) = &self.scope {
            shielded(|| scope.on_start(&self.view(id)));
        }
        if self.observed.watcher.hears_starts() {
            self.tell(Event::Start(self.view(id).info(TaskState::Active)));
        }
    }

    /// Polls the task in its scope.
    #[inline]
    pub(crate) fn poll<R>(&self, id: TaskId, poll: impl FnOnce() -> R) -> R {
        match &self.scope {
            Some(scope) => {
                if self.has_lent.get() {
                    self.tell_return(id, &**scope);
                }
                through(|poll| scope.poll(&self.view(id), poll), poll)
            }
            None => poll(),
        }
    }

    /// Tells the scope that the task, which is suspended, is about to lend its permit.
    pub(crate) fn lend(&self, id: TaskId) {
        if let Some(scope) = &self.scope {
            self.has_lent.set(true);
            shielded(|| scope.on_lend(&self.view(id)));
        }
    }

    /// Tells the scope that the permit is back, unless the task is polled without it.
    #[cold]
    fn tell_return(&self, id: TaskId, scope: &dyn TaskScope) {
        if running().is_some_and(|worker| worker.permit() == PermitState::Held) {
            self.has_lent.set(false);
            shielded(|| scope.on_return(&self.view(id)));
        }
    }

    /// Drops the future of the task in its scope.
    #[inline]
    pub(crate) fn drop_future(&self, id: TaskId, drop: impl FnOnce()) {
        match &self.scope {
            Some(scope) => through(|drop| scope.drop_future(&self.view(id), drop), drop),
            None => drop(),
        }
    }

    #[inline]
    pub(crate) fn end(&self, id: TaskId, ended: Ended) {
        if self.scope.is_some() || self.observed.watcher.hears_ends() {
            self.tell_end(id, ended);
        }
    }

    #[inline(never)]
    fn tell_end(&self, id: TaskId, ended: Ended) {
        self.change_times(TaskTimes::end);
        if let Some(scope) = &self.scope {
            shielded(|| scope.on_end(&self.view(id), ended));
        }
        if self.observed.watcher.hears_ends() {
            self.tell(Event::End(self.view(id).info(TaskState::Finished), ended));
        }
    }

    fn tell(&self, event: Event) {
        if let Some(newcomer) = &self.newcomer {
            let mut newcomer = newcomer.lock();
            if !newcomer.is_over {
                return newcomer.events.push(event);
            }
        }
        self.tell_now(event);
    }

    fn tell_now(&self, event: Event) {
        match event {
            Event::Start(task) => self.observed.watcher.on_start(&task),
            Event::End(task, ended) => self.observed.watcher.on_end(&task, ended),
        }
    }

    fn view(&self, id: TaskId) -> TaskView<'_> {
        let submission = Submission::new(&self.observed.subject, self.origin);
        TaskView::new(submission, id, self.times.get())
    }

    fn change_times(&self, change: impl FnOnce(&mut TaskTimes, Instant)) {
        let (mut times, now) = (self.times.get(), self.observed.subject.now());
        change(&mut times, now);
        self.times.set(times);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(scope) = self.scope.take() {
            discard(scope);
        }
    }
}

/// What the observers have captured for a feed.
#[derive(Clone)]
pub(crate) struct FeedScope(Arc<dyn TaskScope>);

impl FeedScope {
    /// Captures for a feed that is submitted now. Calls the observers: call it with no lock held.
    pub(crate) fn capture(observed: &Observed, origin: Origin) -> Option<Self> {
        observed.capture(origin).map(Self)
    }
}
