use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::{CancelCause, Failure, Late, Reason, Refusal, TaskId, TaskLabel};
use crate::lock::Lock;
use crate::unwind::{self, Payload};

/// Why a task has no value: it was cancelled, it panicked, its time was over, or it never ran.
///
/// The task's own `Result` is its value, and passes through unchanged.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = aiopool::AioPool::new(1);
/// let error = pool.exec(async { panic!("no luck") }).await.unwrap_err();
/// assert!(error.is_panic());
/// assert_eq!(error.panic_message(), Some("no luck"));
/// # });
/// ```
pub struct JoinError {
    /// Boxed, so that `Result<T, JoinError>` is hardly larger than `T`.
    inner: Box<Inner>,
}

struct Inner {
    id: TaskId,
    label: Arc<TaskLabel>,
    kind: Kind,
}

enum Kind {
    Cancelled(Reason),
    TimedOut(Late),
    Rejected(Refusal),
    Panicked {
        message: Option<Box<str>>,
        payload: Lock<Payload>,
    },
}

impl JoinError {
    pub(crate) fn new(id: TaskId, label: Arc<TaskLabel>, failure: Failure) -> Self {
        let kind = Kind::from(failure);
        Self {
            inner: Box::new(Inner { id, label, kind }),
        }
    }

    /// Returns `true` if the task was aborted, or its runtime dropped it before its end.
    /// [`cancel_cause`](Self::cancel_cause) tells which.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.inner.kind, Kind::Cancelled(_))
    }

    /// Returns `true` if the task or its destructor panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.inner.kind, Kind::Panicked { .. })
    }

    /// Returns `true` if the task's time to run, or to wait, was over.
    ///
    /// [`is_run_timeout`](Self::is_run_timeout) and [`is_wait_timeout`](Self::is_wait_timeout) tell which of the two.
    pub fn is_timeout(&self) -> bool {
        matches!(self.inner.kind, Kind::TimedOut(_))
    }

    /// Returns `true` if the task never started, because the time that it was allowed to wait was over.
    ///
    /// [`TaskBuilder::wait_timeout`](crate::TaskBuilder::wait_timeout) sets this time.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(1);
    /// let busy = pool.spawn_n(std::future::pending::<()>());
    /// let late = pool.task(async {}).name("late").wait_timeout(Duration::from_millis(1));
    /// let error = late.exec().await.unwrap_err();
    /// assert!(error.is_timeout() && error.is_wait_timeout());
    /// assert_eq!(error.to_string(), "task late timed out while waiting");
    /// # busy.abort();
    /// # });
    /// ```
    pub fn is_wait_timeout(&self) -> bool {
        matches!(self.inner.kind, Kind::TimedOut(Late::Waiting))
    }

    /// Returns `true` if the task was dropped before its end, because the time that it was allowed to run was over.
    ///
    /// [`TaskBuilder::timeout`](crate::TaskBuilder::timeout) sets this time.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(1);
    /// let slow = pool.task(std::future::pending::<()>()).name("slow");
    /// let error = slow.timeout(Duration::from_millis(1)).exec().await.unwrap_err();
    /// assert!(error.is_timeout() && error.is_run_timeout());
    /// assert_eq!(error.to_string(), "task slow timed out while running");
    /// # });
    /// ```
    pub fn is_run_timeout(&self) -> bool {
        matches!(self.inner.kind, Kind::TimedOut(Late::Running))
    }

    /// Returns `true` if the task never ran: the pool was closed, its queue was full, the task weighed more than the
    /// pool has permits, or its runtime is gone. [`refusal`](Self::refusal) tells which.
    pub fn is_rejected(&self) -> bool {
        matches!(self.inner.kind, Kind::Rejected(_))
    }

    /// Returns why the task never ran, or `None` if it was not rejected.
    ///
    /// # Examples
    ///
    /// A service says to its clients whether it makes sense to come again:
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, JoinError, Refusal};
    ///
    /// fn status(error: &JoinError) -> u16 {
    ///     match error.refusal() {
    ///         Some(Refusal::Full) => 429,
    ///         Some(_) => 503,
    ///         None => 500,
    ///     }
    /// }
    ///
    /// let pool = AioPool::builder().size(1).max_waiting(0).build().unwrap();
    /// let busy = pool.spawn_n(std::future::pending::<()>());
    /// assert_eq!(status(&pool.exec(async {}).await.unwrap_err()), 429);
    /// pool.close();
    /// assert_eq!(status(&pool.exec(async {}).await.unwrap_err()), 503);
    /// # busy.abort();
    /// # });
    /// ```
    pub fn refusal(&self) -> Option<Refusal> {
        match self.inner.kind {
            Kind::Rejected(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Returns what cancelled the task, or `None` if it was not cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, CancelCause};
    ///
    /// let pool = AioPool::new(1);
    /// let aborted = pool.spawn_n(std::future::pending::<()>());
    /// let error = aborted.cancel().await.unwrap_err();
    /// assert_eq!(error.cancel_cause(), Some(CancelCause::Aborted));
    ///
    /// let stopped = pool.task(std::future::pending::<()>()).name("worker").spawn_n();
    /// pool.cancel_all().await;
    /// let error = stopped.await.unwrap_err();
    /// assert_eq!(error.cancel_cause(), Some(CancelCause::Stopped));
    /// assert_eq!(error.to_string(), "task worker was cancelled with its pool or group");
    /// # });
    /// ```
    pub fn cancel_cause(&self) -> Option<CancelCause> {
        match &self.inner.kind {
            Kind::Cancelled(reason) => Some(reason.cause()),
            _ => None,
        }
    }

    /// Returns the reason for which the task was cancelled, if one was given, or for which it was rejected.
    pub fn reason(&self) -> Option<&str> {
        match &self.inner.kind {
            Kind::Cancelled(reason) => reason.words(),
            Kind::Rejected(refusal) => Some(refusal.as_str()),
            Kind::TimedOut(_) | Kind::Panicked { .. } => None,
        }
    }

    /// Returns the message of the panic, if the panic had a text.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.inner.kind {
            Kind::Panicked { message, .. } => message.as_deref(),
            _ => None,
        }
    }

    /// Returns the payload of the panic, as for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// Panics if the task did not panic; see [`try_into_panic`](Self::try_into_panic).
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(other) => panic!("into_panic on a task that did not panic: {other}"),
        }
    }

    /// Returns the payload of the panic.
    ///
    /// # Errors
    ///
    /// Returns the error unchanged if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        let Inner { id, label, kind } = *self.inner;
        match kind {
            Kind::Panicked { payload, .. } => Ok(payload.into_inner()),
            kind => Err(Self {
                inner: Box::new(Inner { id, label, kind }),
            }),
        }
    }

    /// Returns the number of the task.
    pub fn task_id(&self) -> TaskId {
        self.inner.id
    }

    /// Returns the name of the task: its own, or `"{pool}-{id}"`.
    pub fn task_name(&self) -> Cow<'_, str> {
        self.inner.label.task_name(self.inner.id)
    }

    fn verb(&self) -> &'static str {
        match self.inner.kind {
            Kind::Cancelled(Reason::Stopped) => "was cancelled with its pool or group",
            Kind::Cancelled(_) => "was cancelled",
            Kind::TimedOut(Late::Waiting) => "timed out while waiting",
            Kind::TimedOut(Late::Running) => "timed out while running",
            Kind::Rejected(_) => "was rejected",
            Kind::Panicked { .. } => "panicked",
        }
    }
}

impl From<Failure> for Kind {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cancelled(reason) => Self::Cancelled(reason),
            Failure::TimedOut(late) => Self::TimedOut(late),
            Failure::Rejected(refusal) => Self::Rejected(refusal),
            Failure::Panicked(payload) => {
                let message = unwind::message(&payload).map(Box::from);
                Self::Panicked {
                    message,
                    payload: Lock::new(payload),
                }
            }
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} {}", self.task_name(), self.verb())?;
        match self.panic_message().or_else(|| self.reason()) {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl Error for JoinError {}
