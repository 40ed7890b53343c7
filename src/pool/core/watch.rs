use std::cell::Cell;
use std::sync::Arc;

use crate::gate::Demand;
use crate::lock::Lock;
use crate::observe::{Ended, Watcher};
use crate::pool::core::record::{self, Moment, Times};
use crate::task::{TaskId, TaskInfo, TaskLabel, TaskState};

/// Tells the pool's observer about one task, in the order in which things happen.
#[derive(Clone)]
pub(crate) struct Watch {
    subject: Arc<Subject>,
    times: Cell<Times>,
    /// `None` if the observer does not hear of waits: then no event has to be held back until a wait has been told.
    submission: Option<Arc<Lock<Submission>>>,
}

/// What the observer is told about: a task, or all tasks of a pool or group that differ only by their numbers.
pub(crate) struct Subject {
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) label: Arc<TaskLabel>,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) demand: Demand,
}

/// The submission of a task. The submitting thread first tells the observer that the task waits, and only then what has
/// happened to the task meanwhile, which is collected here.
#[derive(Default)]
struct Submission {
    /// `true` if the task has got its permit.
    admitted: bool,
    events: Vec<Event>,
    is_over: bool,
}

/// An event that the observer is told after the wait.
enum Event {
    Start(TaskInfo),
    End(TaskInfo, Ended),
}

impl Watch {
    pub(crate) fn new(subject: Arc<Subject>, times: Times) -> Self {
        let submission = subject.watcher.hears_waits().then(Arc::default);
        Self {
            subject,
            times: Cell::new(times),
            submission,
        }
    }

    /// Notes that the task has got its permit. May be called with the pool locked.
    pub(crate) fn admit(&self) {
        if let Some(submission) = &self.submission {
            submission.lock().admitted = true;
        }
    }

    /// Ends the submission of a task. If the task has no permit yet, tells the observer that it waits, and then what
    /// has happened since.
    pub(crate) fn submitted(&self, id: TaskId) {
        let Some(submission) = &self.submission else {
            return;
        };
        let is_admitted = submission.lock().admitted;
        if !is_admitted {
            let task = self.info(id, TaskState::Waiting, self.now());
            self.subject.watcher.on_wait(&task);
        }
        self.release();
    }

    /// Tells the collected events. From then on, events are told at once.
    pub(crate) fn release(&self) {
        while let Some(events) = self.take_events() {
            events.into_iter().for_each(|event| self.tell_now(event));
        }
    }

    /// Takes the collected events. If there are none, ends the submission.
    fn take_events(&self) -> Option<Vec<Event>> {
        let mut submission = self.submission.as_ref()?.lock();
        let events = std::mem::take(&mut submission.events);
        submission.is_over |= events.is_empty();
        (!events.is_empty()).then_some(events)
    }

    pub(crate) fn start(&self, id: TaskId) {
        let watcher = &self.subject.watcher;
        if !watcher.hears_starts() && !watcher.hears_ends() {
            return;
        }
        let (mut times, now) = (self.times.get(), self.now());
        times.start(now);
        self.times.set(times);
        if watcher.hears_starts() {
            self.tell(Event::Start(self.info(id, TaskState::Active, now)));
        }
    }

    pub(crate) fn end(&self, id: TaskId, ended: Ended) {
        if self.subject.watcher.hears_ends() {
            let task = self.info(id, TaskState::Finished, self.now());
            self.tell(Event::End(task, ended));
        }
    }

    /// Returns the present moment by the runtime's clock, which may be user code: the pool is not locked.
    fn now(&self) -> Option<Moment> {
        let pool = &self.subject.label.pool_ref;
        Some(Moment::of(pool.clock_time()))
    }

    fn tell(&self, event: Event) {
        if let Some(submission) = &self.submission {
            let mut submission = submission.lock();
            if !submission.is_over {
                return submission.events.push(event);
            }
        }
        self.tell_now(event);
    }

    fn tell_now(&self, event: Event) {
        match event {
            Event::Start(task) => self.subject.watcher.on_start(&task),
            Event::End(task, ended) => self.subject.watcher.on_end(&task, ended),
        }
    }

    fn info(&self, id: TaskId, state: TaskState, now: Option<Moment>) -> TaskInfo {
        let Subject {
            label,
            group,
            demand,
            ..
        } = &*self.subject;
        let name = label.task_name(id).into_owned();
        let times = (self.times.get(), now);
        let info = record::info(id, name, group.as_deref(), state, *demand, times);
        TaskInfo {
            tag: label.tag.clone(),
            ..info
        }
    }
}
