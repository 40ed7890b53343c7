//! Results as they come: `itermap`, `itermap_stream`, batches, `iterwait`, `wait`.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use aiopool::{AioPool, JoinError, ReturnWhen, iterwait, wait};
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once};

const SECOND: Duration = Duration::from_secs(1);

fn values<T>(results: Vec<Result<T, JoinError>>) -> Vec<T> {
    results.into_iter().map(Result::unwrap).collect()
}

async fn after(seconds: u32) -> u32 {
    sleep(SECOND * seconds).await;
    seconds
}

#[test]
fn itermap_gives_results_in_order_of_completion() {
    on_tokio(async {
        let pool = AioPool::new(10);
        let results = pool.itermap([3, 1, 2], after).collect().await;
        assert_eq!(values(results), [1, 2, 3]);
        let results = pool.itermap([3, 1, 2], after).ordered().collect().await;
        assert_eq!(values(results), [3, 1, 2]);
    });
}

#[test]
fn itermap_gives_every_result_once_on_every_runtime() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(4);
        for ordered in [false, true] {
            for buffer in [1, 3, usize::MAX] {
                let mut results = pool.itermap(0..300, |n| async move { n }).buffer(buffer);
                if ordered {
                    results = results.ordered();
                }
                let mut all = values(results.collect().await);
                if !ordered {
                    all.sort_unstable();
                }
                assert_eq!(all, (0..300).collect::<Vec<_>>());
            }
        }
    });
}

#[test]
fn itermap_gives_every_result_in_a_timed_pool_and_after_a_change_of_order() {
    on_every_runtime(|pools| async move {
        let pool = pools.builder().size(2).timed(true).build().unwrap();
        let mut results = pool.itermap(0..100, |n| async move { n });
        let first = results.next().await.unwrap().unwrap();
        let rest = values(results.ordered().collect().await);
        assert!(rest.is_sorted());
        assert_eq!(rest.iter().sum::<i32>() + first, 4950);
    });
}

#[test]
fn itermap_does_nothing_before_its_first_poll_and_then_parks_all() {
    let (_hand, pool) = Hand::pool(1);
    let mut results = pool.itermap(0..10, |n| async move { n });
    assert_eq!(pool.len(), 0);
    assert!(poll_once(pin!(results.next())).is_pending());
    assert_eq!((pool.active(), pool.waiting()), (1, 9));
}

#[test]
fn a_buffer_bounds_what_is_pulled_and_not_read() {
    let (hand, pool) = Hand::pool(2);
    let pulled = Cell::new(0);
    let items = (0..).inspect(|_| pulled.set(pulled.get() + 1));
    let mut results = pool
        .itermap(items, |n| async move { n })
        .buffer(3)
        .ordered();
    assert!(poll_once(pin!(results.next())).is_pending());
    hand.run();
    assert_eq!(pulled.get(), 3, "all have ended, and none is read");
    for n in 0..10 {
        let result = poll_once(pin!(results.next()));
        assert!(matches!(result, std::task::Poll::Ready(Some(Ok(read))) if read == n));
        assert!(pulled.get() <= n as usize + 4);
        hand.run();
    }
}

#[test]
fn the_tasks_run_on_while_nobody_reads() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(4);
    let mut results = pool.itermap(probes.clone(), |probe| probe.task(()));
    assert!(poll_once(pin!(results.next())).is_pending());
    probes.iter().for_each(Probe::end);
    hand.run();
    assert!(probes.iter().all(Probe::is_dropped));
}

#[test]
fn an_early_result_does_not_wait_for_a_late_one() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let begun = Instant::now();
        let mut results = pool.itermap([20, 1], after);
        assert_eq!(results.next().await.unwrap().unwrap(), 1);
        assert_eq!(begun.elapsed(), SECOND);
    });
}

#[test]
fn batches_hold_what_is_there_and_are_never_empty() {
    on_tokio(async {
        let pool = AioPool::new(3);
        let batches = pool
            .itermap([5, 5, 5, 5], after)
            .batches(ReturnWhen::AllCompleted);
        let batches: Vec<_> = batches
            .timeout(SECOND * 6)
            .map(|batch| batch.len())
            .collect()
            .await;
        assert_eq!(batches, [3, 1]);

        let pool = AioPool::new(10);
        let batches = pool
            .itermap([1, 4, 4, 9], after)
            .batches(ReturnWhen::FirstCompleted);
        let batches: Vec<_> = batches.map(values).collect().await;
        assert_eq!(batches, [vec![1], vec![4, 4], vec![9]]);

        let batches = pool
            .itermap([7], after)
            .batches(ReturnWhen::AllCompleted)
            .timeout(SECOND);
        let batches: Vec<_> = batches.map(values).collect().await;
        assert_eq!(batches, [vec![7]], "six times there was nothing to give");
    });
}

#[test]
fn a_batch_may_end_with_the_first_error() {
    on_tokio(async {
        let pool = AioPool::new(10);
        let fails_at_two = |seconds| async move {
            sleep(SECOND * seconds).await;
            assert_ne!(seconds, 2, "on purpose");
        };
        let batches = pool
            .itermap([1, 2, 3, 4], fails_at_two)
            .batches(ReturnWhen::FirstError);
        let batches: Vec<_> = batches.map(|batch| batch.len()).collect().await;
        assert_eq!(batches, [2, 2]);
    });
}

