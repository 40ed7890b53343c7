//! Who watches a pool is told of each task's waiting, start and end.

use std::sync::{Arc, Mutex};

use aiopool::{Ended, Observer, TaskInfo, TaskState};

use crate::support::{Hand, Probe};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: &str, task: &TaskInfo) {
        self.0.lock().unwrap().push(format!("{} {what}", task.name));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn on_wait(&self, task: &TaskInfo) {
        assert_eq!(task.state, TaskState::Waiting);
        self.note("waits", task);
    }

    fn on_start(&self, task: &TaskInfo) {
        assert!(task.waited.is_some(), "an observer turns the clock on");
        self.note("starts", task);
    }

    fn on_end(&self, task: &TaskInfo, ended: Ended) {
        self.note(&format!("ends: {ended:?}"), task);
        assert_ne!(ended, Ended::Panicked, "an observer may panic too");
    }
}

#[test]
fn an_observer_is_told_in_order() {
    let (hand, log) = (Hand::default(), Log::default());
    let pool = hand
        .builder()
        .name("p")
        .size(1)
        .observer(log.clone())
        .build()
        .unwrap();
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    let waiting = pool.task(async {}).name("second").spawn_n();
    hand.run();
    assert_eq!(log.take(), ["second waits", "p-0 starts"]);
    waiting.abort();
    probe.end();
    hand.run();
    assert_eq!(
        log.take(),
        ["second ends: Cancelled", "p-0 ends: Completed"]
    );
    let failing = pool.spawn_n(async { panic!("oh") });
    hand.run();
    assert_eq!(log.take(), ["p-2 starts", "p-2 ends: Panicked"]);
    assert!(failing.is_finished());
    pool.close();
    pool.spawn_n(async {});
    assert_eq!(log.take(), ["p-3 ends: Rejected"]);
}
