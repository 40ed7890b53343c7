//! `rate`: so many starts in an interval, together with the size.

use std::collections::HashMap;
use std::ffi::OsString;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::{AioPool, BuildError, Builder, Refusal};
use futures::future::join_all;
use futures::stream;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep};

use crate::support::{Probe, Timed, on_every_runtime, on_tokio, within};

const SECOND: Duration = Duration::from_secs(1);

fn limited(starts: u32, per: Duration) -> Builder {
    AioPool::builder().size(100).rate(starts, per)
}

#[test]
fn no_interval_sees_more_starts_and_none_is_wasted() {
    on_tokio(async {
        let pool = limited(3, SECOND).build().unwrap();
        let begun = Instant::now();
        let starts = pool.map(0..30, |_| async { Instant::now() }).await;
        let starts: Vec<Duration> = starts.into_iter().map(|at| at.unwrap() - begun).collect();
        assert!(starts.is_sorted());
        for (first, fourth) in starts.iter().zip(&starts[3..]) {
            assert!(*fourth - *first >= SECOND, "{starts:?}");
        }
        assert_eq!(starts[0], Duration::ZERO);
        // The timer of the runtime is exact to a millisecond, and rounds up.
        assert!(starts[29] < Duration::from_millis(9050), "{starts:?}");
    });
}

#[test]
fn a_rate_that_is_spread_has_no_bursts() {
    on_tokio(async {
        for is_set_first in [true, false] {
            let builder = AioPool::builder().size(100);
            let builder = if is_set_first {
                builder.spread(true).rate(4, SECOND)
            } else {
                builder.rate(4, SECOND).spread(true)
            };
            let pool = builder.build().unwrap();
            // What was not used is not made up for.
            sleep(10 * SECOND).await;
            let begun = Instant::now();
            let starts = pool.map(0..21, |_| async { Instant::now() }).await;
            let starts: Vec<Duration> = starts.into_iter().map(|at| at.unwrap() - begun).collect();
            assert_eq!(starts[0], Duration::ZERO);
            for pair in starts.windows(2) {
                assert!(pair[1] - pair[0] >= SECOND / 4, "{starts:?}");
            }
            assert!(starts[20] < Duration::from_millis(5050), "{starts:?}");
        }
    });
}

#[test]
fn a_spread_rate_keeps_its_starts_apart_on_every_runtime() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let builder = pools.builder().size(4).rate(10, Duration::from_millis(30));
        let pool = builder.spread(true).build().unwrap();
        let now = |_| async { std::time::Instant::now() };
        let times = pool.map(0..40, now).await;
        let times = times.into_iter().map(Result::unwrap).collect();
        keep(1, Duration::from_millis(3), times, pools.runtime);
    });
}

#[test]
fn a_rate_of_nothing_is_refused_if_it_is_spread_too() {
    let refused = [limited(0, SECOND), limited(1, Duration::ZERO)];
    for builder in refused {
        let error = builder.spread(true).build().unwrap_err();
        assert!(matches!(error, BuildError::ZeroRate));
    }
    // Without a rate there is nothing to spread.
    AioPool::builder().spread(true).build().unwrap();
}

#[test]
fn starts_that_were_not_used_are_not_saved_up() {
    on_tokio(async {
        let pool = limited(2, SECOND).build().unwrap();
        sleep(10 * SECOND).await;
        let handles = pool.map_n(0..5, |_| async {});
        sleep(Duration::from_millis(500)).await;
        let started = handles.iter().filter(|handle| handle.is_finished()).count();
        assert_eq!(started, 2);
        pool.cancel_all().await;
    });
}

#[test]
fn a_task_that_waits_for_the_rate_holds_no_permit() {
    on_tokio(async {
        let pool = limited(1, SECOND).build().unwrap();
        let handles = pool.map_n(0..3, |_| pending::<()>());
        sleep(Duration::from_millis(10)).await;
        assert_eq!((pool.active(), pool.waiting()), (1, 2));
        assert!(pool.try_spawn(async {}).is_err());
        assert!(handles[1].abort());
        sleep(SECOND).await;
        assert_eq!((pool.active(), pool.waiting()), (2, 0));
        pool.cancel_all().await;
    });
}

#[test]
fn a_task_of_a_group_that_waits_for_the_rate_holds_no_permit_of_the_group() {
    on_tokio(async {
        let pool = limited(1, SECOND).build().unwrap();
        let group = pool.group("g", 1).unwrap();
        pool.spawn(async {}).await;
        let _waits = group.spawn_n(async {});
        assert!(!group.is_full());
        assert_eq!((group.active(), group.waiting()), (0, 1));
        pool.join().await;
    });
}

