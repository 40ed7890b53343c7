//! Errors of calls to a pool. The errors of tasks are [`JoinError`].

use std::any::Any;
use std::error::Error;
use std::fmt;

use crate::task::{JoinError, Refusal, TaskId};

/// The reason why a pool cannot be created.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The size is 0, so that no task would ever run.
    ZeroSize,
    /// The rate allows no starts, or its interval is empty.
    ZeroRate,
    /// An option needs a timer, and the runtime has none.
    NoTimer,
    /// No size is within the bounds of an adaptive size: they are in the wrong order, or the lower one is 0.
    NoAdaptiveSize,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroSize => ZERO_SIZE,
            Self::ZeroRate => {
                "a rate needs a start, and some time: pause the pool to hold tasks back"
            }
            Self::NoAdaptiveSize => {
                "no size is within the bounds of an adaptive size: write them as `1..=100`"
            }
            Self::NoTimer => {
                "the runtime has no timer: use Tokio with `enable_time`, Smol, AsyncStd, or a \
                 Spawner whose `sleep` returns one"
            }
        })
    }
}

impl Error for BuildError {}

/// The error of a new size of 0, at which no task would ever run. To hold tasks back,
/// [`pause`](crate::AioPool::pause) the pool.
#[derive(Debug)]
pub struct ZeroSize;

impl fmt::Display for ZeroSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ZERO_SIZE)
    }
}

impl Error for ZeroSize {}

/// The reason why [`AioPool::group`](crate::AioPool::group) has created no group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupError {
    /// The pool has a group of this name already. [`find_group`](crate::AioPool::find_group) returns it.
    AlreadyExists(String),
    /// The size is 0, so that no task of the group would ever run.
    ZeroSize,
    /// The share is 0, so that the group would never have a turn.
    ZeroShare,
    /// The rate allows no start in any time, or any number of starts in no time.
    ZeroRate,
    /// The group has a rate, and the pool's runtime has no timer.
    NoTimer,
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists(name) => write!(f, "there is a group named {name:?} already"),
            Self::ZeroSize => f.write_str(ZERO_SIZE),
            Self::ZeroShare => f.write_str(
                "a group of share 0 would never have a turn: pause it to hold tasks back",
            ),
            Self::ZeroRate => f.write_str("a rate needs at least one start, and an interval"),
            Self::NoTimer => write!(f, "{}", BuildError::NoTimer),
        }
    }
}

impl Error for GroupError {}

const ZERO_SIZE: &str = "a pool of size 0 would run nothing: pause it to hold tasks back";

/// The error of a pool that did not accept a task. It contains the future of the task.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, Refusal};
///
/// let pool = AioPool::new(1);
/// pool.close();
/// let refused = pool.try_spawn(async { 7 }).unwrap_err();
/// assert_eq!(refused.reason(), Refusal::Closed);
/// assert_eq!(refused.into_inner().await, 7);
/// # });
/// ```
pub struct TrySpawnError<F> {
    reason: Refusal,
    future: F,
}

impl<F> TrySpawnError<F> {
    pub(crate) fn new(reason: Refusal, future: F) -> Self {
        Self { reason, future }
    }

    /// Returns why the task was not accepted.
    pub fn reason(&self) -> Refusal {
        self.reason
    }

    /// Returns the future, which has not been polled.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F> fmt::Debug for TrySpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrySpawnError")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<F> fmt::Display for TrySpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Refusal::TooHeavy => f.write_str("the task weighs more than the pool has permits"),
            reason => reason.fmt(f),
        }
    }
}

impl<F> Error for TrySpawnError<F> {}

/// The reason why no task was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbortError {
    /// The pool has given this number to no task, or the task is outside of the group that was called.
    NotFound(TaskId),
    /// The task has finished.
    AlreadyFinished(TaskId),
    /// The task has already been asked to stop, and is about to.
    AlreadyAborted(TaskId),
}

impl fmt::Display for AbortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(id) => write!(f, "there is no task {id}"),
            Self::AlreadyFinished(id) => write!(f, "task {id} has finished"),
            Self::AlreadyAborted(id) => write!(f, "task {id} has been aborted already"),
        }
    }
}

