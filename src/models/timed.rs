//! Timers that run out while something else happens.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Event, block_on, check, settle, value_or, yield_once};
use crate::sync::thread;
use crate::{AioPool, Blocking, JoinError, Spawner, Worker};

/// A spawner whose sleeps all end when the event happens.
struct Alarmed(Arc<Event>);

impl Spawner for Alarmed {
    fn spawn(&self, worker: Worker) {
        thread::spawn(move || block_on(worker));
    }

    fn spawn_blocking(&self, work: Blocking) {
        thread::spawn(move || work.run());
    }

    fn sleep(&self, _: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let event = self.0.clone();
        Some(Box::pin(async move { event.happened().await }))
    }
}

fn timed_pool(size: usize) -> (AioPool, Arc<Event>) {
    let event = Arc::new(Event::default());
    (AioPool::with_spawner(size, Alarmed(event.clone())), event)
}

const SOON: Duration = Duration::from_secs(1);

#[test]
fn a_task_that_waits_too_long_times_out_or_has_started() {
    check(|| {
        let (pool, time_is_over) = timed_pool(1);
        let first = pool.spawn_n(async {});
        let second = pool.task(async {}).wait_timeout(SOON).spawn_n();
        time_is_over.happen();
        value_or(block_on(second), JoinError::is_timeout);
        block_on(first).unwrap();
        settle(&pool);
    });
}

#[test]
fn a_task_that_runs_too_long_times_out_or_has_ended() {
    check(|| {
        let (pool, time_is_over) = timed_pool(1);
        let handle = pool.task(yield_once()).timeout(SOON).spawn_n();
        time_is_over.happen();
        value_or(block_on(handle), JoinError::is_timeout);
        settle(&pool);
    });
}

#[test]
fn work_that_blocks_is_aborted_before_its_turn_or_ends() {
    check(|| {
        let (pool, _) = timed_pool(1);
        let handle = pool.spawn_blocking(|| 1);
        handle.abort();
        let value = value_or(block_on(handle), JoinError::is_cancelled);
        assert!(matches!(value, None | Some(1)));
        settle(&pool);
    });
}
