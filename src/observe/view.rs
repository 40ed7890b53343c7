use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::subject::{Origin, Subject};
use super::times::TaskTimes;
use crate::task::{Tag, TaskId, TaskInfo, TaskState};

/// A task that is being submitted, and has no number yet. Passed to [`Observer::capture`](crate::Observer::capture).
///
/// Nothing in it is made before it is asked for.
#[derive(Clone, Copy)]
pub struct Submission<'a> {
    subject: &'a Subject,
    origin: Origin,
}

impl<'a> Submission<'a> {
    pub(crate) fn new(subject: &'a Subject, origin: Origin) -> Self {
        Self { subject, origin }
    }

    /// Returns the name of the pool. The tasks of a group have that of the pool around it.
    pub fn pool(&self) -> &'a str {
        &self.subject.pool
    }

    /// Returns the name of the group to which the task is submitted, if it is one.
    pub fn group(&self) -> Option<&'a str> {
        self.subject.group.as_deref()
    }

    /// Returns the name that the task was given by [`name`](crate::TaskBuilder::name), if it was given one.
    pub fn own_name(&self) -> Option<&'a str> {
        self.subject.label.own_name()
    }

    /// Returns the priority of the task in the queue.
    pub fn priority(&self) -> i32 {
        self.subject.priority
    }

    /// Returns the number of permits that the task takes.
    pub fn weight(&self) -> usize {
        self.subject.weight
    }

    /// Returns the value that the user has attached to the task by [`tag`](crate::TaskBuilder::tag).
    pub fn tag(&self) -> Option<&'a Tag> {
        self.subject.label.tag()
    }

    /// Returns `true` if the caller waits for the task: it was submitted by `spawn`, `exec`, `map`, `itermap` or one of
    /// their kind. `spawn_n`, `try_spawn`, `map_n`, `apply`, `feed` and [`SimpleTaskPool`](crate::SimpleTaskPool) let go
    /// of their tasks.
    pub fn is_awaited(&self) -> bool {
        self.origin.is_awaited
    }

    /// Returns the place of the call that submits the task, or that of the call of
    /// [`task`](crate::AioPool::task) for a task with options. For the tasks of `map`, `itermap` and their kind it is a
    /// place in this crate.
    pub fn location(&self) -> &'static Location<'static> {
        self.origin.location
    }
}

impl fmt::Debug for Submission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("pool", &self.pool())
            .field("group", &self.group())
            .field("name", &self.own_name())
            .finish_non_exhaustive()
    }
}

/// A task that has been submitted. Passed to the methods of a [`TaskScope`](crate::TaskScope).
///
/// Nothing in it is made before it is asked for: a method that asks for no name and no time costs neither.
#[derive(Clone, Copy)]
pub struct TaskView<'a> {
    submission: Submission<'a>,
    id: TaskId,
    times: TaskTimes,
}

impl<'a> TaskView<'a> {
    pub(crate) fn new(submission: Submission<'a>, id: TaskId, times: TaskTimes) -> Self {
        Self {
            submission,
            id,
            times,
        }
    }

    /// Returns the number of the task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Returns the name of the task: its own, or `"{pool}-{id}"`.
    pub fn name(&self) -> Cow<'a, str> {
        self.submission.subject.label.task_name(self.id)
    }

    /// Returns what was known of the task at its submission.
    pub fn submission(&self) -> Submission<'a> {
        self.submission
    }

    /// Returns how long the task has waited so far, or had waited when it was first polled or ended. It goes by the clock
    /// of the runtime ([`Spawner::now`](crate::Spawner::now)).
    pub fn waited(&self) -> Duration {
        self.times.waited(|| self.submission.subject.now())
    }

    /// Returns how long the task has run so far, or had run when it ended: from its first poll. `None` if it has not been
    /// polled.
    pub fn ran(&self) -> Option<Duration> {
        self.times.running(|| self.submission.subject.now())
    }

    pub(crate) fn info(&self, state: TaskState) -> TaskInfo {
        let submission = &self.submission;
        TaskInfo {
            id: self.id,
            name: self.name().into_owned(),
            group: submission.group().map(str::to_owned),
            state,
            priority: submission.priority(),
            weight: submission.weight(),
            waited: Some(self.waited()),
            running: self.ran(),
            tag: submission.tag().cloned(),
        }
    }
}

impl fmt::Debug for TaskView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskView")
            .field("id", &self.id)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
