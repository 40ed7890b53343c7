//! Progress: the counts of a pool, a group or a feed as a stream, which costs tasks nothing and misses no end.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use aiopool::{AioPool, FnSpawner, Progress, ProgressStream, Spawner, Tokio, Worker};
use futures::future::join;
use futures::stream::FusedStream;
use futures::{Stream, stream};

use crate::support::{Hand, Probe, Timed, busy, on_every_runtime, on_tokio};

/// A reader that counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Woken {
    /// Returns how often the reader was woken since the last call.
    fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }

    fn poll(self: &Arc<Self>, progress: &mut ProgressStream) -> Poll<Option<Progress>> {
        let waker = Waker::from(self.clone());
        Pin::new(progress).poll_next(&mut Context::from_waker(&waker))
    }

    fn item(self: &Arc<Self>, progress: &mut ProgressStream) -> Progress {
        match self.poll(progress) {
            Poll::Ready(Some(now)) => now,
            other => panic!("there is no item: {other:?}"),
        }
    }

    fn has_none(self: &Arc<Self>, progress: &mut ProgressStream) -> bool {
        self.poll(progress).is_pending()
    }
}

/// The counts of an item: done, failed, active, waiting.
fn counts(now: Progress) -> (u64, u64, usize, usize) {
    (now.done, now.failed, now.active, now.waiting)
}

async fn last(mut progress: ProgressStream) -> Progress {
    let mut last = None;
    while let Some(now) = progress.next().await {
        assert_ne!(last, Some(now), "an item without news");
        last = Some(now);
    }
    assert!(progress.is_terminated() && progress.next().await.is_none());
    last.expect("there is at least one item")
}

/// A pool on a runtime that is driven by hand and has no timer.
fn untimed(size: usize) -> (Hand, AioPool) {
    let hand = Hand::without_timer();
    let pool = AioPool::with_spawner(size, hand.clone());
    (hand, pool)
}

#[test]
fn the_first_item_is_there_at_once_and_has_the_present_counts() {
    let (hand, pool) = untimed(2);
    let (probes, _handles) = busy(&pool, 5);
    hand.run();
    probes[0].end();
    hand.run();
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    let first = reader.item(&mut progress);
    assert_eq!((counts(first), first.total), ((1, 0, 2, 2), None));
    assert!(reader.has_none(&mut progress));
    probes.iter().for_each(Probe::end);
    hand.run();
}

#[test]
fn a_reader_that_waits_is_woken_once_and_gets_the_newest_counts_only() {
    let (hand, pool) = untimed(2);
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    assert_eq!(counts(reader.item(&mut progress)), (0, 0, 0, 0));
    assert!(reader.has_none(&mut progress));
    pool.map_n(0..1000, |_| async {});
    hand.run();
    assert_eq!(reader.take(), 1);
    assert_eq!(counts(reader.item(&mut progress)), (1000, 0, 0, 0));
    assert!(reader.has_none(&mut progress));
}

#[test]
fn a_reader_that_is_elsewhere_is_not_woken_by_any_task() {
    let (timed, timed_pool) = Timed::pool(2);
    let (hand, hand_pool) = untimed(2);
    for (hand, pool) in [(&hand, hand_pool), (&timed.hand, timed_pool)] {
        let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
        reader.item(&mut progress);
        pool.map_n(0..1000, |_| async {});
        hand.run();
        assert_eq!(reader.take(), 0);
    }
}

#[test]
fn with_a_timer_tasks_do_not_wake_the_reader_and_the_end_of_the_pause_does() {
    let (timed, pool) = Timed::pool(2);
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    reader.item(&mut progress);
    for done in [100, 200] {
        pool.map_n(0..100, |_| async {});
        timed.hand.run();
        assert!(reader.has_none(&mut progress));
        pool.spawn_n(pending::<()>());
        assert_eq!(reader.take(), 0);
        timed.end_all();
        assert_ne!(reader.take(), 0);
        let now = reader.item(&mut progress);
        assert_eq!((now.done, now.active), (done, (done / 100) as usize));
    }
}

