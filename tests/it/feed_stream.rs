//! `feed_stream`: a feed whose input is a stream, which may be pending.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use aiopool::{AioPool, Feed, FnSpawner, PoolStreamExt, Shutdown, Spawner, Tokio, Worker};
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::channel::oneshot;
use futures::{StreamExt, stream};

use crate::assert_pending;
use crate::support::{Hand, Probe, Reader, on_every_runtime, on_tokio, poll_once, yield_now};

/// Feeds the pool from a channel, which is empty.
fn fed(pool: &AioPool) -> (UnboundedSender<u32>, Feed) {
    let (send, receive) = unbounded();
    (send, pool.feed_stream(receive, |_| async {}))
}

#[test]
fn every_item_becomes_a_task_and_the_report_counts_them() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let sum = Arc::new(AtomicUsize::new(0));
        let adds = sum.clone();
        let items = stream::iter(1..=300).then(|n| async move {
            yield_now().await;
            n
        });
        let feed = items.for_each_on(&pool, move |n| {
            let adds = adds.clone();
            async move {
                assert!(n % 100 != 0, "on purpose");
                yield_now().await;
                adds.fetch_add(n, SeqCst);
            }
        });
        let report = feed.await;
        let counted = (report.completed, report.failed, report.cancelled);
        assert_eq!(counted, (297, 3, 0), "on {}", pools.runtime);
        assert!(!report.broken && !report.rejected);
        assert_eq!(sum.load(SeqCst), 45_150 - 600);
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.started), (300, 300));
        assert_eq!((stats.completed, stats.panicked), (297, 3));
        pool.join().await;
        assert!(pool.is_empty());
    });
}

#[test]
fn a_pending_stream_holds_no_permit_and_wakes_its_feed() {
    let (hand, pool) = Hand::pool(1);
    let (send, feed) = fed(&pool);
    hand.run();
    assert_eq!((pool.active(), pool.waiting(), pool.len()), (0, 1, 1));
    assert!(pool.tasks().is_empty());
    let other = pool.spawn_n(async { 1 });
    hand.run();
    assert!(other.is_finished());
    send.unbounded_send(1).unwrap();
    hand.run();
    assert_eq!(feed.progress().completed, 1);
    assert!(!feed.is_finished());
    drop(send);
    hand.run();
    assert!(feed.is_finished() && pool.is_empty());
    assert_eq!((pool.active(), pool.waiting(), hand.workers()), (0, 0, 0));
    assert_eq!(pool.stats().submitted, 2);
}

#[test]
fn an_item_waits_in_the_queue_behind_what_was_there_before_it() {
    let (hand, pool) = Hand::pool(1);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (send, receive) = unbounded();
    let seen = order.clone();
    let feed = pool.feed_stream(receive, move |name: &'static str| {
        let seen = seen.clone();
        async move { seen.lock().unwrap().push(name) }
    });
    hand.run();
    let task = |name| {
        let seen = order.clone();
        drop(pool.spawn_n(async move { seen.lock().unwrap().push(name) }));
    };
    let busy = Probe::new();
    let running = pool.spawn_n(busy.task(()));
    hand.run();
    task("before");
    send.unbounded_send("first").unwrap();
    send.unbounded_send("second").unwrap();
    hand.run();
    task("between");
    busy.end();
    hand.run();
    assert_eq!(
        *order.lock().unwrap(),
        ["before", "first", "between", "second"]
    );
    assert!(running.is_finished() && !feed.is_finished());
}