#[test]
fn size_and_rate_hold_together_and_in_order() {
    on_tokio(async {
        let pool = limited(2, SECOND).size(1).build().unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let begun = Instant::now();
        for n in 0..6 {
            let order = order.clone();
            pool.spawn_n(async move {
                order
                    .lock()
                    .unwrap()
                    .push((n, begun.elapsed().as_millis() / 100));
                sleep(SECOND / 10).await;
            });
        }
        pool.join().await;
        let times = [(0, 0), (1, 1), (2, 10), (3, 11), (4, 20), (5, 21)];
        assert_eq!(*order.lock().unwrap(), times);
    });
}

#[test]
fn groups_feeds_and_code_in_place_share_the_rate() {
    on_tokio(async {
        let pool = limited(1, SECOND).build().unwrap();
        let begun = Instant::now();
        let group = pool.group("g", 1).unwrap();
        group.spawn(async {}).await;
        pool.run(async {}).await;
        assert_eq!(begun.elapsed().as_secs(), 1);
        drop(pool.acquire().await);
        assert_eq!(pool.feed(0..2, |_| async {}).await.completed, 2);
        assert_eq!(begun.elapsed().as_secs(), 4);
    });
}

#[test]
fn one_who_returns_with_a_lent_permit_does_not_start_again() {
    on_tokio(async {
        let pool = limited(2, SECOND).size(1).build().unwrap();
        let begun = Instant::now();
        let inner = pool.clone();
        let outer = pool.spawn_n(async move { inner.exec(async { 7 }).await.unwrap() });
        assert_eq!(outer.await.unwrap(), 7);
        assert!(begun.elapsed() < SECOND);
    });
}

#[test]
fn a_pause_or_a_full_pool_uses_no_starts() {
    on_tokio(async {
        let pool = limited(1, SECOND).size(1).build().unwrap();
        let probe = Probe::new();
        pool.spawn(probe.task(())).await;
        let begun = Instant::now();
        let next = pool.spawn_n(async {});
        sleep(5 * SECOND).await;
        probe.end();
        next.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 5);
    });
}

#[test]
fn every_runtime_with_a_timer_keeps_it() {
    on_every_runtime(|pools| async move {
        let builder = pools.builder().rate(5, Duration::from_millis(20));
        if !pools.timer {
            assert!(matches!(builder.build().unwrap_err(), BuildError::NoTimer));
            return;
        }
        let pool = builder.build().unwrap();
        let begun = std::time::Instant::now();
        pool.map(0..15, |_| async {}).await;
        assert!(begun.elapsed() >= Duration::from_millis(40));
        pool.join().await;
        assert_eq!(pool.stats().completed, 15, "on {}", pools.runtime);
    });
}

#[test]
fn a_rate_of_nothing_is_an_error_at_once() {
    let refused = [limited(0, SECOND), limited(1, Duration::ZERO)].map(Builder::build);
    for error in refused.map(Result::unwrap_err) {
        assert!(matches!(error, BuildError::ZeroRate));
        assert!(error.to_string().contains("rate"));
    }
}

#[test]
fn a_runtime_that_ends_rejects_those_that_wait_for_the_rate() {
    let timed = Timed::default();
    let builder = limited(1, SECOND).spawner(timed.clone());
    let pool = builder.build().unwrap();
    let handles = pool.map_n(0..100, |_| async {});
    timed.hand.run();
    assert!(handles[0].is_finished() && !handles[1].is_finished());
    timed.hand.drop_workers();
    assert!(pool.is_empty());
    assert!(handles.iter().all(aiopool::JoinHandle::is_finished));
    let stats = pool.stats();
    assert_eq!((stats.completed, stats.rejected), (1, 99));
}

#[test]
fn one_timer_runs_as_long_as_tasks_wait_for_the_rate() {
    let timed = Timed::default();
    let builder = limited(2, SECOND).spawner(timed.clone());
    let pool = builder.build().unwrap();
    timed.take();
    pool.map_n(0..6, |_| async {});
    timed.hand.run();
    for ended in [2, 4] {
        assert_eq!(pool.stats().completed, ended);
        let running = timed.take();
        assert_eq!(running.len(), 1);
        running.iter().for_each(Probe::end);
        timed.hand.run();
    }
    assert_eq!(pool.stats().completed, 6);
    assert_eq!((timed.hand.workers(), timed.take().len()), (0, 0));
}

