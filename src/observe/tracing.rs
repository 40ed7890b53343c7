//! Spans of tasks, for `tracing`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use ::tracing::level_filters::LevelFilter;
use ::tracing::{Level, Span, event, span};

use super::{Ended, Observer, Submission, TaskScope, TaskView};
use crate::lock::Lock;

/// An observer that gives each task a span of `tracing`. Needs the feature `tracing`.
///
/// The span is entered at each poll of the task, and while its future is dropped. It begins when the task is submitted, and
/// is closed when the task has ended, as a [`TaskScope`] is dropped.
///
/// | span | level | target | fields |
/// |---|---|---|---|
/// | `runtime.spawn` | info | `aiopool` | `task.name`, `task.id`, `pool`, `group`, `priority`, `kind` (`"task"`), `loc.file`, `loc.line`, `loc.col`, `otel.name` (the name of the task) |
/// | `feed` | info | `aiopool` | `pool`, `group`, `loc.file`, `loc.line`, `loc.col` |
///
/// | event in it | level | fields |
/// |---|---|---|
/// | `task waits` | debug | |
/// | `task starts` | debug | `waited` in seconds |
/// | `task ends` | debug | `outcome` (as [`Ended::as_str`]), `waited` and `ran` in seconds; no `ran` if it was not polled |
///
/// # Parents
///
/// A task whose caller waits for it (see [`Submission::is_awaited`]) is a child of the span in which it was submitted. Any
/// other task is a root, and follows from that span: it may outlive it by far. [`parent`](Self::parent) changes this. The
/// tasks of a `feed` are roots, which follow from a span of the feed.
///
/// # Tools
///
/// **tokio-console** shows each task by its name, with its polls and its time busy and idle, since a span of this name is what
/// `console-subscriber` takes for a task. Waiting tasks are listed too, without polls. `console-subscriber` asks for a build
/// with `tokio_unstable`, in which tokio has spans of its own: so the workers of the pool are listed beside the tasks,
/// nameless, and the polls of the tasks are inside of theirs. The pool does not see the wakes of a task. It tells the console
/// of one at the beginning of each poll, by events at the level trace with the target `runtime::waker`: how long a woken task
/// waits for its poll is shown only for the workers. The drop of the future counts as one more poll.
///
/// **OpenTelemetry**: `tracing-opentelemetry` exports each span by the name of the task, with the events in it.
///
/// # Cost
///
/// Nothing but a look at the level where `tracing` is at a level below info. Else it is the cost of the subscriber, and an
/// allocation for each task.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, TracingObserver};
/// use tracing::{Instrument, info, info_span};
///
/// let pool = AioPool::builder().observer(TracingObserver::new()).build().unwrap();
/// async {
///     let task = pool.task(async { info!("in the span of the task, and in that of the request") });
///     task.name("thumbnail").exec().await.unwrap();
/// }
/// .instrument(info_span!("request"))
/// .await;
/// # });
/// ```
#[derive(Debug, Clone, Default)]
pub struct TracingObserver {
    parent: SpanParent,
}

/// What the span of a task is a child of. See [`TracingObserver::parent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SpanParent {
    /// The span in which the task was submitted, if the caller waits for the task. Otherwise nothing: the span is a root.
    #[default]
    ByVerb,
    /// The span in which the task was submitted.
    Submitter,
    /// Nothing: each span is a root, and follows from the span in which the task was submitted.
    Root,
}

impl TracingObserver {
    /// Makes an observer whose spans have their parents [by the verb](SpanParent::ByVerb).
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what the spans of the tasks are children of. The tasks of a `feed` are roots in any case.
    #[must_use = "it returns the observer"]
    pub fn parent(self, parent: SpanParent) -> Self {
        Self { parent }
    }
}

impl Observer for TracingObserver {
    fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        if LevelFilter::current() < LevelFilter::INFO {
            return None;
        }
        let is_child = match self.parent {
            SpanParent::ByVerb => task.is_awaited(),
            SpanParent::Submitter => true,
            SpanParent::Root => false,
        };
        Some(Arc::new(TaskSpan::new(Span::current(), is_child)))
    }
}

