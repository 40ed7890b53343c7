use std::any::TypeId;
use std::cell::Cell;

use super::{Ended, Observer};
use crate::sync::atomic::AtomicBool;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::TaskInfo;
use crate::unwind::shielded;

/// A pool's observer, with the methods that its type implements. For the other methods, no task is described.
///
/// A default method reports itself by [`unwritten`] when it is first called. There is no other way to find out.
///
/// The flags are `Relaxed`: a thread that reads a stale `true` only calls the default method again.
pub(crate) struct Watcher {
    observer: Box<dyn Observer>,
    kind: TypeId,
    waits: AtomicBool,
    starts: AtomicBool,
    ends: AtomicBool,
}

/// A method of an [`Observer`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Wait,
    Start,
    End,
}

thread_local! {
    /// The default method that was called last on this thread, and the type that does not implement it.
    static UNWRITTEN: Cell<Option<(TypeId, Method)>> = const { Cell::new(None) };
}

/// Called by the default methods of [`Observer`].
pub(super) fn unwritten<O: ?Sized + 'static>(method: Method) {
    // On a thread that is ending, this cannot be noted. The method is then called again, which does no harm.
    let _ = UNWRITTEN.try_with(|last| last.set(Some((TypeId::of::<O>(), method))));
}

impl Watcher {
    pub(crate) fn new<O: Observer>(observer: O) -> Self {
        Self {
            observer: Box::new(observer),
            kind: TypeId::of::<O>(),
            waits: AtomicBool::new(true),
            starts: AtomicBool::new(true),
            ends: AtomicBool::new(true),
        }
    }

    pub(crate) fn hears_waits(&self) -> bool {
        self.waits.load(Relaxed)
    }

    pub(crate) fn hears_starts(&self) -> bool {
        self.starts.load(Relaxed)
    }

    pub(crate) fn hears_ends(&self) -> bool {
        self.ends.load(Relaxed)
    }

    /// Returns `true` if the observer may implement any method, as far as is known.
    pub(crate) fn hears(&self) -> bool {
        self.hears_starts() || self.hears_ends() || self.hears_waits()
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

    /// Calls a method, and notes if it is a default method.
    fn call(&self, method: Method, call: impl FnOnce(&dyn Observer)) {
        shielded(|| call(&*self.observer));
        // An implemented method may call default methods, of other types or other methods. These do not count for it.
        let last = UNWRITTEN.try_with(Cell::take).ok().flatten();
        if last == Some((self.kind, method)) {
            self.heard(method).store(false, Relaxed);
        }
    }

    fn heard(&self, method: Method) -> &AtomicBool {
        match method {
            Method::Wait => &self.waits,
            Method::Start => &self.starts,
            Method::End => &self.ends,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::task::{TaskId, TaskState};

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
