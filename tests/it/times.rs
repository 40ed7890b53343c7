//! The times of tasks, which listings show and observers are told, go by the clock of the runtime.

use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use aiopool::{
    Adaptive, AioPool, Builder, Ended, JoinHandle, Observer, Spawner, Submission, TaskInfo,
    TaskScope, TaskState, Tokio, Worker,
};
use tokio::time::{advance, sleep};

use crate::support::{Hand, Probe, on_tokio, within};

const SECOND: Duration = Duration::from_secs(1);

/// A runtime without a thread, whose clock a test moves.
#[derive(Clone)]
struct Clocked {
    hand: Hand,
    now: Arc<Mutex<Instant>>,
}

impl Clocked {
    fn at(now: Instant) -> Self {
        let (hand, now) = (Hand::default(), Arc::new(Mutex::new(now)));
        Self { hand, now }
    }

    fn builder(&self) -> Builder {
        AioPool::builder().spawner(self.clone())
    }

    fn advance(&self, by: Duration) {
        *self.now.lock().unwrap() += by;
    }
}

impl Spawner for Clocked {
    fn spawn(&self, worker: Worker) {
        self.hand.spawn(worker);
    }

    fn now(&self) -> Instant {
        *self.now.lock().unwrap()
    }
}

fn times(pool: &AioPool) -> Vec<(Option<Duration>, Option<Duration>)> {
    let tasks = pool.tasks().into_iter();
    tasks.map(|task| (task.waited, task.running)).collect()
}

/// Notes the times that an observer is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

/// The state of a task, and how long it has waited and run.
type Event = (TaskState, Duration, Option<Duration>);