#[test]
fn no_more_than_one_item_is_ahead_of_the_tasks() {
    let (hand, pool) = Hand::pool(2);
    let pulled = Arc::new(AtomicUsize::new(0));
    let counting = pulled.clone();
    let items = stream::iter(0..).inspect(move |_| _ = counting.fetch_add(1, SeqCst));
    let feed = pool.feed_stream(items, |_: u64| pending::<()>());
    hand.run();
    assert_eq!(
        (pulled.load(SeqCst), pool.active(), pool.waiting()),
        (2, 2, 1)
    );
    assert!(feed.abort());
    hand.run();
    assert!(feed.is_finished() && pool.is_empty());

    let (send, feed) = fed(&pool);
    hand.run();
    let busy: Vec<_> = (0..2).map(|_| pool.spawn_n(pending::<()>())).collect();
    hand.run();
    for n in 0..5 {
        send.unbounded_send(n).unwrap();
    }
    hand.run();
    assert_eq!(
        (feed.progress().completed, pool.active(), pool.waiting()),
        (0, 2, 1)
    );
    assert!(busy[0].abort());
    hand.run();
    assert_eq!(feed.progress().completed, 5);
}

#[test]
fn an_abort_ends_a_feed_whose_stream_is_pending() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let alive = Arc::new(());
        let inside = alive.clone();
        let items = stream::iter([1]).chain(stream::pending());
        let items = items.inspect(move |_| _ = &inside);
        let feed = pool.feed_stream(items, |_| async {});
        while feed.progress().completed == 0 {
            yield_now().await;
        }
        pool.exec(async {}).await.unwrap();
        assert!(feed.abort() && !feed.abort());
        assert_eq!(feed.await.completed, 1, "on {}", pools.runtime);
        assert!(pool.is_empty());
        assert_eq!(Arc::strong_count(&alive), 1);
    });
}

#[test]
fn what_stops_the_tasks_of_a_pool_or_group_ends_its_pending_feeds() {
    on_every_runtime(|pools| async move {
        for stop in 0..5 {
            let root = pools.size(2);
            let group = root.group("g", 1).unwrap();
            let (feeds, open): (Vec<_>, Vec<_>) = [&root, &group]
                .map(|pool| {
                    let (send, feed) = fed(pool);
                    send.unbounded_send(0).unwrap();
                    (feed, send)
                })
                .into_iter()
                .unzip();
            while root.stats().completed < 2 {
                yield_now().await;
            }
            match stop {
                0 => assert_eq!(root.cancel_all().await, 0),
                1 => _ = root.shutdown(Shutdown::CancelAll).await,
                2 => _ = root.shutdown(Shutdown::CancelWaiting).await,
                3 if pools.timer => {
                    _ = root
                        .shutdown(Shutdown::Deadline(Duration::from_millis(1)))
                        .await;
                }
                _ => {
                    group.abort_all();
                    group.join().await;
                    assert!(feeds[1].is_finished() && !feeds[0].is_finished());
                    root.abort_all();
                    root.join().await;
                }
            }
            assert!(root.is_empty(), "{stop} on {}", pools.runtime);
            for feed in feeds {
                let report = feed.await;
                assert_eq!((report.completed, report.cancelled), (1, 0));
                assert!(!report.rejected && !report.broken);
            }
            drop(open);
        }
    });
}

#[test]
fn stopping_what_waits_ends_a_feed_whose_stream_turns_out_to_be_pending() {
    let (hand, pool) = Hand::pool(1);
    let stopping = pool.clone();
    let items = stream::poll_fn(move |_| {
        let mut ends = Box::pin(stopping.shutdown(Shutdown::CancelWaiting));
        std::thread::scope(|threads| {
            threads.spawn(|| assert!(poll_once(ends.as_mut()).is_pending()));
        });
        std::task::Poll::<Option<u32>>::Pending
    });
    let feed = pool.feed_stream(items, |_| async {});
    hand.run();
    assert!(feed.is_finished() && pool.is_empty());
}

#[test]
fn dropping_it_lets_it_go_on() {
    let (hand, pool) = Hand::pool(1);
    let (send, feed) = fed(&pool);
    hand.run();
    drop(feed);
    send.unbounded_send(1).unwrap();
    hand.run();
    assert_eq!((pool.stats().completed, pool.len()), (1, 1));
    let mut join = pin!(pool.join());
    assert_pending!(join);
    drop(send);
    hand.run();
    assert!(poll_once(join).is_ready());
}