/// Returns the least time from a start to the one that comes so many later.
fn closest(starts: usize, mut times: Vec<std::time::Instant>) -> Duration {
    times.sort_unstable();
    let pairs = times.iter().zip(&times[starts..]);
    pairs.map(|(first, beyond)| *beyond - *first).min().unwrap()
}

/// Whether no interval sees more starts than that.
fn keep(starts: usize, per: Duration, times: Vec<std::time::Instant>, runtime: &str) {
    let between = closest(starts, times);
    assert!(between >= per, "{between:?} on {runtime}");
}

/// Returns how long each thread of this process has been ready to run and had to wait for a processor, by its number, as
/// far as the system says.
fn thread_delays() -> HashMap<OsString, Duration> {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let delays = threads.filter_map(|thread| {
        let thread = thread.ok()?;
        let figures = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let waited = figures.split_whitespace().nth(1)?.parse().ok()?;
        Some((thread.file_name(), Duration::from_nanos(waited)))
    });
    delays.collect()
}

/// Returns `true` if a thread has waited for a processor for as long as that since `before`.
fn was_a_thread_held_up(before: &HashMap<OsString, Duration>, for_long: Duration) -> bool {
    let earlier = |thread| before.get(thread).copied().unwrap_or_default();
    let now = thread_delays();
    now.iter()
        .any(|(thread, waited)| waited.saturating_sub(earlier(thread)) >= for_long)
}

/// Whether no interval sees more starts than that, in one of four runs. Another run is allowed only if the system says that a
/// thread was held up in the last one, for as long as `excuse` says, which gets the least time between a start and the one that
/// comes so many later.
async fn keep_unless_held_up<Times>(
    starts: usize,
    per: Duration,
    runtime: &str,
    excuse: impl Fn(Duration) -> Duration,
    run: impl Fn() -> Times,
) where
    Times: Future<Output = Vec<std::time::Instant>>,
{
    for runs_left in (0..4).rev() {
        let before = thread_delays();
        let between = closest(starts, run().await);
        if between >= per {
            return;
        }
        let is_excepted = runs_left > 0 && was_a_thread_held_up(&before, excuse(between));
        assert!(is_excepted, "{between:?} on {runtime}");
    }
}

#[test]
fn a_start_counts_when_the_future_is_first_polled() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let per = Duration::from_millis(60);
        let pool = pools.builder().size(100).rate(5, per).build().unwrap();
        let now = |_| async { std::time::Instant::now() };
        let handles = pool.map_n(0..12, now);
        std::thread::sleep(Duration::from_millis(50));
        let mut times = Vec::new();
        for handle in handles {
            times.push(handle.await.unwrap());
        }
        keep(5, per, times, pools.runtime);
    });
}

#[test]
fn no_interval_of_any_runtime_sees_more_starts() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        for (starts, micros) in [(1, 700), (3, 4000), (10, 10_000)] {
            let per = Duration::from_micros(micros);
            // A first poll whose thread is held up for longer than the interval is the exception that the docs name.
            let run = || start_hundred(pools.builder().size(4).rate(starts, per));
            keep_unless_held_up(starts as usize, per, pools.runtime, |_| per, run).await;
        }
    });
}

/// Starts a hundred tasks. Returns when each began.
async fn start_hundred(builder: Builder) -> Vec<std::time::Instant> {
    let now = |_| async { std::time::Instant::now() };
    let times = builder.build().unwrap().map(0..100, now).await;
    times.into_iter().map(Result::unwrap).collect()
}

/// Starts 200 tasks at one a millisecond. Returns which part of that rate they reached.
async fn reached(pool: &AioPool, is_map: bool) -> f64 {
    let begun = std::time::Instant::now();
    if is_map {
        pool.map(0..200, |_| async {}).await;
    } else {
        (0..200).for_each(|_| drop(pool.spawn_n(async {})));
        pool.join().await;
    }
    0.199 / begun.elapsed().as_secs_f64()
}

#[test]
fn a_start_a_millisecond_is_reached_by_every_runtime_in_a_pool_and_in_a_group() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = || {
            let builder = pools.builder().rate(1, Duration::from_millis(1));
            builder.size(100).build().unwrap()
        };
        let around = pools.size(100);
        let group = || around.keyed_with("g", |group| group.rate(1, Duration::from_millis(1)));
        let limited: [&(dyn Fn() -> AioPool + Sync); 2] = [&pool, &group];
        for (is_group, limited) in limited.into_iter().enumerate() {
            for is_map in [false, true] {
                let mut best: f64 = 0.0;
                // A busy machine may keep any thread waiting.
                for _ in 0..20 {
                    best = best.max(reached(&limited(), is_map).await);
                    if best >= 0.6 {
                        break;
                    }
                }
                assert!(best >= 0.6, "{best} on {}, {is_group}", pools.runtime);
            }
        }
    });
}