impl Told {
    fn note(&self, task: &TaskInfo) {
        let told = (task.state, task.waited.unwrap(), task.running);
        self.0.lock().unwrap().push(told);
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Told {
    fn on_wait(&self, task: &TaskInfo) {
        self.note(task);
    }

    fn on_start(&self, task: &TaskInfo) {
        self.note(task);
    }

    fn on_end(&self, task: &TaskInfo, _: Ended) {
        self.note(task);
    }
}

#[test]
fn the_times_of_a_listing_are_exact_by_a_paused_clock() {
    on_tokio(async {
        let pool = AioPool::builder().size(1).timed(true).build().unwrap();
        let busy = pool.spawn(pending::<()>()).await;
        tokio::task::yield_now().await;
        advance(3 * SECOND).await;
        let waits = pool.spawn_n(pending::<()>());
        advance(4 * SECOND).await;
        let zero = Duration::ZERO;
        let first = (Some(zero), Some(7 * SECOND));
        assert_eq!(times(&pool), [first, (Some(4 * SECOND), None)]);
        busy.cancel().await.unwrap_err();
        tokio::task::yield_now().await;
        advance(5 * SECOND).await;
        let second = (Some(4 * SECOND), Some(5 * SECOND));
        assert_eq!(times(&pool), [second]);
        let found = pool.find_tasks(1, |task| task.running == Some(5 * SECOND));
        assert_eq!(found[0].id, waits.id());
        waits.cancel().await.unwrap_err();
    });
}

#[test]
fn an_observer_is_told_exact_times_by_a_paused_clock() {
    on_tokio(async {
        let told = Told::default();
        let builder = AioPool::builder().size(1).observer(told.clone());
        let pool = builder.build().unwrap();
        let first = pool.spawn_n(sleep(2 * SECOND));
        let second = pool.spawn_n(async { sleep(3 * SECOND).await });
        let third = pool.spawn_n(async {});
        tokio::task::yield_now().await;
        advance(SECOND).await;
        third.abort();
        first.await.unwrap();
        second.await.unwrap();
        let (zero, one, two, three) = (Duration::ZERO, SECOND, 2 * SECOND, 3 * SECOND);
        let waits = (TaskState::Waiting, zero, None);
        let expected = [
            waits,
            waits,
            (TaskState::Active, zero, Some(zero)),
            (TaskState::Finished, one, None),
            (TaskState::Finished, zero, Some(two)),
            (TaskState::Active, two, Some(zero)),
            (TaskState::Finished, two, Some(three)),
        ];
        assert_eq!(told.take(), expected);
    });
}

#[test]
fn the_first_task_of_a_pool_has_the_time_of_the_runtime_that_it_finds() {
    on_tokio(async {
        advance(100 * SECOND).await;
        let told = Told::default();
        for named in [false, true] {
            let builder = AioPool::builder().size(1).observer(told.clone());
            let pool = builder.build().unwrap();
            if named {
                pool.task(async {}).name("a name").exec().await.unwrap();
            } else {
                pool.exec(async {}).await.unwrap();
            }
            let waits = told.take().into_iter().map(|(_, waited, _)| waited);
            assert!(waits.max().unwrap() == Duration::ZERO);
        }
    });
}

#[test]
fn the_items_of_a_feed_have_times_by_a_paused_clock() {
    on_tokio(async {
        let pool = AioPool::builder().size(1).timed(true).build().unwrap();
        let feed = pool.feed(0..2, |_| sleep(4 * SECOND));
        sleep(3 * SECOND).await;
        assert_eq!(times(&pool), [(Some(Duration::ZERO), Some(3 * SECOND))]);
        feed.await;
    });
}

#[test]
fn a_task_waits_until_its_first_poll_also_when_its_permit_is_there() {
    let clocked = Clocked::at(Instant::now());
    let pool = clocked.builder().size(1).timed(true).build().unwrap();
    let probe = Probe::new();
    let handle = pool.spawn_n(probe.task(()));
    clocked.advance(2 * SECOND);
    assert_eq!(handle.state(), TaskState::Active);
    assert_eq!(times(&pool), [(Some(2 * SECOND), None)]);
    clocked.hand.run();
    clocked.advance(3 * SECOND);
    assert_eq!(times(&pool), [(Some(2 * SECOND), Some(3 * SECOND))]);
    probe.end();
    clocked.hand.run();
}

#[test]
fn times_are_true_by_a_clock_that_is_behind_that_of_the_machine() {
    // The first time that is ever converted is later than those of this clock.
    let (hand, pool) = Hand::pool(1);
    drop((hand, pool.tasks()));
    let Some(behind) = Instant::now().checked_sub(1000 * SECOND) else {
        return;
    };
    let clocked = Clocked::at(behind);
    let pool = clocked.builder().size(1).timed(true).build().unwrap();
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    pool.spawn_n(async {});
    clocked.hand.run();
    clocked.advance(5 * SECOND);
    let first = (Some(Duration::ZERO), Some(5 * SECOND));
    assert_eq!(times(&pool), [first, (Some(5 * SECOND), None)]);
    // It may even go back: then no time has passed.
    *clocked.now.lock().unwrap() = behind - SECOND;
    let none = Some(Duration::ZERO);
    assert_eq!(times(&pool), [(none, none), (none, None)]);
    probe.end();
    clocked.hand.run();
}

#[test]
fn a_pool_with_an_adaptive_size_measures_by_a_paused_clock() {
    on_tokio(async {
        let rule = Adaptive::gradient(1..=8);
        let pool = AioPool::builder().size(8).adaptive(rule).build().unwrap();
        pool.map(0..8, |_| sleep(2 * SECOND)).await;
        let latency = pool.stats().adaptive.unwrap().latency.unwrap();
        // A sleep ends at a full millisecond of the clock.
        assert!(latency >= 2 * SECOND && latency < 2 * SECOND + SECOND / 100);
    });
}

#[test]
fn a_time_limit_does_not_go_by_the_clock_of_the_machine_while_that_of_the_runtime_is_paused() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = tokio::time::Instant::now();
        let slow = || async {
            std::thread::sleep(Duration::from_millis(20));
            pending::<()>().await;
        };
        let late = pool.task(slow()).timeout(SECOND);
        assert!(late.exec().await.unwrap_err().is_run_timeout());
        assert_eq!(begun.elapsed(), SECOND);
        let late = pool.task(slow()).timeout(SECOND).then(|first| async {
            assert!(first.unwrap_err().is_run_timeout());
        });
        late.exec().await.unwrap();
        assert_eq!(begun.elapsed(), 2 * SECOND);
        let task = pool.task_fn(move |_| {
            let try_once = slow();
            async move {
                try_once.await;
                Ok::<(), &str>(())
            }
        });
        let late = task.try_timeout(SECOND, || "late").retry([]);
        assert_eq!(late.exec().await.unwrap(), Err("late"));
        assert_eq!(begun.elapsed(), 3 * SECOND);
    });
}

/// A clock that looks at its pool, as user code may.
#[derive(Clone, Default)]
struct Curious {
    hand: Hand,
    pool: Arc<OnceLock<AioPool>>,
}

impl Spawner for Curious {
    fn spawn(&self, worker: Worker) {
        self.hand.spawn(worker);
    }

