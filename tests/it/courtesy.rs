//! Awaits that are ready at once, again and again, leave others on the thread their turn.

use std::pin::pin;
use std::task::Poll;
use std::thread::sleep;
use std::time::{Duration, Instant};

use aiopool::{AioPool, JoinHandle, ReturnWhen, Shutdown, iterwait, lend, wait};
use futures::StreamExt;
use futures::future::{Either, select};

use crate::support::{Hand, on_every_runtime, poll_once, yield_now};

/// Awaits something for ever, beside a future in the same task that needs a few turns to end.
async fn gives_way<Fut: Future>(mut ready: impl FnMut() -> Fut) {
    let busy = pin!(async {
        loop {
            ready().await;
        }
    });
    let others = pin!(async {
        for _ in 0..3 {
            yield_now().await;
        }
    });
    match select(busy, others).await {
        Either::Left(_) => unreachable!("it has no end"),
        Either::Right(_) => {}
    }
}

#[test]
fn a_loop_of_awaits_that_are_ready_leaves_others_their_turn() {
    on_every_runtime(|pools| async move {
        let pool = &pools.size(4);
        let group = &pool.group("group", 2).unwrap();
        gives_way(|| pool.run(async {})).await;
        gives_way(|| group.run(async {})).await;
        gives_way(|| pool.acquire()).await;
        gives_way(|| pool.below(1)).await;
        gives_way(|| pool.join()).await;
        gives_way(|| pool.scope(async |_| {})).await;
        gives_way(|| pool.cancel_all()).await;
        gives_way(|| pool.cancel::<()>([])).await;
        gives_way(|| pool.map(0..0, |_| async {})).await;
        gives_way(|| pool.try_map(0..0, |_| async { Ok::<_, ()>(()) })).await;
        gives_way(|| pool.feed(0..0, |_: i32| async {})).await;
        gives_way(|| lend(async {})).await;
        gives_way(|| async { iterwait::<()>([]).next().await }).await;
        gives_way(|| wait::<()>(Vec::new(), ReturnWhen::AllCompleted, None)).await;
        gives_way(|| async { pool.itermap(0..0, |_| async {}).next().await }).await;

        let mut ended = pool.map_n(0..10_000, |n| async move { n });
        pool.join().await;
        gives_way(|| ended.pop().expect("it gives way before")).await;
        let ended = pool.map_n(0..10_000, |n| async move { n });
        pool.join().await;
        let ended = tokio::sync::Mutex::new(iterwait(ended));
        gives_way(|| async {
            ended
                .lock()
                .await
                .next()
                .await
                .expect("it gives way before")
        })
        .await;
        let squares = pool.itermap(0..10_000, |n: u64| async move { n * n });
        let squares = tokio::sync::Mutex::new(squares);
        pool.join().await;
        gives_way(|| async {
            squares
                .lock()
                .await
                .next()
                .await
                .expect("it gives way before")
        })
        .await;

        let closed = pools.size(1);
        closed.close();
        gives_way(|| closed.closed()).await;
        gives_way(|| closed.shutdown(Shutdown::Drain)).await;
        gives_way(|| closed.spawn(async {})).await;
        gives_way(|| closed.exec(async {})).await;
        gives_way(|| closed.map(0..1, |_| async {})).await;
    });
}

#[test]
fn inside_of_a_task_too() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inside = pool.clone();
        let task = async move {
            gives_way(|| inside.run(async {})).await;
            gives_way(|| inside.exec(async {})).await;
            gives_way(|| inside.join()).await;
            gives_way(|| lend(async {})).await;
        };
        pool.exec(task).await.unwrap();
    });
}

#[test]
fn polled_by_hand_what_is_ready_says_so() {
    let (hand, pool) = Hand::pool(4);
    let handles = pool.map_n(0..1000, |n| async move { n });
    hand.run();
    for (n, mut handle) in handles.into_iter().enumerate() {
        let polled = poll_once(std::pin::Pin::new(&mut handle));
        assert!(matches!(polled, std::task::Poll::Ready(Ok(value)) if value == n));
    }
}

#[test]
fn polled_by_hand_no_await_is_short_of_time() {
    let (hand, pool) = Hand::pool(1000);
    let square = |n: u64| async move { n * n };
    let handles = || pool.map_n(0..1000, square);
    let mut waiting = pin!(wait(handles(), ReturnWhen::AllCompleted, None));
    let mut handles = iterwait(handles()).batches(ReturnWhen::AllCompleted);
    let mut all = pin!(pool.try_map(0..1000, |n| async move { Ok::<_, ()>(n) }));
    assert!(poll_once(waiting.as_mut()).is_pending());
    assert!(poll_once(pin!(handles.next())).is_pending());
    hand.run();
    assert!(poll_once(all.as_mut()).is_pending());
    hand.run();

    assert!(matches!(poll_once(waiting), Poll::Ready(waited) if waited.done.len() == 1000));
    assert!(
        matches!(poll_once(pin!(handles.next())), Poll::Ready(Some(batch)) if batch.len() == 1000)
    );
    assert!(matches!(poll_once(all), Poll::Ready(Ok(values)) if values.len() == 1000));
}

#[test]
fn polled_by_hand_a_slow_iterator_is_pulled_as_far_as_it_may_be() {
    let (_hand, pool) = Hand::pool(9);
    let slow = || (0..9).inspect(|_| sleep(Duration::from_millis(1)));
    let mut iterated = pool.itermap(slow(), |n| async move { n }).buffer(9);
    assert!(poll_once(pin!(iterated.next())).is_pending());
    assert_eq!(pool.len(), 9);
    let stream = futures::stream::iter(slow());
    let mut streamed = pin!(pool.itermap_stream(stream, |n| async move { n }));
    assert!(poll_once(pin!(streamed.next())).is_pending());
    assert_eq!(pool.len(), 18);
}

#[test]
fn a_task_that_is_polled_for_the_last_time_finds_ready_what_is() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        // So many that the budget of a thread runs out with each of its awaits.
        for n in 0..300 {
            for _ in 0..n {
                pool.run(async {}).await;
            }
            let saves = async {
                aiopool::current().unwrap().aborted().await;
                "saved"
            };
            let grace = std::time::Duration::ZERO;
            let handle = pool.task(saves).grace(grace).spawn().await;
            assert!(handle.abort());
            assert_eq!(handle.await.unwrap(), "saved", "on {}", pools.runtime);
        }
    });
}

#[test]
fn a_worker_whose_tasks_are_long_runs_one_of_them_in_a_poll() {
    let long = |_: usize| async {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1) {}
    };
    for by_feed in [false, true] {
        let (hand, pool) = Hand::pool(1);
        if by_feed {
            drop(pool.feed(0..10, long));
        } else {
            drop(pool.map_n(0..10, long));
        }
        let mut polls = 0;
        while hand.step() {
            polls += 1;
        }
        assert_eq!(pool.stats().completed, 10);
        // The first poll cannot know, and runs two.
        assert!(polls >= 9, "{polls}");
    }
}

#[test]
fn long_tasks_let_tokio_look_at_its_timers_after_each() {
    let long = |_| async { sleep(Duration::from_millis(2)) };
    let ticked = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(async {
            let pool = AioPool::new(1);
            let done = pool.map_n(0..50, long);
            let mut ticked = 0;
            while !done.iter().all(JoinHandle::is_finished) {
                tokio::time::sleep(Duration::from_millis(1)).await;
                ticked += 1;
            }
            ticked
        });
    // So many as there were tasks, but for the first poll, which cannot know, and some that the machine keeps waiting.
    assert!(ticked >= 40, "{ticked}");
}