#[test]
fn without_news_there_is_no_item_however_often_the_pause_ends() {
    let (timed, pool) = Timed::pool(1);
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    reader.item(&mut progress);
    for _ in 0..10 {
        let pauses = timed.take();
        assert_eq!(pauses.len(), 1);
        pauses[0].end();
        assert_eq!(reader.take(), 1);
        assert!(reader.has_none(&mut progress));
    }
    // What is only submitted is news, too.
    pool.pause();
    pool.spawn_n(async {});
    timed.end_all();
    assert_eq!(counts(reader.item(&mut progress)), (0, 0, 0, 1));
    pool.resume();
    timed.hand.run();
}

#[test]
fn a_slow_reader_waits_for_no_pause_after_its_own() {
    let (timed, pool) = Timed::pool(1);
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    reader.item(&mut progress);
    timed.end_all();
    pool.spawn_n(async {});
    timed.hand.run();
    assert_eq!(counts(reader.item(&mut progress)), (1, 0, 0, 0));
}

#[test]
fn the_end_is_told_at_once_though_a_pause_goes_on() {
    let (timed, timed_pool) = Timed::pool(1);
    let (hand, hand_pool) = untimed(1);
    for (hand, pool) in [(&hand, hand_pool), (&timed.hand, timed_pool)] {
        let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
        reader.item(&mut progress);
        assert!(reader.has_none(&mut progress));
        let (probes, _handles) = busy(&pool, 1);
        pool.close();
        hand.run();
        while reader.poll(&mut progress).is_ready() {}
        reader.take();
        probes[0].end();
        hand.run();
        assert_eq!(reader.take(), 1);
        assert_eq!(counts(reader.item(&mut progress)), (1, 0, 0, 0));
        assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
        pool.reopen();
        assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
    }
}

#[test]
fn an_idle_pool_that_is_closed_ends_its_stream_without_another_item() {
    for pool in [untimed(1).1, Timed::pool(1).1] {
        let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
        reader.item(&mut progress);
        assert!(reader.has_none(&mut progress));
        pool.close();
        assert_eq!(reader.take(), 1);
        assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
    }
}

#[test]
fn a_stream_that_is_opened_late_has_one_item() {
    let (hand, pool) = untimed(1);
    pool.spawn_n(async {});
    pool.close();
    hand.run();
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    assert_eq!(counts(reader.item(&mut progress)), (1, 0, 0, 0));
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
}

#[test]
fn a_total_is_in_every_item_and_ends_the_stream_of_an_open_pool() {
    let (timed, timed_pool) = Timed::pool(1);
    let (hand, hand_pool) = untimed(1);
    for (hand, pool) in [(&hand, hand_pool), (&timed.hand, timed_pool)] {
        let reader = Arc::new(Woken::default());
        let mut progress = pool.progress().total(2);
        assert_eq!(reader.item(&mut progress).total, Some(2));
        assert!(reader.has_none(&mut progress));
        let _handles = pool.map_n(0..2, |_| async {});
        hand.run();
        assert_eq!(reader.take(), 1);
        let last = reader.item(&mut progress);
        assert_eq!((last.done, last.total), (2, Some(2)));
        assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
    }
}

#[test]
fn every_end_is_done_and_those_that_are_no_value_and_no_wish_have_failed() {
    on_tokio(async {
        let pool = AioPool::new(1);
        pool.spawn_n(async { Err::<(), &str>("the pool does not look into it") });
        pool.spawn_n(async { panic!("as it should") });
        let long = Duration::from_secs(1);
        pool.task(pending::<()>()).timeout(long).spawn_n();
        pool.spawn_n(pending::<()>()).abort();
        pool.task(pending::<()>()).timeout(long).spawn_n();
        pool.task(async {}).wait_timeout(long / 2).spawn_n();
        pool.close();
        pool.spawn_n(async {});
        assert_eq!(counts(last(pool.progress()).await), (7, 5, 0, 0));
    });
}

