use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use super::clock::WaitLimit;
use super::detail::{self, Detail};
use super::rate::Token;
use crate::gate::Standing;
use crate::lock::Lock;
use crate::observe::{Ended, Observer};
use crate::task::{End, Extras, Keeper, Origin, Sleep, Start, TaskId, TaskInfo, TaskState};
use crate::unwind::{discard, shielded};
use crate::wakes::Wakes;

/// What a caller has asked for a task, beyond its future.
pub(super) struct Wishes {
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) standing: Standing,
    pub(super) run_limit: Option<Duration>,
    pub(super) wait_limit: Option<Duration>,
    pub(super) grace: Option<Duration>,
    pub(super) on_cancel: Option<Callback>,
    pub(super) on_end: Option<Callback>,
    pub(super) identity: Option<Identity>,
}

/// Which task it is, for what is inside of it. Known once it runs.
pub(super) type Identity = Arc<OnceLock<(TaskId, Arc<Origin>)>>;

pub(super) type Callback = Box<dyn FnOnce(TaskId) + Send>;

impl Default for Wishes {
    fn default() -> Self {
        Self {
            name: None,
            standing: Standing::PLAIN,
            run_limit: None,
            wait_limit: None,
            grace: None,
            on_cancel: None,
            on_end: None,
            identity: None,
        }
    }
}

/// The extras of a task that has any. `None` is what its body keeps at its end.
#[derive(Default)]
pub(super) struct Dressed(pub(super) Option<Box<Dress>>);

pub(super) struct Dress {
    pub(super) start: Start,
    pub(super) limit: Option<Limit>,
    /// From when it is asked to stop.
    pub(super) grace: Option<Limit>,
    pub(super) wait: Option<Arc<WaitLimit>>,
    /// In a pool with a rate.
    pub(super) token: Option<Token>,
    pub(super) detail: Arc<Detail>,
    pub(super) origin: Arc<Origin>,
    pub(super) identity: Option<Identity>,
    pub(super) on_cancel: Option<Callback>,
    pub(super) on_end: Option<Callback>,
    pub(super) watch: Option<Watch>,
    pub(super) begun: bool,
}

/// How long a task may run.
pub(super) enum Limit {
    /// Until it starts.
    Unset(Duration, Arc<dyn Keeper>),
    Running(Sleep),
}

/// The pool's observer, and what it calls the tasks.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) observer: Arc<dyn Observer>,
    pub(super) origin: Arc<Origin>,
    pub(super) group: Option<Arc<str>>,
    /// What has happened to the task while it was being submitted: told by the submitter, after the wait.
    /// `None` once the submission is over.
    later: Arc<Lock<Option<Vec<Event>>>>,
}

/// What an observer is told after a wait.
enum Event {
    Start(TaskInfo),
    End(TaskInfo, Ended),
}

impl Dressed {
    pub(super) fn detail(&self) -> Option<Arc<Detail>> {
        self.0.as_ref().map(|dress| dress.detail.clone())
    }
}

impl Dressed {
    /// Lets it have a start that was given to another.
    pub(super) fn set_token(&mut self, token: Option<Token>) {
        if let Some(dress) = &mut self.0 {
            dress.token = token;
        }
    }
}

impl Extras for Dressed {
    fn admitted(&self, wakes: &mut Wakes) -> Start {
        let Some(dress) = &self.0 else {
            return Start::Silent;
        };
        dress.detail.start();
        if let Some(wait) = &dress.wait {
            wait.end(wakes);
        }
        if let Some(token) = &dress.token {
            token.give();
        }
        dress.start
    }

    fn begin(&mut self, id: TaskId) {
        let Some(dress) = &mut self.0 else { return };
        if let Some(token) = &mut dress.token {
            token.begin();
        }
        if !std::mem::replace(&mut dress.begun, true) {
            dress.begin(id);
        }
    }

    fn polled(&mut self) {
        let token = self.0.as_mut().and_then(|dress| dress.token.as_mut());
        if let Some(token) = token {
            token.end();
        }
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.0.as_mut().and_then(|dress| dress.limit.as_mut());
        limit.map_or(Poll::Pending, |limit| limit.poll(cx))
    }

