//! Streams as input: `map_stream`, `try_map_stream`, `itermap_stream`, and the verbs as methods of streams.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;

use aiopool::{AioPool, PoolStreamExt, ReturnWhen, TryMapError, iterwait};
use futures::channel::mpsc::unbounded;
use futures::executor::block_on;
use futures::stream::{self, FusedStream};
use futures::{Stream, StreamExt};

use crate::assert_pending;
use crate::support::{Hand, Probe, Reader, on_every_runtime, poll_once};

/// Gives the numbers below `count`, and is pending before each of them. It is not `Unpin`.
fn slow(count: usize) -> impl Stream<Item = usize> + Send + 'static {
    stream::unfold(0, move |n| async move {
        crate::support::yield_now().await;
        (n < count).then_some((n, n + 1))
    })
}

#[test]
fn every_verb_gives_for_a_stream_what_it_gives_for_an_iterator() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let double = |n: usize| async move { n * 2 };
        let expected: Vec<_> = (0..100).map(|n| n * 2).collect();

        let mapped = pool.map_stream(slow(100), double).await;
        let mapped: Vec<_> = mapped.into_iter().map(Result::unwrap).collect();
        assert_eq!(mapped, expected);

        let tried = pool.try_map_stream(slow(100), |n| async move { Ok::<_, ()>(n * 2) });
        assert_eq!(tried.await.unwrap(), expected);

        let mut results = pool.itermap_stream(slow(100), double).ordered().buffer(7);
        for expected in &expected {
            assert_eq!(results.next().await.unwrap().unwrap(), *expected);
        }
        assert!(results.next().await.is_none());

        let results = slow(100).map_on(&pool, double).buffer(64);
        let batches = results.batches(ReturnWhen::FirstCompleted);
        let mut all: Vec<_> = batches
            .flat_map(stream::iter)
            .map(Result::unwrap)
            .collect()
            .await;
        all.sort_unstable();
        assert_eq!(all, expected);
    });
}

#[test]
fn map_stream_polls_its_stream_as_permits_free() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(6);
    let pulled = Cell::new(0);
    let items = stream::iter(&probes).inspect(|_| pulled.set(pulled.get() + 1));
    let mut map = pin!(pool.map_stream(items, |probe| probe.task(())));
    assert_pending!(map);
    assert_eq!(pulled.get(), 3, "two run, and one waits for a permit");
    probes[0].end();
    hand.run();
    assert_pending!(map);
    assert_eq!(pulled.get(), 4);
    probes.iter().for_each(Probe::end);
    while poll_once(map.as_mut()).is_pending() {
        hand.run();
    }
}

#[test]
fn the_tasks_of_a_map_stream_run_while_its_stream_is_pending() {
    let (hand, pool) = Hand::pool(2);
    let (send, receive) = unbounded();
    let reader = Reader::new();
    let mut map = pin!(pool.map_stream(receive, |n: i32| async move { n }));
    assert!(reader.poll(map.as_mut()).is_pending());
    send.unbounded_send(1).unwrap();
    assert!(reader.is_woken());
    assert!(reader.poll(map.as_mut()).is_pending());
    hand.run();
    assert_eq!((pool.stats().completed, pool.len()), (1, 0));
    drop(send);
    let results = block_on(map);
    assert_eq!(
        results.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
        [1]
    );
}

#[test]
fn a_failure_ends_a_try_map_stream_whose_stream_is_pending() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(2);
    let items = stream::iter(0..2).chain(stream::pending());
    let f = |n: usize| probes[n].task(if n == 1 { Err("no") } else { Ok(()) });
    let reader = Reader::new();
    let mut map = Box::pin(pool.try_map_stream(items, f));
    assert!(reader.poll(map.as_mut()).is_pending());
    hand.run();
    probes[1].end();
    hand.run();
    assert!(reader.is_woken());
    assert!(
        reader.poll(map.as_mut()).is_pending(),
        "the other task is to stop first"
    );
    hand.run();
    let failed = poll_once(map.as_mut());
    assert!(matches!(
        failed,
        std::task::Poll::Ready(Err(TryMapError::Task("no")))
    ));
    assert!(pool.is_empty());
}

#[test]
fn a_task_that_awaits_a_try_map_stream_of_its_own_pool_lends_its_permit() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let outer = pool.spawn_n(async move {
            let (send, receive) = futures::channel::mpsc::channel::<u32>(1);
            let items = stream::iter([3]).chain(receive);
            let send = Arc::new(std::sync::Mutex::new(Some(send)));
            // The only task ends the stream.
            let map = inner.try_map_stream(items, |n| {
                let send = send.clone();
                async move {
                    send.lock().unwrap().take();
                    Ok::<_, ()>(n)
                }
            });
            map.await
        });
        assert_eq!(outer.await.unwrap().unwrap(), [3]);
    });
}