#[test]
fn a_panic_of_the_stream_or_the_closure_ends_it_and_says_so() {
    for in_stream in [true, false] {
        let (hand, pool) = Hand::pool(2);
        let (send, receive) = unbounded();
        let items = receive.inspect(move |n| assert!(!in_stream || *n != 1, "on purpose"));
        let feed = pool.feed_stream(items, move |n| {
            assert!(in_stream || n != 1, "on purpose");
            async {}
        });
        hand.run();
        for n in 0..3 {
            send.unbounded_send(n).ok();
            hand.run();
        }
        assert!(feed.is_finished() && pool.is_empty());
        let report = feed.progress();
        assert!(report.broken);
        assert_eq!((report.completed, report.failed), (1, 1));
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.started, stats.panicked), (2, 2, 1));
        let after = pool.map_n(0..4, |_| async {});
        hand.run();
        assert!(after.iter().all(aiopool::JoinHandle::is_finished));
    }
}

#[test]
fn a_closed_or_full_pool_takes_none_of_it_and_one_closed_later_takes_the_rest() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).max_waiting(0).build().unwrap();
    let (send, open) = fed(&pool);
    hand.run();
    let busy = pool.spawn_n(pending::<()>());
    let (_, full) = fed(&pool);
    assert!(full.is_finished() && full.progress().rejected);
    send.unbounded_send(1).unwrap();
    hand.run();
    assert!(busy.abort());
    hand.run();
    assert_eq!(
        open.progress().completed,
        1,
        "the bound refuses no item of it"
    );
    pool.close();
    let (_, closed) = fed(&pool);
    assert!(closed.is_finished() && closed.progress().rejected);
    send.unbounded_send(2).unwrap();
    drop(send);
    hand.run();
    assert!(open.is_finished());
    assert_eq!(
        (open.progress().completed, open.progress().rejected),
        (2, false)
    );
}

#[test]
fn a_paused_pool_starts_no_item_of_it() {
    let (hand, pool) = Hand::pool(1);
    let (send, feed) = fed(&pool);
    hand.run();
    pool.pause();
    send.unbounded_send(1).unwrap();
    hand.run();
    assert_eq!((feed.progress().completed, pool.waiting()), (0, 1));
    pool.resume();
    hand.run();
    assert_eq!(feed.progress().completed, 1);
}

#[test]
fn the_end_of_its_runtime_ends_it_and_is_counted() {
    let (hand, pool) = Hand::pool(1);
    let (_open, feed) = fed(&pool);
    hand.run();
    hand.drop_workers();
    assert!(feed.is_finished() && feed.progress().rejected);
    assert!(pool.is_empty() && pool.active() == 0 && pool.waiting() == 0);
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.started, stats.rejected), (1, 0, 1));
    assert!(
        pool.spawn_n(async {}).state() != aiopool::TaskState::Waiting,
        "a permit is there"
    );
}

#[test]
fn a_runtime_that_drops_its_worker_alone_does_not_end_it() {
    let (hand, pool) = Hand::pool(1);
    let (send, feed) = fed(&pool);
    hand.run();
    hand.drop_worker();
    hand.run();
    assert!(!feed.is_finished());
    send.unbounded_send(1).unwrap();
    hand.run();
    hand.drop_worker();
    hand.run();
    send.unbounded_send(1).unwrap();
    drop(send);
    hand.run();
    assert!(feed.is_finished());
    assert_eq!(
        (feed.progress().completed, feed.progress().rejected),
        (2, false)
    );
}

#[test]
fn aborted_while_its_worker_is_dropped_it_does_not_go_on() {
    for all in [false, true] {
        let (hand, pool) = Hand::pool(1);
        let (_open, feed) = fed(&pool);
        hand.run();
        match all {
            false => assert!(feed.abort()),
            true => assert_eq!(pool.abort_all(), 0),
        }
        hand.drop_workers();
        assert!(feed.is_finished() && pool.is_empty());
        assert!(!feed.progress().rejected);
    }
}

