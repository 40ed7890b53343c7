use std::any::TypeId;
use std::sync::Arc;

use super::ended::Ended;
use super::observer::Observer;
use super::scope::{Both, TaskScope};
use super::view::Submission;
use super::written::{Method, take_unwritten};
use crate::sync::atomic::AtomicU8;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::TaskInfo;
use crate::unwind::shielded;

/// A pool's observers, with the methods that their types implement. For the other methods, no task is described.
///
/// A default method reports itself by [`unwritten`](super::written::unwritten) when it is first called. There is no other
/// way to find out.
///
/// The sets are `Relaxed`: a thread that reads a stale set only calls the default method again.
pub(crate) struct Watcher {
    observers: Vec<Watching>,
    /// The methods that any of the observers may implement, as far as is known.
    written: AtomicU8,
}

/// One observer of a pool.
struct Watching {
    observer: Box<dyn Observer>,
    kind: TypeId,
    written: AtomicU8,
}

/// The set of the methods that are told the times of a task.
const WITH_TIMES: u8 = Method::Wait as u8 | Method::Start as u8 | Method::End as u8;

/// The set of the methods that are called for a task.
const OF_TASKS: u8 = WITH_TIMES | Method::Capture as u8;

/// The set of all methods.
const ALL: u8 = OF_TASKS | Method::Resize as u8;

impl Watcher {
    /// Returns the observers of `before`, and another one behind them.
    pub(crate) fn with<O: Observer>(before: Option<Self>, observer: O) -> Self {
        let mut observers = before.map_or_else(Vec::new, |before| before.observers);
        observers.push(Watching {
            observer: Box::new(observer),
            kind: TypeId::of::<O>(),
            written: AtomicU8::new(ALL),
        });
        Self {
            observers,
            written: AtomicU8::new(ALL),
        }
    }

    #[cfg(test)]
    fn new<O: Observer>(observer: O) -> Self {
        Self::with(None, observer)
    }

    pub(crate) fn hears_waits(&self) -> bool {
        self.has_written(Method::Wait)
    }

    pub(crate) fn hears_starts(&self) -> bool {
        self.has_written(Method::Start)
    }

    pub(crate) fn hears_ends(&self) -> bool {
        self.has_written(Method::End)
    }

    pub(crate) fn captures(&self) -> bool {
        self.has_written(Method::Capture)
    }

    /// Returns `true` if an observer may implement any method for tasks, as far as is known.
    #[inline]
    pub(crate) fn hears(&self) -> bool {
        self.written.load(Relaxed) & OF_TASKS != 0
    }

    /// Returns `true` if an observer may be told how long a task has waited or run.
    #[inline]
    pub(crate) fn is_told_times(&self) -> bool {
        self.written.load(Relaxed) & WITH_TIMES != 0
    }

    pub(crate) fn hears_resizes(&self) -> bool {
        self.has_written(Method::Resize)
    }

    pub(crate) fn on_resize(&self, pool: &str, size: usize) {
        self.call(Method::Resize, |observer| observer.on_resize(pool, size));
    }

    pub(crate) fn on_wait(&self, task: &TaskInfo) {
        self.call(Method::Wait, |observer| observer.on_wait(task));
    }

    pub(crate) fn on_start(&self, task: &TaskInfo) {
        self.call(Method::Start, |observer| observer.on_start(task));
    }

    pub(crate) fn on_end(&self, task: &TaskInfo, ended: Ended) {
        self.call(Method::End, |observer| observer.on_end(task, ended));
    }

