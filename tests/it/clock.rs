//! What keeps the time of a pool: one timer at most, as long as there is something to time.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use aiopool::{AioPool, Spawner, Tokio, Worker};
use tokio::runtime::{Handle, Runtime};
use tokio::time::{Instant, advance, sleep};

use crate::support::{Timed, on_every_runtime, on_tokio, within};

const SECOND: Duration = Duration::from_secs(1);

/// Counts the runtime tasks that a pool asks for.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Spawner for Counting {
    fn spawn(&self, worker: Worker) {
        self.0.fetch_add(1, SeqCst);
        Tokio::current().spawn(worker);
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Tokio::current().sleep(duration)
    }

    fn now(&self) -> std::time::Instant {
        Tokio::current().now()
    }
}

async fn until_no_task_is_alive() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn tasks_that_wait_have_one_timer_together() {
    on_tokio(async {
        let counting = Counting::default();
        let pool = AioPool::with_spawner(1, counting.clone());
        let busy = pool.spawn(pending::<()>()).await;
        let wait = |n: u32| pool.task(async {}).wait_timeout(n * SECOND).spawn_n();
        let handles: Vec<_> = (0..20_000_u32).map(|n| wait(1 + n % 7)).collect();
        let begun = Instant::now();
        sleep(SECOND / 2).await;
        assert_eq!(counting.0.load(SeqCst), 2);
        assert_eq!(pool.waiting(), 20_000);
        for handle in handles {
            assert!(handle.await.unwrap_err().is_wait_timeout());
        }
        assert_eq!(begun.elapsed(), 7 * SECOND);
        assert_eq!(counting.0.load(SeqCst), 2);
        busy.cancel().await.unwrap_err();
        until_no_task_is_alive().await;
    });
}

#[test]
fn each_task_waits_for_its_own_time() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let busy = pool.spawn(pending::<()>()).await;
        let begun = Instant::now();
        let wait = |n: u32| pool.task(async {}).wait_timeout(n * SECOND).spawn_n();
        let handles = [5, 3, 4, 1, 2].map(|n| (n, wait(n)));
        for (seconds, handle) in handles.into_iter().rev().take(2).rev() {
            assert!(handle.await.unwrap_err().is_wait_timeout());
            assert_eq!(begun.elapsed().as_secs(), u64::from(seconds));
        }
        busy.abort();
        pool.join().await;
        assert_eq!(pool.stats().completed, 3);
    });
}

#[test]
fn the_timer_ends_with_the_last_that_it_is_for() {
    let (timed, pool) = Timed::pool(1);
    let busy = pool.spawn_n(pending::<()>());
    let handles: Vec<_> = (0..100)
        .map(|_| pool.task(async {}).wait_timeout(SECOND).spawn_n())
        .collect();
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 2);
    handles.iter().for_each(|handle| assert!(handle.abort()));
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 1);
    let next = pool.task(async {}).wait_timeout(SECOND).spawn_n();
    busy.abort();
    timed.hand.run();
    assert!(next.is_finished());
    assert_eq!(timed.hand.workers(), 0);
}

#[test]
fn pools_that_are_gone_leave_no_timer() {
    on_tokio(async {
        for _ in 0..1000 {
            let pool = AioPool::builder().size(1).rate(1, 3600 * SECOND);
            let pool = pool.build().unwrap();
            pool.exec(async {}).await.unwrap();
            let waits = pool.task(async {}).wait_timeout(3600 * SECOND).spawn_n();
            let other = pool.spawn_n(async {});
            tokio::task::yield_now().await;
            assert!(waits.abort() && other.abort());
        }
        let begun = Instant::now();
        until_no_task_is_alive().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_pool_whose_rate_is_not_used_up_has_no_timer() {
    on_tokio(async {
        let counting = Counting::default();
        let pool = AioPool::builder().size(1).rate(100, 3600 * SECOND);
        let pool = pool.spawner(counting.clone()).build().unwrap();
        pool.map(0..100, |_| async {}).await;
        pool.join().await;
        until_no_task_is_alive().await;
        let workers = counting.0.load(SeqCst);
        let waits = pool.spawn_n(async {});
        assert_eq!(counting.0.load(SeqCst), workers + 1);
        waits.abort();
        until_no_task_is_alive().await;
    });
}

#[test]
fn what_waits_for_the_rate_runs_on_when_the_pool_is_dropped() {
    on_tokio(async {
        let ran = Arc::new(AtomicUsize::new(0));
        let task = |ran: &Arc<AtomicUsize>| {
            let ran = ran.clone();
            async move {
                ran.fetch_add(1, SeqCst);
            }
        };
        let pool = AioPool::builder().size(1).rate(1, SECOND).build().unwrap();
        drop(pool.spawn_n(task(&ran)));
        drop(pool.spawn_n(task(&ran)));
        let fed = ran.clone();
        drop(pool.feed(0..3, move |_| task(&fed)));
        drop(pool);
        sleep(10 * SECOND).await;
        assert_eq!(ran.load(SeqCst), 5);
        until_no_task_is_alive().await;
    });
}

#[test]
fn a_permit_that_is_there_beats_the_time_to_wait() {
    on_tokio(async {
        let pool = AioPool::builder().size(2).rate(1, SECOND).build().unwrap();
        pool.exec(async {}).await.unwrap();
        let waits = pool.task(async { 7 }).wait_timeout(2 * SECOND).spawn_n();
        advance(10 * SECOND).await;
        assert_eq!(waits.await.unwrap(), 7);
    });
}

#[test]
fn a_task_that_may_not_wait_starts_at_once_or_never() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        for _ in 0..50 {
            let task = pool.task(async { 7 }).wait_timeout(Duration::ZERO);
            assert_eq!(task.exec().await.unwrap(), 7, "on {}", pools.runtime);
            pool.join().await;
            let busy = pool.spawn(pending::<()>()).await;
            let task = pool.task(async { 7 }).wait_timeout(Duration::ZERO);
            assert!(task.exec().await.unwrap_err().is_wait_timeout());
            busy.cancel().await.unwrap_err();
        }
    });
}

#[test]
fn a_time_without_end_is_no_limit() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let builder = pools.builder().size(1).rate(1, Duration::MAX);
        let pool = builder.build().unwrap();
        let task = pool.task(async { 7 }).wait_timeout(Duration::MAX);
        assert_eq!(task.timeout(Duration::MAX).exec().await.unwrap(), 7);
        let never = pool.task(async {}).wait_timeout(Duration::MAX).spawn_n();
        assert!(never.abort());
    });
}

#[test]
fn a_timer_whose_runtime_ends_goes_on_elsewhere() {
    within("two runtimes", || {
        let pool = AioPool::with_spawner(1, Tokio::current());
        let [first, second] = [(); 2].map(|()| Runtime::new().unwrap());
        let busy = second.block_on(pool.spawn(pending::<()>()));
        let wait = |n| pool.task(async {}).wait_timeout(n * SECOND / 20).spawn_n();
        let inside = first.enter();
        let waits = wait(1);
        drop(inside);
        drop(first);
        second.block_on(async {
            let others = wait(1000);
            assert!(waits.await.unwrap_err().is_wait_timeout());
            assert!(!others.is_finished());
            busy.cancel().await.unwrap_err();
            others.await.unwrap();
        });
    });
}
