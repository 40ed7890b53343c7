//! How far a stream of results pulls its input ahead of the reader: as far as the pool can run, and little in one poll.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

use aiopool::{AioPool, ReturnWhen};
use futures::{Stream, StreamExt, stream};

use crate::support::{Hand, Reader, on_every_runtime};

type Results = Pin<Box<dyn Stream<Item = ()> + Send>>;

/// Counts what is pulled of an endless input.
#[derive(Clone, Default)]
struct Pulled(Arc<AtomicUsize>);

impl Pulled {
    fn items(&self) -> impl Iterator<Item = usize> + Send + 'static {
        let pulled = self.0.clone();
        std::iter::from_fn(move || Some(pulled.fetch_add(1, SeqCst)))
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// The verbs that give results as a stream, reading an endless input.
fn verbs<F, Fut>(pool: &AioPool, f: F) -> Vec<(&'static str, Results, Pulled)>
where
    F: Fn(usize) -> Fut + Clone + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send,
{
    let mut verbs: Vec<(&'static str, Results, Pulled)> = Vec::new();
    let mut add = |name, make: &dyn Fn(Pulled) -> Results| {
        let pulled = Pulled::default();
        verbs.push((name, make(pulled.clone()), pulled));
    };
    add("itermap", &|pulled| {
        Box::pin(pool.itermap(pulled.items(), f.clone()).map(drop))
    });
    add("ordered", &|pulled| {
        Box::pin(pool.itermap(pulled.items(), f.clone()).ordered().map(drop))
    });
    add("batches", &|pulled| {
        let results = pool.itermap(pulled.items(), f.clone());
        Box::pin(results.batches(ReturnWhen::FirstCompleted).map(drop))
    });
    add("itermap_stream", &|pulled| {
        let items = stream::iter(pulled.items());
        Box::pin(pool.itermap_stream(items, f.clone()).map(drop))
    });
    verbs
}

#[test]
fn a_poll_is_bounded_whatever_the_input_and_the_pool() {
    for size in [1, 4, 100_000, AioPool::UNBOUNDED] {
        let (_hand, pool) = Hand::pool(size);
        for (verb, mut results, pulled) in verbs(&pool, |_| std::future::pending::<()>()) {
            let reader = Reader::new();
            assert!(reader.poll_next(results.as_mut()).is_pending());
            assert!((1..100).contains(&pulled.count()), "{verb} at size {size}");
            assert!(reader.is_woken() || pulled.count() >= size, "{verb}");
        }
        let pulled = Pulled::default();
        let endless = pool.itermap(pulled.items(), |_| std::future::pending::<()>());
        let mut endless = pin!(endless.buffer(usize::MAX));
        for poll in 1..50 {
            let reader = Reader::new();
            assert!(reader.poll_next(endless.as_mut()).is_pending());
            assert!(pulled.count() < poll * 100 && reader.is_woken());
        }
    }
}

#[test]
fn a_slow_input_is_not_pulled_for_long_in_one_poll() {
    let (_hand, pool) = Hand::pool(1000);
    let pulled = Pulled::default();
    let slow = pulled
        .items()
        .inspect(|_| std::thread::sleep(Duration::from_millis(1)));
    let mut results = pin!(pool.itermap(slow, |_| std::future::pending::<()>()));
    assert!(Reader::new().poll_next(results.as_mut()).is_pending());
    assert!(pulled.count() <= 2, "{} of them", pulled.count());
}

#[test]
fn a_limit_of_time_is_kept_beside_an_endless_input() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let readers = pools.size(1);
        for size in [2, AioPool::UNBOUNDED] {
            let pool = pools.size(size);
            for (verb, mut results, _) in verbs(&pool, |_| std::future::pending::<()>()) {
                let reading = async move { results.next().await };
                let limit = Duration::from_millis(5);
                let read = readers.task(reading).timeout(limit).exec().await;
                assert!(read.unwrap_err().is_timeout(), "{verb}");
            }
        }
    });
}