#[cfg(target_os = "linux")]
mod in_a_process_of_its_own {
    use super::{AioPool, Duration, limited, one_thread, reached};
    use crate::support::alone;

    /// The processor time of this process so far.
    fn processor_time() -> Duration {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks = fields.skip(11).take(2).map(str::parse::<u64>);
        Duration::from_millis(ticks.map(|count| count.unwrap() * 10).sum())
    }

    fn has_sleeper() -> bool {
        let mut threads = std::fs::read_dir("/proc/self/task").unwrap();
        threads.any(|thread| {
            let name = std::fs::read_to_string(thread.unwrap().path().join("comm"));
            name.is_ok_and(|name| name.trim() == "aiopool-rate")
        })
    }

    fn on_tokio_in_true_time(body: impl AsyncFnOnce(AioPool)) {
        let pool = limited(1, Duration::from_millis(1)).build().unwrap();
        one_thread().block_on(body(pool));
    }

    #[test]
    fn a_short_interval_takes_no_whole_core() {
        let name = "rate::in_a_process_of_its_own::a_short_interval_takes_no_whole_core";
        alone(name, || {
            on_tokio_in_true_time(async |pool| {
                let mut least: f64 = 1.0;
                for _ in 0..3 {
                    let (begun, before) = (std::time::Instant::now(), processor_time());
                    reached(&pool, false).await;
                    let took = processor_time() - before;
                    least = least.min(took.as_secs_f64() / begun.elapsed().as_secs_f64());
                }
                assert!(least < 0.7, "{least}");
            });
        });
    }

    #[test]
    fn the_thread_of_a_short_interval_ends_when_nothing_waits() {
        let name = "rate::in_a_process_of_its_own::\
            the_thread_of_a_short_interval_ends_when_nothing_waits";
        alone(name, || {
            on_tokio_in_true_time(async |pool| {
                for _ in 0..2 {
                    reached(&pool, false).await;
                    assert!(has_sleeper());
                    let ends = async {
                        while has_sleeper() {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    };
                    let limit = Duration::from_secs(20);
                    tokio::time::timeout(limit, ends).await.unwrap();
                }
            });
        });
    }
}

fn one_thread() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// Lets a runtime do what it has to do.
fn drive(runtime: &Runtime) {
    runtime.block_on(async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    });
}

fn within_context<R>(runtime: &Runtime, submit: impl FnOnce() -> R) -> R {
    let _inside = runtime.enter();
    submit()
}

/// Drops two runtimes of three while the tasks of two of them wait for the rate.
fn outlive_two_runtimes(is_driven: bool) {
    let per = Duration::from_millis(30);
    let pool = limited(2, per).build().unwrap();
    let [main, timing, living] = [(); 3].map(|()| one_thread());
    let lost = within_context(&main, || pool.spawn_n(pending::<()>()));
    drive(&main);
    let active = within_context(&living, || pool.spawn_n(pending::<()>()));
    drive(&living);
    let refused = within_context(&timing, || pool.map_n(0..2, |_| async {}));
    let now = |_| async { std::time::Instant::now() };
    let handles = within_context(&living, || pool.map_n(0..6, now));
    for ending in [timing, main] {
        if is_driven {
            drive(&ending);
        }
        drop(ending);
    }
    living.block_on(async {
        let mut times = Vec::new();
        for handle in handles {
            times.push(handle.await.unwrap());
        }
        keep(2, per, times, "the last runtime");
        for handle in refused {
            assert!(is_driven || handle.await.unwrap_err().is_rejected());
        }
        assert!(lost.await.unwrap_err().is_cancelled());
        active.cancel().await.unwrap_err();
    });
    assert!(pool.is_empty());
}

#[test]
fn the_rate_goes_on_with_the_last_runtime_of_three() {
    within("three runtimes, two of which end", || {
        [false, true].into_iter().for_each(outlive_two_runtimes);
    });
}

#[test]
fn all_ways_to_start_keep_the_rate_together() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let per = Duration::from_millis(8);
        // Code in place starts when it has its permit. If its thread is held up then, it notes a later time.
        let late = |between| per - between;
        let run = || start_in_all_ways(pools.builder().size(4).rate(2, per));
        keep_unless_held_up(2, per, pools.runtime, late, run).await;
    });
}