/// The span of a task or of a feed.
struct TaskSpan {
    /// The span in which the task was submitted, until its own is there: a task is not to keep it open.
    submitter: Lock<Option<Span>>,
    is_child: bool,
    /// Made by the thread that needs it first, since the number of the task is not known at the submission. Only the
    /// submitting thread and the one that runs the task can meet here.
    span: OnceLock<Span>,
}

impl TaskSpan {
    fn new(submitter: Span, is_child: bool) -> Self {
        Self {
            submitter: Lock::new(Some(submitter)),
            is_child,
            span: OnceLock::new(),
        }
    }

    fn of(&self, task: &TaskView<'_>) -> &Span {
        self.opened(|parent| task_span(parent, task))
    }

    fn opened(&self, open: impl FnOnce(Option<&Span>) -> Span) -> &Span {
        self.span.get_or_init(|| {
            let submitter = self.submitter.lock().take();
            if self.is_child {
                return open(submitter.as_ref());
            }
            let span = open(None);
            span.follows_from(submitter.as_ref().and_then(Span::id));
            span
        })
    }
}

impl TaskScope for TaskSpan {
    fn on_wait(&self, task: &TaskView<'_>) {
        // The span begins here, also where the event is disabled, which then would not ask for it.
        let span = self.of(task);
        event!(target: "aiopool", parent: span, Level::DEBUG, "task waits");
    }

    fn on_start(&self, task: &TaskView<'_>) {
        let (span, waited) = (self.of(task), task.waited().as_secs_f64());
        event!(target: "aiopool", parent: span, Level::DEBUG, waited, "task starts");
    }

    fn poll(&self, task: &TaskView<'_>, poll: &mut dyn FnMut()) {
        let span = self.of(task);
        waker(span, "waker.wake_by_ref");
        span.in_scope(poll);
    }

    fn drop_future(&self, task: &TaskView<'_>, drop: &mut dyn FnMut()) {
        self.of(task).in_scope(drop);
    }

    fn on_end(&self, task: &TaskView<'_>, ended: Ended) {
        event!(
            target: "aiopool",
            parent: self.of(task),
            Level::DEBUG,
            outcome = ended.as_str(),
            waited = task.waited().as_secs_f64(),
            ran = task.ran().map(|ran| ran.as_secs_f64()),
            "task ends"
        );
    }

    fn item(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        let feed = self.opened(|_| feed_span(task)).clone();
        Some(Arc::new(Self::new(feed, false)))
    }
}

fn task_span(parent: Option<&Span>, task: &TaskView<'_>) -> Span {
    let (submission, name) = (task.submission(), task.name());
    let at = submission.location();
    let span = span!(
        target: "aiopool",
        parent: parent.and_then(Span::id),
        Level::INFO,
        "runtime.spawn",
        kind = "task",
        otel.name = %name,
        task.name = %name,
        task.id = task.id().get(),
        pool = submission.pool(),
        group = submission.group(),
        priority = submission.priority(),
        loc.file = at.file(),
        loc.line = at.line(),
        loc.col = at.column(),
    );
    waker(&span, "waker.clone");
    span
}

/// Tells tokio-console of a wake, or of a waker. The pool does not see the wakes of a task, but a poll comes of one: so the
/// task counts as idle until then, and a task without a waker would count as lost.
fn waker(span: &Span, op: &'static str) {
    if let Some(id) = span.id() {
        event!(target: "runtime::waker", parent: None, Level::TRACE, op, task.id = id.into_u64());
    }
}

fn feed_span(feed: &Submission<'_>) -> Span {
    let at = feed.location();
    span!(
        target: "aiopool",
        parent: None,
        Level::INFO,
        "feed",
        pool = feed.pool(),
        group = feed.group(),
        loc.file = at.file(),
        loc.line = at.line(),
        loc.col = at.column(),
    )
}

impl fmt::Debug for TaskSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskSpan").field(&self.span.get()).finish()
    }
}
