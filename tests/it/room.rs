//! A queue that has a bound: the verbs that pull their items wait for room, and no item is lost.

use std::pin::{Pin, pin};

use aiopool::{AioPool, JoinError, ReturnWhen, TryMapError};
use futures::{FutureExt, Stream, StreamExt, stream};

use crate::support::{Hand, Pools, Probe, Reader, busy, on_every_runtime};

type Results = Pin<Box<dyn Stream<Item = Result<u32, JoinError>> + Send>>;

/// All results of each verb over so many items.
fn verbs(pool: &AioPool, items: u32) -> Vec<(&'static str, Results)> {
    let task = |n: u32| async move { n };
    let pool = pool.clone();
    let (mapping, trying) = (pool.clone(), pool.clone());
    let map = async move { stream::iter(mapping.map(0..items, task).await) };
    let try_map = async move {
        let tried = trying.try_map(0..items, |n| async move { Ok::<_, String>(n) });
        let values = tried.await.map_err(|failure| match failure {
            TryMapError::Join(error) => error,
            _ => unreachable!("no task fails"),
        });
        let results: Vec<_> = match values {
            Ok(values) => values.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(results)
    };
    let batches = pool
        .itermap(0..items, task)
        .batches(ReturnWhen::AllCompleted);
    vec![
        ("itermap", Box::pin(pool.itermap(0..items, task))),
        ("ordered", Box::pin(pool.itermap(0..items, task).ordered())),
        ("buffer", Box::pin(pool.itermap(0..items, task).buffer(7))),
        (
            "no buffer",
            Box::pin(pool.itermap(0..items, task).buffer(usize::MAX)),
        ),
        (
            "itermap_stream",
            Box::pin(pool.itermap_stream(stream::iter(0..items), task)),
        ),
        ("batches", Box::pin(batches.flat_map(stream::iter))),
        ("map", Box::pin(map.flatten_stream())),
        ("try_map", Box::pin(try_map.flatten_stream())),
    ]
}

fn bounded(pools: &Pools, size: usize, waiting: usize, timed: bool) -> AioPool {
    let pool = pools.builder().size(size).max_waiting(waiting);
    pool.timed(timed).build().unwrap()
}

#[test]
fn no_item_is_refused_whatever_the_bound_of_the_queue() {
    on_every_runtime(|pools| async move {
        for (waiting, timed) in [(0, false), (1, true), (3, false), (0, true)] {
            let pool = bounded(&pools, 2, waiting, timed);
            let group = pool.group("inside", 1).unwrap();
            let bounded = |pool: &AioPool| {
                let group = pool.group_with("bounded", |group| group.size(1).max_waiting(waiting));
                group.unwrap()
            };
            let (narrow, alone) = (bounded(&group), bounded(&pools.size(2)));
            for pool in [&pool, &group, &narrow, &alone] {
                for (verb, results) in verbs(pool, 20) {
                    let all: Result<Vec<u32>, _> =
                        results.collect::<Vec<_>>().await.into_iter().collect();
                    let mut all = all.unwrap_or_else(|error| panic!("{verb}: {error}"));
                    all.sort_unstable();
                    assert_eq!(all, (0..20).collect::<Vec<_>>(), "{verb}");
                }
            }
            assert_eq!((pool.stats().rejected, alone.stats().rejected), (0, 0));
        }
    });
}

#[test]
fn no_item_is_refused_where_others_have_filled_the_queue() {
    for waiting in [0, 1, 2] {
        let hand = Hand::default();
        let pool = hand.builder().size(1).max_waiting(waiting).build().unwrap();
        let group = pool.group("inside", 1).unwrap();
        let around = hand.builder().size(1).build().unwrap();
        let bounded = around.group_with("bounded", |group| group.max_waiting(waiting));
        let bounded = bounded.unwrap();
        for pool in [&pool, &group, &bounded] {
            for (verb, mut results) in verbs(pool, 5) {
                let (probes, others) = busy(pool, 1 + waiting);
                let reader = Reader::new();
                assert!(reader.poll_while_woken(results.as_mut()).is_pending());
                assert!(pool.waiting() <= waiting + 1, "{verb} takes one place");
                probes.iter().for_each(Probe::end);
                let mut read = 0;
                while read < 5 {
                    match reader.poll_while_woken(results.as_mut()) {
                        std::task::Poll::Ready(Some(result)) => {
                            result.unwrap_or_else(|error| panic!("{verb}: {error}"));
                            read += 1;
                        }
                        std::task::Poll::Ready(None) => panic!("{verb} has lost an item"),
                        std::task::Poll::Pending => assert!(hand.step(), "{verb} hangs"),
                    }
                }
                assert!(others.iter().all(aiopool::JoinHandle::is_finished));
            }
        }
        assert_eq!((pool.stats().rejected, around.stats().rejected), (0, 0));
    }
}

#[test]
fn room_that_others_leave_is_used_before_a_task_of_its_own_ends() {
    let hand = Hand::default();
    for waiting in [0, 1, 5] {
        let pool = hand.builder().size(3).max_waiting(waiting).build().unwrap();
        let (probes, _others) = busy(&pool, 2);
        hand.run();
        for ordered in [false, true] {
            let results = pool.itermap(0.., |_| std::future::pending::<()>());
            let results = if ordered { results.ordered() } else { results };
            let mut results = pin!(results.buffer(100));
            let reader = Reader::new();
            assert!(reader.poll_while_woken(results.as_mut()).is_pending());
            probes.iter().for_each(Probe::end);
            while hand.step() {
                assert!(reader.poll_while_woken(results.as_mut()).is_pending());
            }
            assert_eq!(pool.active(), 3);
        }
        hand.run();
    }
}

#[test]
fn a_task_may_read_results_of_its_own_pool_whatever_the_bound_of_the_queue() {
    on_every_runtime(|pools| async move {
        for waiting in [0, 1] {
            let pool = bounded(&pools, 1, waiting, false);
            let verb_count = verbs(&pool, 1).len();
            for verb in 0..verb_count {
                let inside = pool.clone();
                let reading = async move {
                    let (_, results) = verbs(&inside, 5).swap_remove(verb);
                    results
                        .filter(|result| std::future::ready(result.is_ok()))
                        .count()
                        .await
                };
                assert_eq!(pool.exec(reading).await.unwrap(), 5);
            }
        }
    });
}

#[test]
fn an_endless_input_is_rejected_item_by_item_in_a_closed_pool() {
    for bound in [Some(0), Some(2), None] {
        let hand = Hand::default();
        let mut builder = hand.builder().size(2);
        if let Some(bound) = bound {
            builder = builder.max_waiting(bound);
        }
        let pool = builder.build().unwrap();
        pool.close();
        let mut results: [Results; 2] = [
            Box::pin(pool.itermap(0.., |n| async move { n })),
            Box::pin(pool.itermap_stream(stream::iter(0..), |n| async move { n })),
        ];
        for results in &mut results {
            let reader = Reader::new();
            for _ in 0..10 {
                let read = reader.poll_next(results.as_mut());
                assert!(
                    matches!(read, std::task::Poll::Ready(Some(Err(error))) if error.is_rejected())
                );
            }
        }
    }
}