#[test]
fn a_buffer_is_the_limit_of_a_stream_too() {
    let (hand, pool) = Hand::pool(10);
    let pulled = Cell::new(0);
    let items = stream::iter(0..).inspect(|_| pulled.set(pulled.get() + 1));
    let mut results = items
        .map_on(&pool, |n: u64| async move { n })
        .ordered()
        .buffer(4);
    assert!(poll_once(pin!(results.next())).is_pending());
    for read in 0..20 {
        hand.run();
        assert_eq!(block_on(results.next()).unwrap().unwrap(), read);
        assert_eq!(pulled.get(), 4 + read);
    }
}

#[test]
fn a_stream_is_dropped_at_its_end_and_not_polled_again() {
    let (hand, pool) = Hand::pool(1);
    let alive = Arc::new(());
    let inside = alive.clone();
    let mut ended = false;
    let items = stream::poll_fn(move |_| {
        let _ = &inside;
        assert!(!std::mem::replace(&mut ended, true), "it has ended");
        std::task::Poll::Ready(None::<()>)
    });
    let mut results = pool.itermap_stream(items, |()| async {});
    assert!(block_on(results.next()).is_none());
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(block_on(results.next()).is_none());
    assert!(results.is_terminated());
    hand.run();
}

#[test]
fn a_size_hint_is_what_is_left_of_the_input_and_what_is_not_read() {
    let (hand, pool) = Hand::pool(2);
    let mut results = pool.itermap(0..30, |n: u64| async move { n });
    let mut streamed = pool.itermap_stream(stream::iter(0..30), |n: u64| async move { n });
    for left in (0..30).rev() {
        assert_eq!(results.size_hint(), (left + 1, Some(left + 1)));
        assert_eq!(streamed.size_hint(), (left + 1, Some(left + 1)));
        assert!(!results.is_terminated() && !streamed.is_terminated());
        while poll_once(pin!(results.next())).is_pending() {
            hand.run();
        }
        while poll_once(pin!(streamed.next())).is_pending() {
            hand.run();
        }
    }
    assert!(block_on(results.next()).is_none() && block_on(streamed.next()).is_none());
    assert_eq!(
        (results.size_hint(), streamed.size_hint()),
        ((0, Some(0)), (0, Some(0)))
    );
    assert!(results.is_terminated() && streamed.is_terminated());

    let endless = pool.itermap(0_u64.., |n| async move { n });
    assert_eq!(endless.size_hint(), (usize::MAX, None));
    let unknown = pool.itermap_stream(slow(3), |n| async move { n });
    assert_eq!(unknown.size_hint(), (0, None));
}

#[test]
fn batches_are_fused_and_have_as_many_batches_as_results_at_most() {
    let (hand, pool) = Hand::pool(2);
    let mut batches = pool
        .itermap(0..5, |n| async move { n })
        .batches(ReturnWhen::AllCompleted);
    assert_eq!(batches.size_hint(), (1, Some(5)));
    assert!(poll_once(pin!(batches.next())).is_pending());
    hand.run();
    assert_eq!(batches.size_hint(), (1, Some(5)));
    assert_eq!(block_on(batches.next()).unwrap().len(), 5);
    assert!(block_on(batches.next()).is_none());
    assert_eq!(batches.size_hint(), (0, Some(0)));
    assert!(batches.is_terminated());

    let mut results = iterwait(pool.map_n(0..2, |n| async move { n }));
    hand.run();
    assert!(!results.is_terminated());
    assert!(block_on(results.next()).is_some() && block_on(results.next()).is_some());
    assert!(results.is_terminated());
    let none = iterwait::<()>([]).batches(ReturnWhen::AllCompleted);
    assert!(none.is_terminated());
}

#[test]
fn a_panic_of_the_stream_passes_to_the_reader_and_the_results_can_still_be_read() {
    let (hand, pool) = Hand::pool(2);
    let items = stream::iter(0..3).inspect(|n| assert_ne!(*n, 1, "on purpose"));
    let mut results = pool.itermap_stream(items, |n| async move { n });
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        poll_once(pin!(results.next())).is_ready()
    }));
    assert!(polled.is_err());
    hand.run();
    assert_eq!(block_on(results.next()).unwrap().unwrap(), 0);
}

#[test]
fn the_results_of_a_borrowed_stream_need_no_static_lifetime() {
    let (hand, pool) = Hand::pool(2);
    let words = ["a".to_string(), "bb".to_string()];
    let borrowed = stream::iter(&words);
    let results = borrowed.map_on(&pool, |word| {
        let length = word.len();
        async move { length }
    });
    let mut results = pin!(results.ordered());
    assert!(poll_once(pin!(results.next())).is_pending());
    hand.run();
    assert_eq!(block_on(results.next()).unwrap().unwrap(), 1);
    fn generic<I: Iterator<Item = u8>>(pool: &AioPool, items: I) -> usize {
        block_on(pool.itermap(items, |n| async move { n }).count())
    }
    pool.close();
    assert_eq!(generic(&pool, 0..3), 3);
}