#[test]
fn a_group_has_its_own_progress_and_the_pool_that_of_all() {
    let (hand, pool) = untimed(4);
    let group = pool.group("inner", 1).unwrap();
    let deep = group.group("deep", 1).unwrap();
    let reader = Arc::new(Woken::default());
    let mut streams = [pool.progress(), group.progress(), deep.progress()];
    for progress in &mut streams {
        reader.item(progress);
        assert!(reader.has_none(progress));
    }
    deep.spawn_n(async {});
    hand.run();
    assert_eq!(reader.take(), 3);
    let (probes, _handles) = busy(&group, 3);
    hand.run();
    let [of_pool, of_group, of_deep] = &mut streams;
    assert_eq!(counts(reader.item(of_pool)), (1, 0, 1, 2));
    assert_eq!(counts(reader.item(of_group)), (1, 0, 1, 2));
    assert_eq!(counts(reader.item(of_deep)), (1, 0, 0, 0));
    // A group is over when it is closed itself, or a pool around it.
    assert!(reader.has_none(of_deep));
    group.close();
    assert_eq!(reader.poll(of_deep), Poll::Ready(None));
    probes.iter().for_each(Probe::end);
    hand.run();
    assert_eq!(counts(reader.item(of_group)), (4, 0, 0, 0));
    assert_eq!(reader.poll(of_group), Poll::Ready(None));
    assert_eq!(counts(reader.item(of_pool)), (4, 0, 0, 0));
    assert!(reader.has_none(of_pool));
}

#[test]
fn from_now_leaves_out_what_is_done_already() {
    let (hand, pool) = untimed(1);
    pool.spawn_n(async { panic!("as it should") });
    let (probes, _handles) = busy(&pool, 2);
    hand.run();
    let reader = Arc::new(Woken::default());
    let mut progress = pool.progress().from_now().total(2);
    assert_eq!(counts(reader.item(&mut progress)), (0, 0, 1, 1));
    probes.iter().for_each(Probe::end);
    hand.run();
    assert_eq!(counts(reader.item(&mut progress)), (2, 0, 0, 0));
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
}

#[test]
fn a_stream_that_is_dropped_leaves_no_waker_and_no_timer() {
    let (timed, timed_pool) = Timed::pool(1);
    let (hand, hand_pool) = untimed(1);
    for (hand, pool) in [(&hand, hand_pool), (&timed.hand, timed_pool)] {
        let feed = pool.feed([()], |()| pending::<()>());
        let totals = [pool.progress(), pool.progress().total(9)];
        for mut progress in totals.into_iter().chain([feed.progress_stream()]) {
            let reader = Arc::new(Woken::default());
            reader.item(&mut progress);
            assert!(reader.has_none(&mut progress));
            assert!(Arc::strong_count(&reader) > 1, "it left no waker");
            drop(progress);
            assert!(timed.take().iter().all(Probe::is_dropped));
            assert_eq!(Arc::strong_count(&reader), 1);
        }
        feed.abort();
        hand.run();
    }
}

#[test]
fn a_stream_that_has_ended_holds_no_timer() {
    let (timed, pool) = Timed::pool(1);
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    reader.item(&mut progress);
    pool.close();
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
    assert!(timed.take().iter().all(Probe::is_dropped));
    assert_eq!(Arc::strong_count(&reader), 1);
}

#[test]
fn a_feed_knows_its_total_and_counts_what_it_has_yet_to_pull() {
    let (hand, pool) = untimed(2);
    let probes = Probe::several(5);
    let items = probes.clone();
    let feed = pool.feed(items, |probe: Probe| probe.task(()));
    let (reader, mut progress) = (Arc::new(Woken::default()), feed.progress_stream());
    let first = reader.item(&mut progress);
    assert_eq!((counts(first), first.total), ((0, 0, 0, 5), Some(5)));
    hand.run();
    assert_eq!(counts(reader.item(&mut progress)), (0, 0, 2, 3));
    assert!(reader.has_none(&mut progress));
    // Other tasks of the pool are no news to it.
    pool.spawn_n(async {});
    probes.iter().take(2).for_each(Probe::end);
    hand.run();
    assert_eq!(reader.take(), 1);
    assert_eq!(counts(reader.item(&mut progress)), (2, 0, 2, 1));
    // The feed may be gone.
    drop(feed);
    probes.iter().for_each(Probe::end);
    assert!(reader.has_none(&mut progress));
    hand.run();
    assert_eq!(reader.take(), 1);
    let last = reader.item(&mut progress);
    assert_eq!((counts(last), last.total), ((5, 0, 0, 0), Some(5)));
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
    assert!(!pool.is_closed());
}

