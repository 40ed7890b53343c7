//! Results as they come: `itermap`, `itermap_stream`, batches, `iterwait`, `wait`.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::time::Duration;

use aiopool::{AioPool, JoinError, ReturnWhen, Spawner, Worker, iterwait, wait};
use futures::{Stream, StreamExt, stream};
use tokio::time::{Instant, sleep};

use crate::assert_pending;
use crate::support::{Hand, Probe, Reader, on_every_runtime, on_tokio, poll_once};

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
fn itermap_does_nothing_before_its_first_poll() {
    let (_hand, pool) = Hand::pool(1);
    let mut results = pin!(pool.itermap(0..10, |n| async move { n }));
    assert_eq!(pool.len(), 0);
    let reader = Reader::new();
    assert!(reader.poll_while_woken(results.as_mut()).is_pending());
    assert_eq!((pool.active(), pool.waiting()), (1, 9));
}

#[test]
fn a_buffer_without_a_bound_parks_all() {
    let (_hand, pool) = Hand::pool(1);
    let results = pool.itermap(0..1000, |n| async move { n });
    let mut results = pin!(results.buffer(usize::MAX));
    let reader = Reader::new();
    assert!(reader.poll_while_woken(results.as_mut()).is_pending());
    assert_eq!((pool.active(), pool.waiting()), (1, 999));
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
fn itermap_stream_pulls_as_far_ahead_as_itermap_does() {
    let (hand, pool) = Hand::pool(3);
    let pulled = Cell::new(0);
    let items = stream::iter(0..).inspect(|_| pulled.set(pulled.get() + 1));
    let mut results = pin!(pool.itermap_stream(items, |n: u64| async move { n }));
    assert!(poll_once(pin!(results.next())).is_pending());
    hand.run();
    assert_eq!(pulled.get(), 3 + 16);
    assert!(poll_once(pin!(results.next())).is_ready());
    assert_eq!(pulled.get(), 3 + 16);
    assert!(poll_once(pin!(results.next())).is_ready());
    assert_eq!(pulled.get(), 3 + 16 + 1);
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

#[test]
fn a_stream_that_always_has_a_result_yields_now_and_then() {
    let (hand, pool) = Hand::pool(1000);
    let done = || {
        let handles = pool.map_n(0..1000, |n| async move { n });
        hand.run();
        handles
    };
    let (_, closed) = Hand::pool(1);
    closed.close();
    type Results = Pin<Box<dyn Stream<Item = ()>>>;
    let streams: [(&str, Results); 5] = [
        ("iterwait", Box::pin(iterwait(done()).map(drop))),
        (
            "itermap",
            Box::pin(closed.itermap(0.., |n| async move { n }).map(drop)),
        ),
        (
            "ordered",
            Box::pin(
                closed
                    .itermap(0.., |n| async move { n })
                    .ordered()
                    .map(drop),
            ),
        ),
        (
            "itermap_stream",
            Box::pin(
                closed
                    .itermap_stream(stream::iter(0..), |n| async move { n })
                    .map(drop),
            ),
        ),
        ("batches", {
            let results = closed.itermap(0.., |n| async move { n });
            Box::pin(results.batches(ReturnWhen::FirstCompleted).map(drop))
        }),
    ];
    for (verb, mut results) in streams {
        let reader = Reader::new();
        let is_ready = |_: &i32| reader.poll_next(results.as_mut()).is_ready();
        let in_a_row = (0..500).take_while(is_ready).count();
        assert!(in_a_row < 500, "{verb} never yields");
        assert!(reader.is_woken(), "{verb} forgot its reader");
        assert!(
            reader.poll_next(results.as_mut()).is_ready(),
            "{verb} goes on"
        );
    }
}

#[test]
fn a_map_of_results_that_are_ready_yields_now_and_then() {
    let (hand, pool) = Hand::pool(1000);
    let probe = Probe::new();
    let mut map = pin!(pool.map(0..1000, |_| probe.task(())));
    let reader = Reader::new();
    while reader.is_woken() {
        assert!(reader.poll(map.as_mut()).is_pending());
    }
    probe.end();
    hand.run();
    let mut yields = 0;
    while reader.poll(map.as_mut()).is_pending() {
        assert!(reader.is_woken());
        yields += 1;
    }
    assert!(yields > 2, "a thousand results in {yields} polls");
}

#[test]
fn a_look_at_many_results_is_bounded() {
    let (hand, pool) = Hand::pool(10_000);
    let handles = || {
        let handles = pool.map_n(0..10_000, |n| async move { n });
        hand.run();
        handles
    };
    let mut batches = iterwait(handles()).batches(ReturnWhen::AllCompleted);
    let mut waited = pin!(wait(handles(), ReturnWhen::AllCompleted, None));
    let reader = Reader::new();
    let mut polls = [0, 0];
    while reader.poll_next(Pin::new(&mut batches)).is_pending() {
        assert!(reader.is_woken());
        polls[0] += 1;
    }
    while reader.poll(waited.as_mut()).is_pending() {
        assert!(reader.is_woken());
        polls[1] += 1;
    }
    assert!(polls.iter().all(|polls| *polls > 2), "{polls:?}");
}

#[test]
fn what_is_ready_is_given_where_there_is_no_time_at_all() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(10);
        let done = async || {
            let handles = pool.map_n(0..3000, |n| async move { n });
            pool.join().await;
            handles
        };
        let waited = wait(done().await, ReturnWhen::AllCompleted, Some(Duration::ZERO)).await;
        assert_eq!((waited.done.len(), waited.pending.len()), (3000, 0));
        let batches = iterwait(done().await).batches(ReturnWhen::AllCompleted);
        let batches = batches.timeout(Duration::ZERO).map(|batch| batch.len());
        assert_eq!(
            batches.collect::<Vec<_>>().await.into_iter().sum::<usize>(),
            3000
        );
    });
}

/// A runtime whose time is over as soon as somebody looks, and whose task ends meanwhile.
struct Late(Hand, Probe);

impl Spawner for Late {
    fn spawn(&self, worker: Worker) {
        self.0.spawn(worker);
    }

    fn sleep(&self, _: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let (hand, probe) = (self.0.clone(), self.1.clone());
        Some(Box::pin(async move {
            probe.end();
            hand.run();
        }))
    }
}

#[test]
fn a_result_that_comes_while_the_time_is_looked_at_is_given() {
    let started = || {
        let (hand, probe) = (Hand::default(), Probe::new());
        let spawner = Late(hand.clone(), probe.clone());
        let pool = AioPool::with_spawner(2, spawner);
        let never = pool.spawn_n(std::future::pending::<()>());
        let soon = pool.spawn_n(probe.task(()));
        hand.run();
        vec![never, soon]
    };
    let mut waited = pin!(wait(started(), ReturnWhen::AllCompleted, Some(SECOND)));
    let std::task::Poll::Ready(waited) = Reader::new().poll(waited.as_mut()) else {
        panic!("its time was over");
    };
    assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));

    let batches = iterwait(started()).batches(ReturnWhen::AllCompleted);
    let mut batches = batches.timeout(SECOND);
    let batch = Reader::new().poll_next(Pin::new(&mut batches));
    assert!(matches!(batch, std::task::Poll::Ready(Some(batch)) if batch.len() == 1));
}