/// Starts thirty tasks and other code. Returns when each began.
async fn start_in_all_ways(builder: Builder) -> Vec<std::time::Instant> {
    let pool = builder.build().unwrap();
    let times = Arc::new(Mutex::new(Vec::new()));
    let note = |times: &Arc<Mutex<Vec<_>>>| {
        let times = times.clone();
        move || times.lock().unwrap().push(std::time::Instant::now())
    };
    let noted = times.clone();
    let feed = pool.feed(0..10, move |_| {
        let note = note(&noted);
        async move { note() }
    });
    let group = pool.group("g", 2).unwrap();
    for _ in 0..4 {
        let (plain, named, grouped) = (note(&times), note(&times), note(&times));
        pool.spawn_n(async move { plain() });
        pool.task(async move { named() }).name("n").spawn_n();
        group.spawn_n(async move { grouped() });
        pool.spawn_blocking(note(&times));
        pool.run(async { note(&times)() }).await;
    }
    assert_eq!(feed.await.completed, 10);
    pool.join().await;
    let times = std::mem::take(&mut *times.lock().unwrap());
    assert_eq!(times.len(), 30);
    times
}

#[test]
fn a_start_that_is_not_made_comes_back_at_once() {
    let timed = Timed::default();
    let pool = timed.builder().size(10).rate(1, SECOND).build().unwrap();
    timed.take();
    let unpolled = pool.spawn_n(async {});
    let next = pool.spawn_n(async {});
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    assert!(unpolled.abort());
    timed.hand.run();
    assert!(next.is_finished() && next.abort_handle().is_finished());
    assert_eq!((pool.stats().completed, pool.stats().cancelled), (1, 1));
    assert_eq!(timed.hand.workers(), 0);

    let last = pool.spawn_n(async {});
    timed.hand.run();
    assert!(!last.is_finished());
    timed.end_all();
    timed.hand.run();
    assert!(last.is_finished());
    let mut asking = Box::pin(pool.acquire());
    crate::assert_pending!(asking);
    let behind = pool.spawn_n(async {});
    timed.hand.run();
    timed.end_all();
    timed.hand.run();
    assert_eq!(pool.active(), 1);
    drop(asking);
    timed.hand.run();
    assert!(behind.is_finished());
}

#[test]
fn a_pool_where_nothing_may_wait_refuses_tasks_until_there_is_a_start_again() {
    on_tokio(async {
        let pool = limited(2, SECOND).size(10).max_waiting(0);
        let pool = pool.build().unwrap();
        for _ in 0..3 {
            let tasks = pool.map_n(0..3, |n| async move { n });
            let results = join_all(tasks).await;
            assert!(results[..2].iter().all(Result::is_ok));
            assert_eq!(
                results[2].as_ref().unwrap_err().refusal(),
                Some(Refusal::Full)
            );
            assert!(pool.try_spawn(async {}).is_err());
            sleep(SECOND).await;
        }
        let stats = pool.stats();
        assert_eq!((stats.completed, stats.rejected, stats.refused), (6, 3, 3));
    });
}

#[test]
fn a_start_that_was_not_used_comes_back_together_with_the_permit() {
    on_tokio(async {
        let pool = limited(1, SECOND).size(3).build().unwrap();
        let group = pool.keyed("one at a time", 1);
        pool.exec(async {}).await.unwrap();
        // The feed has nothing to start: it needs the permit of the group and the start for a moment.
        let feed = group.feed(0..0, |_| async {});
        let (older, younger) = (group.spawn_n(async {}), pool.spawn_n(async {}));
        sleep(SECOND + SECOND / 2).await;
        assert_eq!(feed.await.completed, 0);
        assert_eq!((older.is_finished(), younger.is_finished()), (true, false));
    });
}

#[test]
fn a_feed_whose_stream_is_pending_gives_its_start_back_together_with_the_permit() {
    on_tokio(async {
        let pool = limited(1, SECOND).size(3).build().unwrap();
        let group = pool.keyed("one at a time", 1);
        pool.exec(async {}).await.unwrap();
        let feed = group.feed_stream(stream::pending::<()>(), |()| async {});
        let (older, younger) = (group.spawn_n(async {}), pool.spawn_n(async {}));
        sleep(SECOND + SECOND / 2).await;
        assert!(!feed.is_finished());
        assert_eq!((older.is_finished(), younger.is_finished()), (true, false));
        feed.abort();
    });
}