#[test]
fn a_feed_without_a_known_length_counts_as_one_that_waits() {
    let (hand, pool) = untimed(1);
    let even = (0..10).filter(|n| n % 2 == 0);
    let feed = pool.feed(even, |_| async {});
    let (reader, mut progress) = (Arc::new(Woken::default()), feed.progress_stream());
    let first = reader.item(&mut progress);
    assert_eq!((counts(first), first.total), ((0, 0, 0, 1), None));
    hand.run();
    let last = reader.item(&mut progress);
    assert_eq!((counts(last), last.total), ((5, 0, 0, 0), None));
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
    let total = pool.feed(0..3, |_| async {}).progress_stream().total(9);
    hand.run();
    let mut total = total;
    assert_eq!(reader.item(&mut total).total, Some(9));
}

#[test]
fn a_feed_that_is_aborted_ends_its_stream_with_less_than_its_total() {
    let (hand, pool) = untimed(2);
    let feed = pool.feed(0..100, |_| pending::<()>());
    hand.run();
    let (reader, mut progress) = (Arc::new(Woken::default()), feed.progress_stream());
    assert_eq!(counts(reader.item(&mut progress)), (0, 0, 2, 98));
    assert!(reader.has_none(&mut progress));
    feed.abort();
    hand.run();
    assert_eq!(reader.take(), 1);
    let last = reader.item(&mut progress);
    assert_eq!((counts(last), last.total), ((2, 0, 0, 0), Some(100)));
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
}

#[test]
fn a_feed_that_the_pool_refuses_or_that_breaks_ends_its_stream() {
    let (hand, pool) = untimed(1);
    let broken = pool.feed(0..3, |n| {
        assert!(n < 1, "as it should");
        async {}
    });
    hand.run();
    let reader = Arc::new(Woken::default());
    let mut of_broken = broken.progress_stream();
    assert_eq!(counts(reader.item(&mut of_broken)), (2, 1, 0, 0));
    assert_eq!(reader.poll(&mut of_broken), Poll::Ready(None));
    pool.close();
    let mut refused = pool.feed(0..3, |_| async {}).progress_stream();
    assert_eq!(counts(reader.item(&mut refused)), (0, 0, 0, 0));
    assert_eq!(reader.poll(&mut refused), Poll::Ready(None));
}

