//! Tasks that block in some of their stages: `task_blocking`, `then` after it, and `then_blocking`.

use std::future::pending;
use std::pin::Pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use aiopool::{AioPool, Blocking, Spawner, Worker, current, lend};
use futures::channel::oneshot;
use futures::future::select;

use crate::support::{Hand, Probe, on_every_runtime};

/// A spawner whose workers are polled by hand, and whose blocking work waits until it is run by hand.
#[derive(Clone, Default)]
struct Held {
    hand: Hand,
    work: Arc<Mutex<Vec<Blocking>>>,
}

impl Spawner for Held {
    fn spawn(&self, worker: Worker) {
        self.hand.spawn(worker);
    }

    fn spawn_blocking(&self, work: Blocking) {
        self.work.lock().unwrap().push(work);
    }

    fn sleep(&self, _: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Some(Box::pin(pending()))
    }
}

impl Held {
    fn pool(size: usize) -> (Self, AioPool) {
        let held = Self::default();
        let pool = AioPool::with_spawner(size, held.clone());
        (held, pool)
    }

    /// Runs the blocking work that there is, on another thread. Returns how much there was.
    fn block(&self) -> usize {
        let work = std::mem::take(&mut *self.work.lock().unwrap());
        let count = work.len();
        thread::spawn(|| work.into_iter().for_each(Blocking::run))
            .join()
            .unwrap();
        count
    }

    /// Drops the blocking work that there is.
    fn refuse(&self) {
        let work = std::mem::take(&mut *self.work.lock().unwrap());
        drop(work);
    }
}

fn here() -> ThreadId {
    thread::current().id()
}

#[test]
fn blocking_work_has_all_options_of_a_task() {
    let (held, pool) = Held::pool(1);
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let order = order.clone();
        move || order.lock().unwrap().push(name)
    };
    pool.pause();
    let late = pool.task_blocking(note("late")).name("late").spawn_n();
    let first = pool.task_blocking(note("first")).priority(1).spawn_n();
    let (ended, was_ended) = channel();
    let told = pool.task_blocking(note("told"));
    let told = told.on_end(move |id| ended.send(id).unwrap()).spawn_n();
    let refused = pool.task_blocking(note("heavy")).weight(2).spawn_n();
    assert_eq!(late.name(), "late");
    assert!(refused.is_finished());
    pool.resume();
    for _ in 0..3 {
        held.hand.run();
        assert_eq!((held.block(), pool.stats().rejected), (1, 1));
    }
    held.hand.run();
    assert!([&late, &first, &told].iter().all(|task| task.is_finished()));
    assert_eq!(was_ended.recv(), Ok(told.id()));
    assert_eq!(*order.lock().unwrap(), ["first", "late", "told"]);
}

#[test]
fn what_follows_blocking_work_is_polled_at_a_worker() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let task = pool.task_blocking(here).then(|blocked| async move {
            for _ in 0..3 {
                yield_now().await;
            }
            (blocked.unwrap(), current().unwrap().id())
        });
        let handle = task.name("two stages").spawn().await;
        let (id, next) = (handle.id(), pool.spawn_n(async {}));
        let (blocked, seen) = handle.await.unwrap();
        assert!(blocked != here() && seen == id, "on {}", pools.runtime);
        next.await.unwrap();
        assert_eq!(pool.stats().completed, 2);
    });
}

#[test]
fn a_task_may_block_after_it_has_awaited_and_keeps_its_permit() {
    let (held, pool) = Held::pool(1);
    let task = pool.task(async {
        yield_now().await;
        here()
    });
    let handle = task.then_blocking(|at| (at.unwrap(), here())).spawn_n();
    let next = pool.spawn_n(async {});
    held.hand.run();
    assert_eq!(
        (pool.active(), pool.waiting()),
        (1, 1),
        "it holds its permit"
    );
    assert_eq!(held.block(), 1);
    held.hand.run();
    assert!(next.is_finished());
    let (at, blocked) = futures::executor::block_on(handle).unwrap();
    assert!(at == here() && blocked != here());
    assert_eq!(pool.stats().started, 2);
}

#[test]
fn a_task_that_was_inside_of_lend_has_its_permit_again_before_it_blocks() {
    let (held, pool) = Held::pool(1);
    let (tell, told) = oneshot::channel::<()>();
    let lends = async { _ = select(told, Box::pin(lend(pending::<()>()))).await };
    let blocks = pool.task(lends).then_blocking(|_| 1).spawn_n();
    held.hand.run();
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    held.hand.run();
    tell.send(()).unwrap();
    held.hand.run();
    assert_eq!(held.block(), 0, "another task has the only permit");
    probe.end();
    held.hand.run();
    assert_eq!(held.block(), 1);
    assert_eq!(futures::executor::block_on(blocks).unwrap(), 1);
}

#[test]
fn a_retry_that_is_asked_to_stop_has_its_permit_again_before_it_blocks() {
    let held = Held::default();
    let pool = AioPool::with_spawner(1, held.clone());
    let fails = pool.task_fn(|_| async { Err::<(), _>(7) });
    let fails = fails.retry([Duration::from_secs(1)]).grace(Duration::MAX);
    let cleans_up = fails.then_blocking(Result::unwrap).spawn_n();
    held.hand.run();
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    held.hand.run();
    assert!(cleans_up.abort());
    held.hand.run();
    assert_eq!(held.block(), 0, "another task has the only permit");
    probe.end();
    held.hand.run();
    assert_eq!(held.block(), 1);
    assert_eq!(futures::executor::block_on(cleans_up).unwrap(), Err(7));
}