    /// Returns the scope of a task that is being submitted, if an observer has one for it.
    #[inline]
    pub(crate) fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        self.captures().then(|| self.capture_by_all(task)).flatten()
    }

    fn capture_by_all(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        let mut scopes = None;
        self.call(Method::Capture, |observer| {
            if let Some(scope) = observer.capture(task) {
                scopes = Some(match scopes.take() {
                    None => scope,
                    Some(outer) => Arc::new(Both(outer, scope)) as Arc<dyn TaskScope>,
                });
            }
        });
        scopes
    }

    /// Calls a method of each observer that implements it, as far as is known.
    fn call(&self, method: Method, mut call: impl FnMut(&dyn Observer)) {
        let mut is_written = false;
        for watching in &self.observers {
            is_written |= watching.call(method, &mut call);
        }
        if !is_written {
            self.written.fetch_and(!(method as u8), Relaxed);
        }
    }

    #[inline]
    fn has_written(&self, method: Method) -> bool {
        self.written.load(Relaxed) & method as u8 != 0
    }
}

impl Watching {
    /// Calls a method, and notes if it is a default method. Returns `true` if it is not.
    fn call(&self, method: Method, call: &mut impl FnMut(&dyn Observer)) -> bool {
        if self.written.load(Relaxed) & method as u8 == 0 {
            return false;
        }
        shielded(|| call(&*self.observer));
        // An implemented method may call default methods, of other types or other methods. These do not count for it.
        let is_default = take_unwritten() == Some((self.kind, method));
        if is_default {
            self.written.fetch_and(!(method as u8), Relaxed);
        }
        !is_default
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::super::{Origin, Subject};
    use super::*;
    use crate::AioPool;
    use crate::task::{TaskId, TaskLabel, TaskState};

    fn subject() -> Subject {
        let pool_ref = AioPool::new(1).pool_ref();
        Subject {
            label: Arc::new(TaskLabel::new(pool_ref, "p".into())),
            pool: "p".into(),
            group: None,
            priority: 0,
            weight: 1,
        }
    }

    fn capture(watcher: &Watcher) -> Option<Arc<dyn TaskScope>> {
        let origin = Origin {
            location: Location::caller(),
            is_awaited: false,
        };
        watcher.capture(&Submission::new(&subject(), origin))
    }

    fn task() -> TaskInfo {
        TaskInfo {
            id: TaskId::from(0),
            name: String::new(),
            group: None,
            state: TaskState::Active,
            priority: 0,
            weight: 1,
            waited: None,
            running: None,
            tag: None,
        }
    }

    fn call_all(watcher: &Watcher) -> [bool; 3] {
        let task = task();
        watcher.on_wait(&task);
        watcher.on_start(&task);
        watcher.on_end(&task, Ended::Completed);
        [
            watcher.hears_waits(),
            watcher.hears_starts(),
            watcher.hears_ends(),
        ]
    }

    struct Nothing;
    impl Observer for Nothing {}

    /// Passes two methods on to other observers or methods, which are defaults.
    struct Around(Nothing);
    impl Observer for Around {
        fn on_wait(&self, task: &TaskInfo) {
            self.0.on_wait(task);
        }

        fn on_start(&self, task: &TaskInfo) {
            self.on_end(task, Ended::Completed);
        }
    }

    #[test]
    fn only_the_methods_that_are_written_are_heard() {
        let nothing = Watcher::new(Nothing);
        assert!(nothing.hears() && nothing.hears_waits());
        assert_eq!(call_all(&nothing), [false; 3]);
        assert!(nothing.hears() && nothing.captures());
        assert!(capture(&nothing).is_none());
        assert!(!nothing.hears());
        assert_eq!(
            call_all(&Watcher::new(Around(Nothing))),
            [true, true, false]
        );
    }

    #[test]
    fn a_method_that_panics_is_written() {
        struct Careless(Arc<Watcher>);
        impl Observer for Careless {
            fn on_end(&self, task: &TaskInfo, ended: Ended) {
                self.0.on_end(task, ended);
                panic!("oh");
            }
        }
        let inner = Arc::new(Watcher::new(Nothing));
        let careless = Watcher::new(Careless(inner.clone()));
        assert_eq!(call_all(&careless), [false, false, true]);
        assert!(!inner.hears_ends());
    }
}