#[test]
fn no_more_is_read_ahead_than_the_whole_path_of_pools_can_run() {
    let (hand, root) = Hand::pool(4);
    let wide = root.group("wide", AioPool::UNBOUNDED).unwrap();
    let inner = wide.group("inner", 1000).unwrap();
    let narrow = root.group("narrow", 2).unwrap();
    let below = narrow.group("below", AioPool::UNBOUNDED).unwrap();
    let (_, unbounded) = Hand::pool(AioPool::UNBOUNDED);
    let paths = [
        (&root, 4),
        (&wide, 4),
        (&inner, 4),
        (&narrow, 2),
        (&below, 2),
        (&unbounded, 1024),
    ];
    for (pool, runs) in paths {
        for (verb, mut results, pulled) in verbs(pool, |n| async move { n }) {
            let (reader, mut read) = (Reader::new(), 0);
            while read < 3 {
                match reader.poll_while_woken(results.as_mut()) {
                    Poll::Ready(_) => read += 1,
                    Poll::Pending => hand.run(),
                }
                let unread = pulled.count() - if verb == "batches" { 0 } else { read };
                // The batches are read by tens.
                assert!(verb == "batches" || unread <= runs + 16, "{verb}: {unread}");
                assert!(unread <= 4 * 1100, "{verb}: {unread}");
                if pool.size() == AioPool::UNBOUNDED && runs == 1024 {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_scope_reads_no_further_ahead_than_the_pool_around_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(4);
        let pulled = pool
            .scope(|scope| async move {
                let (_, mut results, pulled) = verbs(&scope, |n| async move { n }).pop().unwrap();
                results.next().await.unwrap();
                pulled.count()
            })
            .await;
        assert!(pulled <= 4 + 16 + 1, "{pulled} for one result");
    });
}

#[test]
fn a_resize_is_followed_by_a_reader_that_waits() {
    let (_hand, root) = Hand::pool(1);
    let group = root.group("wide", AioPool::UNBOUNDED).unwrap();
    for pool in [&root, &group] {
        for (verb, mut results, pulled) in verbs(pool, |_| std::future::pending::<()>()) {
            let reader = Reader::new();
            assert!(reader.poll_while_woken(results.as_mut()).is_pending());
            for size in [100, 300] {
                root.resize(size).unwrap();
                assert!(reader.poll_while_woken(results.as_mut()).is_pending());
                assert_eq!(root.active(), size, "{verb}");
            }
            let before = pulled.count();
            root.resize(1).unwrap();
            assert!(reader.poll_while_woken(results.as_mut()).is_pending());
            assert_eq!(pulled.count(), before, "{verb}: it has shrunk");
            drop(results);
            _hand.run();
        }
    }
}

#[test]
fn a_resize_is_followed_on_every_runtime() {
    on_every_runtime(|pools| async move {
        let (readers, pool) = (pools.size(1), pools.size(1));
        let (_, mut results, _) = verbs(&pool, |_| std::future::pending::<()>())
            .pop()
            .unwrap();
        let reading = readers.spawn_n(async move { results.next().await });
        let grown = async |size| {
            while pool.active() < size {
                crate::support::yield_now().await;
            }
        };
        grown(1).await;
        pool.resize(5).unwrap();
        grown(5).await;
        assert!(reading.cancel().await.is_err());
        pool.join().await;
    });
}

#[test]
fn a_reader_that_is_gone_hears_of_no_resize() {
    let (_hand, pool) = Hand::pool(1);
    let mut results = verbs(&pool, |_| std::future::pending::<()>());
    let reader = Reader::new();
    for (_, results, _) in &mut results {
        assert!(reader.poll_next(results.as_mut()).is_pending());
    }
    drop(results);
    let _ = reader.poll(pin!(std::future::pending::<()>()));
    pool.resize(9).unwrap();
    assert!(!reader.is_woken());
}