#[test]
fn a_panicking_iterator_passes_its_panic_on_and_the_stream_goes_on() {
    let (hand, pool) = Hand::pool(1);
    let items = (0..3).inspect(|n| assert_ne!(*n, 1, "on purpose"));
    let mut results = pool.itermap(items, |n| async move { n });
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        poll_once(pin!(results.next()))
    }));
    assert!(polled.is_err());
    hand.run();
    let first = poll_once(pin!(results.next()));
    assert!(matches!(first, std::task::Poll::Ready(Some(Ok(0)))));
}

#[test]
fn itermap_stream_pulls_no_further_ahead_than_the_pool_is_large() {
    let (hand, pool) = Hand::pool(3);
    let pulled = Cell::new(0);
    let items = stream::iter(0..).inspect(|_| pulled.set(pulled.get() + 1));
    let mut results = pin!(pool.itermap_stream(items, |n: u64| async move { n }));
    assert!(poll_once(pin!(results.next())).is_pending());
    hand.run();
    assert_eq!(pulled.get(), 3);
    assert!(poll_once(pin!(results.next())).is_ready());
    assert_eq!(pulled.get(), 3);
    assert!(poll_once(pin!(results.next())).is_ready());
    assert_eq!(pulled.get(), 4);
}

#[test]
fn itermap_stream_waits_for_a_slow_stream() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let (mut send, receive) = futures::channel::mpsc::channel(1);
        let sender = pool.spawn_n(async move {
            for n in 0..50 {
                futures::SinkExt::send(&mut send, n).await.unwrap();
            }
        });
        let results = pool.itermap_stream(receive, |n| async move { n * 2 });
        let mut all = values(results.collect().await);
        all.sort_unstable();
        assert_eq!(all, (0..50).map(|n| n * 2).collect::<Vec<_>>());
        sender.await.unwrap();
    });
}

#[test]
fn iterwait_gives_results_in_order_of_completion_and_detaches_when_dropped() {
    let (hand, pool) = Hand::pool(3);
    let probes = Probe::several(3);
    let handles: Vec<_> = probes
        .iter()
        .enumerate()
        .map(|(n, probe)| pool.spawn_n(probe.task(n)))
        .collect();
    let mut results = iterwait(handles);
    {
        let mut next = pin!(results.next());
        assert_pending!(next);
        hand.run();
        probes[2].end();
        hand.run();
        assert!(matches!(
            poll_once(next.as_mut()),
            std::task::Poll::Ready(Some(Ok(2)))
        ));
    }
    drop(results);
    hand.run();
    assert!(!probes[0].is_dropped());
    assert_eq!(pool.active(), 2);
}

#[test]
fn iterwait_costs_the_same_per_result_however_many_there_are() {
    on_tokio(async {
        let pool = AioPool::new(100);
        let time_for = async |tasks: usize| {
            let handles = pool.map_n(0..tasks, |n| async move { n });
            let begun = std::time::Instant::now();
            let all = iterwait(handles).collect::<Vec<_>>().await;
            assert_eq!(all.len(), tasks);
            begun.elapsed().as_secs_f64() / tasks as f64
        };
        time_for(10_000).await;
        let (few, many) = (time_for(10_000).await, time_for(300_000).await);
        // Were it quadratic, it would be thirty times as much.
        assert!(many < few * 10.0, "{few:e} s per result, then {many:e} s");
    });
}

#[test]
fn wait_returns_results_with_their_places_and_gives_the_other_handles_back() {
    on_tokio(async {
        let pool = AioPool::new(10);
        let handles = || pool.map_n([3, 1, 2], after);
        let first = wait(handles(), ReturnWhen::FirstCompleted, None).await;
        assert_eq!(
            first
                .done
                .iter()
                .map(|(place, _)| *place)
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(first.pending.len(), 2);
        let rest = wait(first.pending, ReturnWhen::AllCompleted, None).await;
        assert_eq!(
            rest.done
                .iter()
                .map(|(place, _)| *place)
                .collect::<Vec<_>>(),
            [1, 0]
        );
        assert!(rest.pending.is_empty());

        let in_time = wait(
            handles(),
            ReturnWhen::AllCompleted,
            Some(SECOND * 2 + SECOND / 2),
        )
        .await;
        assert_eq!((in_time.done.len(), in_time.pending.len()), (2, 1));
        assert_eq!(
            in_time.pending.into_iter().next().unwrap().await.unwrap(),
            3,
            "nothing was cancelled"
        );

        let mut handles = handles();
        handles[1].abort();
        handles.push(pool.spawn_n(after(0)));
        let failed = wait(handles, ReturnWhen::FirstError, None).await;
        assert!(
            failed
                .done
                .iter()
                .any(|(place, result)| *place == 1 && result.is_err())
        );
        let nothing = wait(
            Vec::<aiopool::JoinHandle<()>>::new(),
            ReturnWhen::AllCompleted,
            Some(SECOND),
        )
        .await;
        assert!(nothing.done.is_empty() && nothing.pending.is_empty());
    });
}