    fn sleep(&self, _: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Some(Box::pin(pending()))
    }

    fn now(&self) -> Instant {
        if let Some(pool) = self.pool.get() {
            assert!(pool.len() <= pool.stats().submitted as usize);
        }
        Instant::now()
    }
}

#[test]
fn a_clock_is_read_with_the_pool_unlocked() {
    within("a curious clock", || {
        let curious = Curious::default();
        let builder = AioPool::builder().spawner(curious.clone()).size(2);
        let builder = builder.observer(Told::default()).rate(100, SECOND);
        let pool = builder.adaptive(Adaptive::aimd(1..=4)).build().unwrap();
        curious.pool.set(pool.clone()).unwrap();
        let handles = pool.map_n(0..10, |_| async {});
        let limited = pool.task(async {}).timeout(SECOND).wait_timeout(SECOND);
        let limited = limited.grace(SECOND).spawn_n();
        drop(pool.try_spawn(async {}));
        drop(pool.feed(0..10, |_| async {}));
        assert_eq!(pool.tasks().len(), 11);
        assert_eq!(pool.find_tasks(1, |_| true).len(), 1);
        curious.hand.run();
        assert!(handles.iter().all(JoinHandle::is_finished));
        assert!(limited.is_finished());
        assert_eq!(pool.stats().completed, 21);
    });
}

#[test]
fn a_clock_that_panics_counts_as_that_of_the_machine() {
    #[derive(Clone, Default)]
    struct Broken(Hand);
    impl Spawner for Broken {
        fn spawn(&self, worker: Worker) {
            self.0.spawn(worker);
        }

        fn now(&self) -> Instant {
            panic!("on purpose");
        }
    }
    let broken = Broken::default();
    let builder = AioPool::builder().spawner(broken.clone()).size(1);
    let builder = builder.observer(Told::default());
    let pool = builder.build().unwrap();
    let handle = pool.spawn_n(async { 7 });
    assert!(pool.tasks()[0].waited.unwrap() < 60 * SECOND);
    broken.0.run();
    assert!(handle.is_finished());
}

#[test]
fn a_listing_has_times_as_long_as_an_observer_is_told_of_tasks() {
    /// Is asked for scopes, and told of nothing.
    struct Captures;
    impl Observer for Captures {
        fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
            None
        }
    }
    on_tokio(async {
        let builder = || AioPool::builder().size(1).observer(Captures);
        for limited in [false, true] {
            let with_rate = |builder: Builder| match limited {
                true => builder.rate(100, SECOND).build().unwrap(),
                false => builder.build().unwrap(),
            };
            let told = with_rate(builder().observer(Told::default()));
            let not_told = with_rate(builder());
            // Which methods are not written is known once each was called: on_wait, on_start and on_end.
            not_told.map_n(0..2, |_| async {});
            not_told.join().await;
            for (pool, expected) in [(&told, Some(SECOND)), (&not_told, None)] {
                drop(pool.spawn_n(pending::<()>()));
                tokio::task::yield_now().await;
                advance(SECOND).await;
                let zero = expected.map(|_| Duration::ZERO);
                assert_eq!(times(pool), [(zero, expected)], "rate: {limited}");
            }
        }
    });
}

#[test]
fn a_fixed_runtime_has_its_own_clock_also_for_callers_in_another_one() {
    within("two runtimes", || {
        let paused = || {
            let builder = &mut tokio::runtime::Builder::new_current_thread();
            builder.enable_all().start_paused(true).build().unwrap()
        };
        let (ours, other) = (paused(), paused());
        let builder = AioPool::builder().spawner(Tokio::handle(ours.handle().clone()));
        let pool = builder.size(1).timed(true).build().unwrap();
        other.block_on(async {
            advance(100 * SECOND).await;
            drop(pool.spawn_n(pending::<()>()));
        });
        ours.block_on(async {
            tokio::task::yield_now().await;
            advance(2 * SECOND).await;
        });
        let expected = [(Some(Duration::ZERO), Some(2 * SECOND))];
        assert_eq!(other.block_on(async { times(&pool) }), expected);
        assert_eq!(times(&pool), expected);
        pool.abort_all();
        ours.block_on(pool.join());
    });
}

#[test]
fn a_listing_of_a_pool_without_a_runtime_needs_none() {
    let pool = AioPool::builder().size(1).timed(true).build().unwrap();
    assert!(pool.tasks().is_empty());
}
