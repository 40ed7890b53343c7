//! Large futures: they move to their box without filling the stack.

use std::thread;
use std::time::Duration;

use aiopool::AioPool;

use crate::support::yield_now;

const KIBIBYTE: usize = 1024;

/// A future of 256 KiB.
async fn large() -> u8 {
    let kept = [7_u8; 256 * KIBIBYTE];
    yield_now().await;
    kept[0]
}

/// Runs a step on a thread with the stack that threads usually have.
fn on_a_usual_stack(step: fn(&AioPool)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let inside = runtime.handle().clone();
    let run = move || {
        let _inside = inside.enter();
        let timed = AioPool::builder().size(1).timed(true);
        for pool in [AioPool::new(1), timed.build().unwrap()] {
            step(&pool);
            inside.block_on(pool.join());
            assert_eq!(pool.stats().completed, 1);
        }
    };
    let thread = thread::Builder::new().stack_size(2048 * KIBIBYTE);
    thread.spawn(run).unwrap().join().unwrap();
}

#[test]
fn spawn_n_takes_a_large_future() {
    on_a_usual_stack(|pool| drop(pool.spawn_n(large())));
}

#[test]
fn a_task_with_options_takes_a_large_future() {
    on_a_usual_stack(|pool| {
        let task = pool.task(large());
        assert!(size_of_val(&task) < KIBIBYTE);
        let task = task.name("large").priority(1).weight(1);
        let task = task.timeout(Duration::from_secs(60)).on_end(|_| {});
        drop(task.spawn_n());
    });
}

#[test]
fn map_n_takes_large_futures() {
    on_a_usual_stack(|pool| drop(pool.map_n(0..1, |_| large())));
}

#[test]
fn spawn_takes_a_large_future_and_is_small_itself() {
    on_a_usual_stack(|pool| {
        let spawning = pool.spawn(large());
        assert!(size_of_val(&spawning) < KIBIBYTE);
        drop(futures::executor::block_on(spawning));
    });
}

#[test]
fn exec_takes_a_large_future_and_is_small_itself() {
    on_a_usual_stack(|pool| {
        let running = pool.exec(large());
        assert!(size_of_val(&running) < KIBIBYTE);
        assert_eq!(futures::executor::block_on(running).unwrap(), 7);
    });
}