#[test]
fn each_of_several_streams_of_a_feed_is_woken_and_so_is_the_feed() {
    let (timed, pool) = Timed::pool(1);
    let mut feed = pool.feed(0..3, |_| async {});
    let readers = [(); 3].map(|()| Arc::new(Woken::default()));
    let [awaiting, one, other] = &readers;
    let waker = Waker::from(awaiting.clone());
    let mut streams = [feed.progress_stream(), feed.progress_stream()];
    assert!(
        Pin::new(&mut feed)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    for (reader, progress) in [one, other].into_iter().zip(&mut streams) {
        reader.item(progress);
        assert!(reader.has_none(progress));
    }
    timed.hand.run();
    for reader in &readers {
        assert_eq!(reader.take(), 1);
    }
}

#[test]
fn a_stream_of_a_feed_over_a_stream_works_too() {
    let (hand, pool) = untimed(1);
    let feed = pool.feed_stream(stream::iter(0..4), |_| async {});
    let (reader, mut progress) = (Arc::new(Woken::default()), feed.progress_stream());
    assert_eq!(reader.item(&mut progress).total, Some(4));
    hand.run();
    assert_eq!(counts(reader.item(&mut progress)), (4, 0, 0, 0));
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
}

#[test]
fn a_task_that_reads_the_progress_of_its_pool_lends_its_permit() {
    on_every_runtime(async |pools| {
        let pool = pools.size(1);
        let progress = pool.progress().total(10);
        let reader = pool.spawn_n(last(progress));
        let others = pool.map_n(0..10, |n| async move { n });
        let last = reader.await.unwrap();
        assert!(last.done >= 10, "{}: {last:?}", pools.runtime);
        drop(others);
    });
}

#[test]
fn the_last_item_has_the_final_counts_on_every_runtime() {
    on_every_runtime(async |pools| {
        for every in [Duration::ZERO, Duration::from_millis(1), Duration::MAX] {
            let pool = pools.size(3);
            let progress = pool.progress().every(every);
            let (work, closing) = (pool.clone(), pool.clone());
            let working = async move {
                let feed = work.feed(0..500, |_| async {});
                let of_feed = feed.progress_stream().every(every);
                let (report, seen) = join(feed, last(of_feed)).await;
                assert_eq!((report.completed, counts(seen)), (500, (500, 0, 0, 0)));
                work.map(0..500, |n| async move { n }).await;
                closing.close();
            };
            let ((), seen) = join(working, last(progress)).await;
            assert_eq!(counts(seen), (1000, 0, 0, 0), "{}", pools.runtime);
        }
    });
}

#[test]
fn a_timer_that_panics_or_is_over_at_once_is_no_timer() {
    for is_there in [false, true] {
        let timers = Rude {
            is_there,
            begun: Arc::default(),
        };
        let pool = AioPool::with_spawner(1, timers.clone());
        let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
        reader.item(&mut progress);
        for _ in 0..9 {
            assert!(reader.has_none(&mut progress));
            assert_eq!(reader.take(), 0, "it keeps its reader busy");
        }
        assert!(
            is_there || timers.begun.load(SeqCst) == 1,
            "each panic is reported"
        );
        pool.close();
        assert_eq!(reader.take(), 1);
        assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
    }
}

/// A runtime whose timers are over at once, or panic.
#[derive(Clone)]
struct Rude {
    is_there: bool,
    begun: Arc<AtomicUsize>,
}

impl Spawner for Rude {
    fn spawn(&self, _: Worker) {}

    fn sleep(&self, _: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.begun.fetch_add(1, SeqCst);
        assert!(self.is_there, "as it should");
        Some(Box::pin(async {}))
    }
}

#[test]
fn a_runtime_that_ends_takes_only_the_pauses() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = AioPool::with_spawner(1, Tokio::handle(runtime.handle().clone()));
    let (reader, mut progress) = (Arc::new(Woken::default()), pool.progress());
    reader.item(&mut progress);
    assert!(reader.has_none(&mut progress));
    drop(runtime);
    while reader.poll(&mut progress).is_ready() {}
    pool.close();
    assert_ne!(reader.take(), 0);
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
}

#[test]
fn a_pool_that_has_no_runtime_yet_can_be_watched() {
    let (reader, pool) = (Arc::new(Woken::default()), AioPool::new(1));
    let mut progress = pool.progress();
    assert_eq!(counts(reader.item(&mut progress)), (0, 0, 0, 0));
    assert!(reader.has_none(&mut progress));
    pool.close();
    assert_eq!(reader.take(), 1);
    assert_eq!(reader.poll(&mut progress), Poll::Ready(None));
}

#[test]
fn progress_streams_are_send_and_can_be_moved() {
    fn moves<T: Send + Unpin + 'static>(_: &T) {}
    let pool = AioPool::with_spawner(1, FnSpawner(|_| ()));
    let progress = pool.progress();
    moves(&progress);
    let shown = format!("{progress:?}");
    assert!(
        shown.starts_with("ProgressStream { every: 100ms"),
        "{shown}"
    );
}