#[test]
fn stages_of_both_kinds_follow_each_other_in_any_order() {
    let blocks = |stages: &mut Vec<ThreadId>| stages.push(here());
    let (held, pool) = Held::pool(1);
    let task = pool
        .task_blocking(|| vec![here()])
        .then_blocking(move |stages| {
            let mut stages = stages.unwrap();
            blocks(&mut stages);
            stages
        })
        .then(|stages| async {
            yield_now().await;
            let mut stages = stages.unwrap();
            stages.push(here());
            stages
        })
        .then(|stages| async {
            let mut stages = stages.unwrap();
            stages.push(here());
            stages
        })
        .then_blocking(move |stages| {
            let mut stages = stages.unwrap();
            blocks(&mut stages);
            stages
        })
        .then(|stages| async { stages.unwrap() });
    let handle = task.spawn_n();
    for _ in 0..2 {
        held.hand.run();
        assert_eq!(
            held.block(),
            1,
            "two stages that block in a row need one move"
        );
    }
    held.hand.run();
    let stages = futures::executor::block_on(handle).unwrap();
    let elsewhere: Vec<_> = stages.iter().map(|at| *at != here()).collect();
    assert_eq!(elsewhere, [true, true, false, false, true]);
    assert!(pool.is_empty());
}

#[test]
fn a_panic_in_a_stage_is_the_argument_of_the_next() {
    let (held, pool) = Held::pool(1);
    let task = pool.task_blocking(|| -> u8 { panic!("first") });
    let task = task
        .then(|result| async move { panic!("{}", result.unwrap_err().panic_message().unwrap()) });
    let task = task.then_blocking(|result: Result<(), _>| result.unwrap_err().to_string());
    let handle = task.name("x").spawn_n();
    held.hand.run();
    held.block();
    held.hand.run();
    held.block();
    held.hand.run();
    let text = futures::executor::block_on(handle).unwrap();
    assert_eq!(text, "task x panicked: first");
}

#[test]
fn aborted_before_it_blocks_it_never_does() {
    let (held, pool) = Held::pool(1);
    let task = pool.task(std::future::pending::<()>());
    let handle = task.then_blocking(|_| panic!("it ran")).spawn_n();
    let handle = {
        held.hand.run();
        assert!(handle.abort());
        held.hand.run();
        handle
    };
    assert!(
        futures::executor::block_on(handle)
            .unwrap_err()
            .is_cancelled()
    );
    assert_eq!(held.block(), 0);
}

#[test]
fn aborted_on_its_way_to_a_thread_it_never_blocks() {
    let (held, pool) = Held::pool(1);
    let work = || panic!("it ran");
    let builders = [
        pool.task_blocking(work).spawn_n(),
        pool.task(async {}).then_blocking(move |_| work()).spawn_n(),
    ];
    for handle in builders {
        held.hand.run();
        assert!(handle.abort() && !handle.is_finished());
        assert_eq!(held.block(), 1);
        let error = futures::executor::block_on(handle).unwrap_err();
        assert!(error.is_cancelled(), "{error}");
    }
    assert!(pool.is_empty());
}

#[test]
fn aborted_while_it_blocks_it_ends_there_or_at_the_next_stage() {
    for goes_on in [false, true] {
        let (held, pool) = Held::pool(1);
        let aborting = pool.clone();
        let first = pool.task_blocking(move || {
            assert_eq!(aborting.abort_all(), 1);
            7
        });
        let handle = if goes_on {
            first.then(|_| async { panic!("it was polled") }).spawn_n()
        } else {
            first.spawn_n()
        };
        held.hand.run();
        assert_eq!(held.block(), 1);
        held.hand.run();
        match futures::executor::block_on(handle) {
            Ok(value) => assert!(value == 7 && !goes_on),
            Err(error) => assert!(error.is_cancelled() && goes_on, "{error}"),
        }
        assert_eq!(pool.active(), 0);
    }
}

#[test]
fn a_runtime_that_has_no_place_to_block_ends_the_task_there() {
    let (held, pool) = Held::pool(1);
    let handle = pool.task(async {}).then_blocking(|_| 1).spawn_n();
    held.hand.run();
    held.refuse();
    let error = futures::executor::block_on(handle).unwrap_err();
    assert!(error.is_cancelled(), "it had begun: {error}");
    assert_eq!((pool.active(), pool.stats().cancelled), (0, 1));
}

#[test]
fn a_runtime_that_ends_before_the_task_is_back_cancels_it() {
    let (held, pool) = Held::pool(1);
    let handle = pool
        .task_blocking(|| 1)
        .then(|_| std::future::pending::<()>())
        .spawn_n();
    held.hand.run();
    held.block();
    held.hand.drop_workers();
    let error = futures::executor::block_on(handle).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(pool.is_empty());
}

#[test]
fn a_time_limit_begins_to_count_for_what_follows_the_work() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let task = pool.task_blocking(|| 7).timeout(Duration::from_millis(1));
        assert_eq!(task.exec().await.unwrap(), 7);
        let task = pool
            .task_blocking(|| 7)
            .then(|_| std::future::pending::<()>());
        let task = task.timeout(Duration::from_millis(5));
        assert!(task.exec().await.unwrap_err().is_run_timeout());
    });
}

async fn yield_now() {
    let mut has_yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