impl Error for AbortError {}

/// The reason why a [`try_map`](crate::AioPool::try_map) has no results, or a
/// [`try_map_on`](crate::PoolStreamExt::try_map_on) has no value.
///
/// It implements [`Error`] for every error type of the tasks that can be displayed: for a
/// `Box<dyn Error + Send + Sync>`, an `anyhow::Error` or a `String` as well as for a type that implements [`Error`].
/// So `?` passes it on in a function that returns such a box.
///
/// Its [`Display`](fmt::Display) output is that of the error inside. Its [`source`](Error::source) is that of the
/// error inside where this error is a boxed `dyn Error`. For every other type there is no source, because not all of
/// these types are errors. [`into_boxed`](Self::into_boxed) returns the error itself, with all of its sources.
///
/// # Examples
///
/// ```
/// use std::error::Error;
///
/// use aiopool::{AioPool, TryMapError};
///
/// async fn sizes(pool: &AioPool) -> Result<Vec<u64>, Box<dyn Error + Send + Sync>> {
///     let size = |path: &'static str| async move { std::fs::metadata(path).map(|file| file.len()) };
///     pool.try_map(["Cargo.toml", "nowhere"], size).await.map_err(TryMapError::into_boxed)
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let error = sizes(&AioPool::new(2)).await.unwrap_err();
/// assert!(error.is::<std::io::Error>());
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TryMapError<E> {
    /// A task returned this error.
    Task(E),
    /// A task has no result of its own: it panicked, was cancelled, timed out or was rejected.
    Join(JoinError),
    /// The input gave this error, which has ended it. Only
    /// [`try_map_on`](crate::PoolStreamExt::try_map_on) returns this variant.
    Input(E),
}

impl<E> TryMapError<E> {
    /// Returns the value of a task, or the error of the task.
    pub(crate) fn flatten<T>(result: Result<Result<T, E>, JoinError>) -> Result<T, Self> {
        result.map_err(Self::Join)?.map_err(Self::Task)
    }

    /// Returns the error inside, of either variant, in a box.
    ///
    /// The box gives access to its type ([`is`](trait@Error#method.is), [`downcast`](trait@Error#method.downcast))
    /// and to all of its sources.
    pub fn into_boxed(self) -> Box<dyn Error + Send + Sync>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        match self {
            Self::Task(error) | Self::Input(error) => error.into(),
            Self::Join(error) => error.into(),
        }
    }
}

impl<E> TryMapError<E> {
    /// Returns the error inside, of either variant, as an error of the caller's.
    ///
    /// With an error type such as `anyhow::Error` it keeps the error of the task as it is: its sources, and the type to
    /// downcast to. `?` alone wraps the whole `TryMapError`.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::{AioPool, TryMapError};
    ///
    /// async fn sizes(pool: &AioPool) -> anyhow::Result<Vec<u64>> {
    ///     let size = async |path: &'static str| anyhow::Ok(std::fs::metadata(path)?.len());
    ///     pool.try_map(["Cargo.toml", "nowhere"], size).await.map_err(TryMapError::into_error)
    /// }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let error = sizes(&AioPool::new(2)).await.unwrap_err();
    /// assert!(error.is::<std::io::Error>());
    /// # });
    /// ```
    pub fn into_error<T>(self) -> T
    where
        T: From<E> + From<JoinError>,
    {
        match self {
            Self::Task(error) | Self::Input(error) => error.into(),
            Self::Join(error) => error.into(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for TryMapError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(error) | Self::Input(error) => error.fmt(f),
            Self::Join(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display + 'static> Error for TryMapError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Task(error) | Self::Input(error) => boxed(error)?.source(),
            Self::Join(error) => error.source(),
        }
    }
}

/// Returns the error in a box, if `error` is a boxed error.
fn boxed(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**error);
    }
    let error = error.downcast_ref::<Box<dyn Error + Send>>()?;
    Some(&**error)
}
