//! Observers, which a pool tells what its tasks do.
//!
//! - [`Observer`]: the seam. It is told of waits, starts and ends, and may return a [`TaskScope`] for each task (`scope`),
//!   which is entered around the polls of the task.
//! - [`Submission`], [`TaskView`]: a task, as a scope sees it (`view`). They borrow the `subject`, which tasks share, and
//!   the `times` of the task.
//! - `watcher`: the observers of a pool, and which of their methods are `written`. `observed`: what it is told about.
//! - `tracing`, `metrics` and `timeline`, with the features of these names: an observer that gives each task a span, one that
//!   counts and times the tasks, and one that writes a run as a trace.

mod ended;
#[cfg(feature = "metrics")]
mod metrics;
mod observed;
mod observer;
mod scope;
mod subject;
#[cfg(feature = "timeline")]
mod timeline;
mod times;
#[cfg(feature = "tracing")]
mod tracing;
mod view;
mod watcher;
mod written;

pub use self::ended::Ended;
#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
pub(crate) use self::observed::Observed;
pub use self::observer::Observer;
pub use self::scope::TaskScope;
pub(crate) use self::scope::{scope_of_item, through};
pub(crate) use self::subject::{Origin, Subject};
#[cfg(feature = "timeline")]
pub use self::timeline::{TimelineObserver, TimelineReport};
pub(crate) use self::times::TaskTimes;
#[cfg(feature = "tracing")]
pub use self::tracing::{SpanParent, TracingObserver};
pub use self::view::{Submission, TaskView};
pub(crate) use self::watcher::Watcher;
