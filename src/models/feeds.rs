//! How feeds end.

use std::sync::Arc;

use futures_util::stream;

use super::ends::dropping_pool;
use super::{Event, block_on, check, pool, settle, yield_once};
use crate::sync::thread;

#[test]
fn a_feed_reports_when_its_last_task_has_ended() {
    check(|| {
        let pool = pool(1);
        let report = block_on(pool.feed(0..2, |_| yield_once()));
        assert_eq!(report.completed, 2);
        settle(&pool);
    });
}

#[test]
fn a_feed_that_is_aborted_meanwhile_reports_all_that_it_has_started() {
    check(|| {
        let pool = pool(1);
        let feed = pool.feed(0..2, |_| async {});
        feed.abort();
        let report = block_on(feed);
        let ended = report.completed + report.cancelled;
        assert_eq!(ended, pool.stats().started);
        settle(&pool);
        assert_eq!(ended, pool.stats().started, "it starts no more");
    });
}

#[test]
fn a_feed_hears_of_the_items_and_the_end_of_its_stream() {
    check(|| {
        let (pool, event) = (pool(1), Arc::new(Event::default()));
        let awaited = event.clone();
        let items = stream::once(async move { awaited.happened().await });
        let feed = pool.feed_stream(items, |()| async {});
        event.happen();
        assert_eq!(block_on(feed).completed, 1);
        settle(&pool);
    });
}

#[test]
fn a_feed_is_aborted_once_though_its_stream_never_goes_on() {
    check(|| {
        let pool = pool(1);
        let feed = Arc::new(pool.feed_stream(stream::pending::<()>(), |()| async {}));
        let other = feed.clone();
        let there = thread::spawn(move || other.abort());
        let asked = feed.abort();
        assert!(asked ^ there.join().unwrap(), "it is asked once");
        let feed = Arc::into_inner(feed).expect("the other thread has ended");
        assert_eq!(block_on(feed).completed, 0);
        settle(&pool);
    });
}

#[test]
fn a_feed_whose_workers_are_dropped_counts_each_of_its_tasks() {
    check(|| {
        let pool = dropping_pool();
        let report = block_on(pool.feed(0..2, |_| yield_once()));
        let ended = report.completed + report.cancelled + report.failed;
        assert_eq!(ended, 2, "{report:?}");
        settle(&pool);
    });
}
