//! DESIGN 3.11: when the pool is idle, what was submitted has ended in one of five ways.

use std::time::Duration;

use aiopool::Stats;

use crate::support::{on_every_runtime, on_tokio};

fn ended(stats: Stats) -> u64 {
    stats.completed + stats.panicked + stats.cancelled + stats.timed_out + stats.rejected
}

async fn fails() {
    panic!("on purpose")
}

#[test]
fn the_counters_add_up() {
    on_every_runtime(|pools| async move {
        let pool = pools.builder().size(2).max_waiting(50).build().unwrap();
        drop(pool.map_n(0..10, |n| async move { n }));
        drop(pool.apply(10, fails));
        pool.join().await;
        drop(pool.map_n(0..10, |_| std::future::pending::<()>()));
        assert_eq!(pool.cancel_all().await, 10);
        pool.pause();
        drop(pool.map_n(0..60, |_| async {}));
        assert!(pool.try_spawn(async {}).is_err());
        pool.resume();
        pool.join().await;
        let stats = pool.stats();
        assert_eq!(stats.completed, 60);
        assert_eq!(
            (stats.panicked, stats.cancelled, stats.rejected),
            (10, 10, 10)
        );
        assert_eq!((stats.submitted, ended(stats)), (90, 90));
        assert_eq!(stats.refused, 1);
    });
}

#[test]
fn timeouts_are_counted_apart() {
    on_tokio(async {
        let pool = aiopool::AioPool::new(1);
        let long = pool
            .task(std::future::pending::<()>())
            .timeout(Duration::from_secs(5))
            .spawn_n();
        let impatient = pool
            .task(async {})
            .wait_timeout(Duration::from_secs(1))
            .spawn_n();
        assert!(impatient.await.unwrap_err().is_timeout());
        assert!(long.await.unwrap_err().is_timeout());
        let stats = pool.stats();
        assert_eq!((stats.timed_out, stats.started, stats.submitted), (2, 1, 2));
    });
}

#[test]
fn a_handle_that_settles_finds_the_counters_true() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        for n in 0..300 {
            pool.exec(async {}).await.unwrap();
            assert_eq!((pool.stats().completed, pool.active()), (n + 1, 0));
        }
    });
}

#[test]
fn each_try_spawn_that_gives_its_future_back_counts_as_refused_and_as_nothing_else() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let group = pool.group("group", 1).unwrap();
        let busy = pool.try_spawn(std::future::pending::<()>()).unwrap();
        assert!(pool.try_spawn(async {}).is_err());
        assert!(group.task(async {}).name("late").try_spawn().is_err());
        assert!(busy.cancel().await.is_err());
        group.close();
        assert!(group.try_spawn(async {}).is_err());
        assert!(pool.task(async {}).weight(2).try_spawn().is_err());
        assert!(group.spawn_n(async {}).await.is_err());
        let (all, in_group) = (pool.stats(), group.stats());
        assert_eq!((all.refused, all.submitted, ended(all)), (4, 2, 2));
        assert_eq!((in_group.refused, in_group.submitted), (2, 1));
    });
}