#[test]
fn a_careless_runtime_costs_no_items() {
    on_tokio(async {
        let spawned = AtomicUsize::new(0);
        let careless = FnSpawner(
            move |worker: Worker| match spawned.fetch_add(1, SeqCst) % 3 {
                2 => drop(worker),
                _ => Tokio::current().spawn(worker),
            },
        );
        let pool = AioPool::with_spawner(4, careless);
        let items = stream::iter(0..100).then(|n: u32| async move {
            yield_now().await;
            n
        });
        let report = pool.feed_stream(items, |_| yield_now()).await;
        assert_eq!((report.completed, report.rejected), (100, false));
        assert!(pool.is_empty());
    });
}

#[test]
fn a_task_that_awaits_a_feed_of_its_own_pool_lends_its_permit() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let outer = pool.spawn_n(async move {
            let of_tasks = inner.clone();
            // The stream itself waits for tasks of the pool.
            let items = stream::iter(0..10).then(move |n| {
                let pool = of_tasks.clone();
                async move { pool.exec(async move { n }).await.unwrap() }
            });
            inner
                .feed_stream(items, |_: u32| yield_now())
                .await
                .completed
        });
        assert_eq!(outer.await.unwrap(), 10, "on {}", pools.runtime);
        assert!(pool.is_empty());
    });
}

#[test]
fn its_stream_may_lend_its_permit_itself() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let items = stream::iter(0..20).then(|n| async move {
            let n = aiopool::lend(async move {
                yield_now().await;
                n
            });
            let n = n.await;
            yield_now().await;
            n
        });
        let feed = pool.feed_stream(items, |_: u32| yield_now());
        let others = pool.map(0..20, |_| yield_now()).await;
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(feed.await.completed, 20, "on {}", pools.runtime);
        assert!(pool.is_empty() && pool.active() == 0 && pool.waiting() == 0);
    });
}

#[test]
fn stopping_what_waits_ends_a_feed_whose_stream_has_its_permit_back_for_a_moment() {
    let (hand, pool) = Hand::pool(1);
    let stopping = pool.clone();
    let items = stream::once(async move {
        aiopool::lend(yield_now()).await;
        assert_eq!(stopping.active(), 1, "the permit is back");
        let mut ends = Box::pin(stopping.shutdown(Shutdown::CancelWaiting));
        std::thread::scope(|threads| {
            threads.spawn(|| assert!(poll_once(ends.as_mut()).is_pending()));
        });
        pending::<()>().await;
    });
    let feed = pool.feed_stream(items, |()| async {});
    hand.run();
    assert!(feed.is_finished() && pool.is_empty());
}

#[test]
fn a_rate_counts_its_items_and_not_its_waits() {
    on_tokio(async {
        let minute = Duration::from_secs(60);
        let pool = AioPool::builder().size(8).rate(1, minute).build().unwrap();
        let (send, feed) = fed(&pool);
        while pool.waiting() == 0 || pool.active() > 0 {
            yield_now().await;
        }
        for _ in 0..5 {
            yield_now().await;
        }
        let begun = tokio::time::Instant::now();
        pool.exec(async {}).await.unwrap();
        assert!(
            begun.elapsed() < minute / 2,
            "the wait for the stream is no start"
        );
        for n in 0..2 {
            send.unbounded_send(n).unwrap();
        }
        drop(send);
        assert_eq!(feed.await.completed, 2);
        assert!(begun.elapsed() >= minute * 2 && begun.elapsed() < minute * 3);
    });
}

#[test]
fn the_last_handle_of_its_pool_may_go() {
    on_every_runtime(|pools| async move {
        let pool = pools.builder().size(1).timed(true).build().unwrap();
        let (send, feed) = fed(&pool);
        while pool.waiting() == 0 {
            yield_now().await;
        }
        drop(pool);
        send.unbounded_send(1).unwrap();
        drop(send);
        assert_eq!(feed.await.completed, 1, "on {}", pools.runtime);
    });
}

