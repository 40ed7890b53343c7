//! Feeds and result streams that end before their input does.

use std::iter::repeat_with;
use std::sync::Arc;

use super::super::in_random_orders::choose;
use super::super::{block_on, check, pool, yield_once};
use super::{Meter, panic_silently, settle_all};
use crate::sync::thread;
use crate::{AioPool, Feed};

/// Reads some of the results of many tasks, and drops the others.
fn read_some(pool: &AioPool, token: &Arc<()>) {
    let items = repeat_with(|| token.clone()).take(6);
    let results = pool.itermap(items.collect::<Vec<_>>(), |token| async move {
        yield_once().await;
        token
    });
    let results = results.buffer(1 + choose(3));
    let mut results = if choose(2) == 0 {
        results.ordered()
    } else {
        results
    };
    for _ in 0..choose(8) {
        if let Some(result) = block_on(results.next()) {
            drop(result.expect("nobody has cancelled it"));
        }
    }
}

fn feed(pool: &AioPool, token: &Arc<()>) -> Feed {
    let (kept, breaks_at) = (token.clone(), choose(12));
    pool.feed(0..6, move |number| {
        if number == breaks_at {
            panic_silently();
        }
        let kept = kept.clone();
        async move {
            yield_once().await;
            drop(kept);
        }
    })
}

/// Waits for the end of a feed, or ends it before.
fn end(feed: Feed) {
    let is_aborted = choose(2) == 0 && feed.abort();
    if choose(3) == 0 {
        return;
    }
    let report = block_on(feed);
    let ended = report.completed + report.cancelled + report.failed;
    assert!(is_aborted || report.broken || ended == 6, "{report:?}");
}

#[test]
fn consumers_that_leave_in_the_midst_take_their_tasks_with_them() {
    check(|| {
        let (pool, token) = (pool(2), Arc::new(()));
        let threads: Vec<_> = (0..3)
            .map(|number| {
                let (pool, token) = (pool.clone(), token.clone());
                thread::spawn(move || match number {
                    0 => read_some(&pool, &token),
                    _ => end(feed(&pool, &token)),
                })
            })
            .collect();
        let meter = Meter::new(2);
        for _ in 0..3 {
            let meter = meter.clone();
            let task = async move { drop(meter.enter()) };
            block_on(pool.exec(task)).unwrap();
        }
        for thread in threads {
            thread.join().unwrap();
        }
        settle_all(&pool);
        assert_eq!(Arc::strong_count(&token), 1, "nothing is kept");
    });
}

#[test]
fn the_first_error_of_a_try_map_ends_the_rest() {
    check(|| {
        let pool = pool(2);
        let other = pool.clone();
        let there = thread::spawn(move || block_on(other.map(0..3, |_| yield_once())));
        let fails_at = choose(6);
        let sums = pool.try_map(0..4, |number| async move {
            yield_once().await;
            if number == fails_at {
                Err(number)
            } else {
                Ok(number)
            }
        });
        assert_eq!(block_on(sums).is_err(), fails_at < 4);
        assert!(there.join().unwrap().iter().all(Result::is_ok));
        settle_all(&pool);
    });
}