    fn has_grace(&mut self) -> bool {
        let grace = self.0.as_mut().and_then(|dress| dress.grace.as_mut());
        grace.map(Limit::begin).is_some()
    }

    fn poll_grace(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Dress { grace, .. }) = self.0.as_deref_mut() else {
            return Poll::Ready(());
        };
        let Some(limit) = grace else {
            return Poll::Ready(());
        };
        let over = limit.poll(cx);
        if over.is_ready() {
            *grace = None;
        }
        over
    }

    fn ended(self, id: TaskId, end: End) {
        if let Some(dress) = self.0 {
            dress.end(id, end);
        }
    }
}

impl Dress {
    pub(super) fn begin(&mut self, id: TaskId) {
        if let Some(identity) = &self.identity {
            identity.get_or_init(|| (id, self.origin.clone()));
        }
        if let Some(watch) = &self.watch {
            let task = watch.info(id, TaskState::Active, &self.detail);
            watch.tell(Event::Start(task));
        }
        if let Some(limit) = &mut self.limit {
            limit.begin();
        }
    }

    pub(super) fn end(self, id: TaskId, end: End) {
        let mut wakes = Wakes::default();
        if let Some(wait) = &self.wait {
            wait.end(&mut wakes);
        }
        wakes.wake();
        drop(self.token);
        match (self.on_cancel, end) {
            (Some(on_cancel), End::Cancelled) => shielded(|| on_cancel(id)),
            (uncalled, _) => discard(uncalled),
        }
        if let Some(on_end) = self.on_end {
            shielded(|| on_end(id));
        }
        if let Some(watch) = &self.watch {
            let task = watch.info(id, TaskState::Finished, &self.detail);
            watch.tell(Event::End(task, Ended::from(end)));
        }
    }
}

impl Limit {
    /// Starts the timer, at the first call.
    pub(super) fn begin(&mut self) {
        if let Self::Unset(limit, keeper) = self {
            *self = Self::Running(keeper.sleep(*limit));
        }
    }

    /// Ready when the time is over. It begins with the first poll.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.begin();
        match self {
            Self::Running(sleep) => sleep.as_mut().poll(cx),
            Self::Unset(..) => Poll::Pending,
        }
    }
}

impl Watch {
    pub(super) fn new(
        observer: Arc<dyn Observer>,
        origin: Arc<Origin>,
        group: Option<Arc<str>>,
    ) -> Self {
        let later = Arc::new(Lock::new(Some(Vec::new())));
        Self {
            observer,
            origin,
            group,
            later,
        }
    }

    /// Ends the submission of a task: if it has no permit yet, tells that it waits, and then what has happened since.
    pub(super) fn submitted(&self, id: TaskId, detail: &Detail) {
        if !detail.has_started() {
            let task = self.info(id, TaskState::Waiting, detail);
            shielded(|| self.observer.on_wait(&task));
        }
        self.release();
    }

    /// Tells what has happened until now, and from now on at once.
    pub(super) fn release(&self) {
        while let Some(events) = self.take_later() {
            events.into_iter().for_each(|event| self.tell_now(event));
        }
    }

    fn take_later(&self) -> Option<Vec<Event>> {
        let mut later = self.later.lock();
        let events = later.as_mut().filter(|events| !events.is_empty());
        let taken = events.map(std::mem::take);
        if taken.is_none() {
            *later = None;
        }
        taken
    }

    fn tell(&self, event: Event) {
        let mut event = Some(event);
        if let Some(later) = &mut *self.later.lock() {
            later.extend(event.take());
        }
        if let Some(event) = event {
            self.tell_now(event);
        }
    }

    fn tell_now(&self, event: Event) {
        shielded(|| match event {
            Event::Start(task) => self.observer.on_start(&task),
            Event::End(task, ended) => self.observer.on_end(&task, ended),
        });
    }

    fn info(&self, id: TaskId, state: TaskState, detail: &Detail) -> TaskInfo {
        let name = self.origin.task_name(id).into_owned();
        detail::info(name, self.group.as_deref(), id, state, Some(detail))
    }
}
