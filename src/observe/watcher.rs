use std::any::TypeId;
use std::cell::Cell;

use super::{Ended, Observer};
use crate::sync::atomic::AtomicBool;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::TaskInfo;
use crate::unwind::shielded;

/// A pool's observer, and which of its methods it has written: for the others, no task is described.
///
/// A method that is not written says so when it is first called, by [`unwritten`]. Nothing else can tell.
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
    /// The unwritten method that was called last on this thread, and the type that has not written it.
    static UNWRITTEN: Cell<Option<(TypeId, Method)>> = const { Cell::new(None) };
}

/// Called by the methods of [`Observer`] that a type has not written.
pub(super) fn unwritten<O: ?Sized + 'static>(method: Method) {
    // On a thread that ends it cannot be noted: the method is called again, which does no harm.
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

    /// Returns whether the observer hears of anything, as far as is known.
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

    /// Calls a method, and finds out whether it is written.
    fn call(&self, method: Method, call: impl FnOnce(&dyn Observer)) {
        shielded(|| call(&*self.observer));
        // A written method may call unwritten ones, of other types or other methods: those say nothing of this one.
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

    /// Hands two of its methods on to another, which has written none.
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
