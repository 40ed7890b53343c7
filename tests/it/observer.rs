//! Who watches a pool is told of each task's waiting, start and end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aiopool::{AioPool, Ended, Observer, TaskInfo, TaskState};

use crate::support::{Hand, Probe, on_every_runtime};

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

/// Counts what it hears, and checks the order for each task.
#[derive(Clone, Default)]
struct Hears {
    log: Arc<Mutex<HashMap<u64, Vec<Heard>>>>,
    /// Called when a task begins to wait.
    on_wait: Arc<Mutex<Option<Call>>>,
}

type Call = Box<dyn FnOnce() + Send>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Heard {
    Wait,
    Start,
    End(Ended),
}

impl Hears {
    fn note(&self, task: &TaskInfo, what: Heard) {
        let mut log = self.log.lock().unwrap();
        log.entry(task.id.get()).or_default().push(what);
    }

    fn count(&self, what: Heard) -> u64 {
        let log = self.log.lock().unwrap();
        log.values()
            .flatten()
            .filter(|heard| **heard == what)
            .count() as u64
    }

    /// All that was heard is in order, and adds up to the counters.
    fn check(&self, pool: &AioPool) {
        for (id, heard) in &*self.log.lock().unwrap() {
            let rest = heard.strip_prefix(&[Heard::Wait]).unwrap_or(heard);
            let rest = rest.strip_prefix(&[Heard::Start]).unwrap_or(rest);
            assert!(matches!(rest, [Heard::End(_)]), "task {id}: {heard:?}");
        }
        let ends = [
            Ended::Completed,
            Ended::Panicked,
            Ended::Cancelled,
            Ended::TimedOut,
            Ended::Rejected,
        ];
        let heard = ends.map(|end| self.count(Heard::End(end)));
        let stats = pool.stats();
        let counted = [
            stats.completed,
            stats.panicked,
            stats.cancelled,
            stats.timed_out,
            stats.rejected,
        ];
        assert_eq!(heard, counted);
        assert_eq!(self.count(Heard::Start), stats.started);
        assert_eq!(self.log.lock().unwrap().len() as u64, stats.submitted);
    }
}

impl Observer for Hears {
    fn on_wait(&self, task: &TaskInfo) {
        let call = self.on_wait.lock().unwrap().take();
        if let Some(call) = call {
            call();
        }
        self.note(task, Heard::Wait);
    }

    fn on_start(&self, task: &TaskInfo) {
        self.note(task, Heard::Start);
    }

    fn on_end(&self, task: &TaskInfo, ended: Ended) {
        self.note(task, Heard::End(ended));
    }
}

fn heard_pool(size: usize) -> (Hand, Hears, AioPool) {
    let (hand, hears) = (Hand::default(), Hears::default());
    let builder = hand.builder().size(size).observer(hears.clone());
    let pool = builder.build().unwrap();
    (hand, hears, pool)
}

#[test]
fn a_task_that_runs_while_its_wait_is_told_is_told_of_after_it() {
    let (hand, hears, pool) = heard_pool(1);
    let first = pool.spawn_n(async {});
    let (runs, stops) = (hand.clone(), pool.clone());
    *hears.on_wait.lock().unwrap() = Some(Box::new(move || runs.run()));
    let second = pool.spawn_n(async {});
    assert!(first.is_finished() && second.is_finished());
    pool.spawn_n(async {});
    *hears.on_wait.lock().unwrap() = Some(Box::new(move || _ = stops.abort_all()));
    let third = pool.spawn_n(async {});
    assert!(third.is_finished());
    hand.run();
    let all = |id| hears.log.lock().unwrap()[&id].clone();
    let completed = Heard::End(Ended::Completed);
    assert_eq!(all(1), [Heard::Wait, Heard::Start, completed]);
    assert_eq!(all(3), [Heard::Wait, Heard::End(Ended::Cancelled)]);
    hears.check(&pool);
}

#[test]
fn what_is_heard_is_in_order_and_adds_up_with_many_threads() {
    on_every_runtime(|pools| async move {
        let hears = Hears::default();
        let builder = pools.builder().size(2).observer(hears.clone());
        let pool = builder.build().unwrap();
        // Its runtime is known from here on, as far as it is to be found.
        pool.exec(async {}).await.unwrap();
        let spawns = |pool: AioPool| {
            move || {
                for n in 0..500 {
                    let task = pool.task(async {}).name("named");
                    let handle = task.spawn_n();
                    if n % 7 == 0 {
                        handle.abort();
                    }
                }
            }
        };
        let threads: Vec<_> = (0..3)
            .map(|_| std::thread::spawn(spawns(pool.clone())))
            .collect();
        spawns(pool.clone())();
        pool.join().await;
        for thread in threads {
            thread.join().unwrap();
        }
        pool.join().await;
        hears.check(&pool);
    });
}

#[test]
fn the_ends_of_feeds_and_of_refused_tasks_are_heard_as_they_are_counted() {
    let (hand, hears, pool) = heard_pool(1);
    drop(pool.feed(0..3, |_| async {}));
    drop(pool.feed(0..3, |n| {
        assert!(n < 1, "a broken one");
        async {}
    }));
    hand.run();
    hears.check(&pool);
    let aborted = pool.clone();
    drop(pool.feed(0..3, move |_| {
        aborted.abort_all();
        async {}
    }));
    hand.run();
    hears.check(&pool);
    drop(pool.feed(0.., |_| async {}));
    drop(pool.spawn_n(async {}));
    hand.drop_workers();
    hears.check(&pool);
    pool.spawn_n(async {}).abort();
    hand.run();
    pool.close();
    drop(pool.feed(0..3, |_| async {}));
    drop(pool.spawn_n(async {}));
    assert!(pool.try_spawn(async {}).is_err());
    hears.check(&pool);
    assert!(pool.stats().rejected >= 4 && pool.stats().panicked == 1);
}