#[test]
fn a_stream_that_is_wrong_about_its_end_loses_no_items() {
    struct Lying<S>(S);
    impl<S: futures::Stream + Unpin> futures::Stream for Lying<S> {
        type Item = S::Item;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<S::Item>> {
            self.0.poll_next_unpin(cx)
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (0, Some(0))
        }
    }
    let (hand, pool) = Hand::pool(2);
    let (send, receive) = unbounded();
    let feed = pool.feed_stream(Lying(receive), |_: u32| async {});
    for n in 0..10 {
        send.unbounded_send(n).unwrap();
        if n % 3 == 0 {
            hand.run();
        }
    }
    drop(send);
    hand.run();
    assert!(feed.is_finished());
    assert_eq!(feed.progress().completed, 10);
}

#[test]
fn an_input_that_fails_gives_its_error_after_what_was_started() {
    let (hand, pool) = Hand::pool(2);
    let probe = Probe::new();
    let task = probe.clone();
    let (send, receive) = unbounded();
    let mut feed = receive.try_for_each_on(&pool, move |()| task.task(Err::<(), _>("of a task")));
    let reader = Reader::new();
    send.unbounded_send(Ok(())).unwrap();
    hand.run();
    send.unbounded_send(Err("lost")).unwrap();
    assert!(send.unbounded_send(Ok(())).is_ok());
    hand.run();
    assert!(send.is_closed(), "the input is dropped");
    assert!(reader.poll(pin!(&mut feed)).is_pending());
    probe.end();
    hand.run();
    assert!(reader.is_woken() && feed.is_finished());
    assert_eq!(futures::executor::block_on(&mut feed), Err("lost"));
    assert_eq!(feed.progress().completed, 1);
    assert!(!feed.abort());

    let items = stream::iter([Ok::<_, ()>(1)]);
    let feed = items.try_for_each_on(&pool, |_| async {});
    hand.run();
    assert_eq!(futures::executor::block_on(feed).unwrap().completed, 1);
}

#[test]
#[cfg(target_os = "linux")]
fn a_million_items_of_a_stream_take_no_more_memory_than_a_thousand() {
    crate::support::alone(
        "feed_stream::a_million_items_of_a_stream_take_no_more_memory_than_a_thousand",
        || {
            let (hand, pool) = Hand::pool(8);
            let most = |run: &dyn Fn(u32)| {
                let fed = |items| {
                    run(items);
                    crate::support::resident()
                };
                fed(10_000);
                let (few, many) = (fed(1000), fed(1_000_000));
                assert!(many <= few + (1 << 20) / 4096, "{few} pages, then {many}");
            };
            most(&|items| {
                let feed = pool.feed_stream(stream::iter(0..items), |n| async move { [n; 64] });
                hand.run();
                assert_eq!(feed.progress().completed, u64::from(items));
            });
            most(&|items| {
                let results = stream::iter(0..items).map_on(&pool, |n| async move { [n; 64] });
                let mut results = results.ordered();
                let mut read = 0;
                loop {
                    match poll_once(pin!(results.next())) {
                        std::task::Poll::Ready(Some(_)) => read += 1,
                        std::task::Poll::Ready(None) => break,
                        std::task::Poll::Pending => hand.run(),
                    }
                }
                assert_eq!(read, items);
            });
        },
    );
}

#[test]
fn a_stream_that_was_pending_and_panics_adds_no_start_to_the_rate() {
    on_tokio(async {
        let second = Duration::from_secs(1);
        let pool = AioPool::builder().size(9).rate(1, second);
        let pool = pool.build().unwrap();
        let (tell, told) = oneshot::channel::<()>();
        let breaks = stream::once(async move {
            told.await.ok();
            panic!("on purpose");
        });
        let feed = pool.feed_stream(breaks, |()| async {});
        yield_now().await;
        tell.send(()).unwrap();
        assert!(feed.await.broken);
        let begun = tokio::time::Instant::now();
        for number in 0..4 {
            pool.exec(async {}).await.unwrap();
            assert_eq!(begun.elapsed(), second * number);
        }
    });
}
