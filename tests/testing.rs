//! The module `testing`: what it promises to tests, and that its checks see what they are for.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aiopool::testing::{ManualSpawner, Probe, Recorder, assert_idle, assert_settled};
use aiopool::{AioPool, JoinHandle, Spawner};

const SECOND: Duration = Duration::from_secs(1);

fn recorded(size: usize) -> (ManualSpawner, Recorder, AioPool) {
    let (spawner, recorder) = (ManualSpawner::new(), Recorder::new());
    let builder = spawner.builder().size(size).observer(recorder.clone());
    let pool = builder.build().unwrap();
    (spawner, recorder, pool)
}

#[test]
fn the_clock_stops_at_each_timer_on_its_way() {
    let (spawner, pool) = ManualSpawner::pool(4);
    let (begin, log) = (spawner.now(), Arc::new(Mutex::new(Vec::new())));
    for (name, seconds) in [("slow", 3), ("quick", 2)] {
        let (inside, log) = (spawner.clone(), log.clone());
        pool.spawn_n(async move {
            for _ in 0..2 {
                inside.timer(seconds * SECOND).await;
                log.lock().unwrap().push((name, inside.now() - begin));
            }
        });
    }
    spawner.advance(10 * SECOND);
    let expected = [("quick", 2), ("slow", 3), ("quick", 4), ("slow", 6)];
    let expected = expected.map(|(name, seconds)| (name, seconds * SECOND));
    assert_eq!(*log.lock().unwrap(), expected);
    assert_eq!(spawner.now() - begin, 10 * SECOND);
    assert_idle(&pool);
}

#[test]
fn a_clock_that_skips_polls_nothing_and_all_timers_are_late() {
    let (spawner, pool) = ManualSpawner::pool(2);
    let begin = spawner.now();
    let inside = spawner.clone();
    let handle = pool.spawn_n(async move {
        inside.timer(SECOND).await;
        inside.timer(SECOND).await;
        inside.now()
    });
    spawner.run();
    spawner.skip(5 * SECOND);
    spawner.run();
    assert!(!handle.is_finished(), "the second timer began late");
    spawner.skip(SECOND);
    let end = spawner.run_until(handle).unwrap();
    assert_eq!(end - begin, 6 * SECOND);
}

#[test]
fn a_timer_that_is_dropped_is_forgotten() {
    let (spawner, pool) = ManualSpawner::pool(1);
    let handle = pool.spawn_n(spawner.timer(SECOND));
    assert_eq!(spawner.timers(), 0, "it has not been polled");
    spawner.run();
    assert_eq!(spawner.timers(), 1);
    spawner.run_until(handle.cancel()).unwrap_err();
    assert_eq!(spawner.timers(), 0);
}

#[test]
fn a_timer_beyond_the_end_of_time_never_ends() {
    let (spawner, pool) = ManualSpawner::pool(1);
    let handle = pool.spawn_n(spawner.timer(Duration::MAX));
    spawner.advance(1_000_000 * SECOND);
    assert!(!handle.is_finished());
}

#[test]
fn a_step_polls_each_worker_once() {
    let (spawner, pool) = ManualSpawner::pool(2);
    let handles = pool.map_n(0..2, |_| async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    });
    let steps = (0..).take_while(|_| spawner.step()).count();
    assert!(steps > 3, "{steps}");
    assert_settled(&handles);
}

#[test]
#[should_panic(
    expected = "the future is never ready: ManualSpawner { workers: 1, woken: 0, timers: 1"
)]
fn a_wait_that_never_ends_is_a_panic_that_says_what_waits() {
    let (spawner, pool) = ManualSpawner::pool(1);
    let slow = pool.spawn_n(spawner.timer(SECOND));
    let _ = spawner.run_until(slow);
}

#[test]
fn a_future_that_is_woken_from_its_own_poll_is_polled_again() {
    let spawner = ManualSpawner::new();
    let borrowed = String::from("not static");
    let length = spawner.run_until(async {
        tokio::task::yield_now().await;
        borrowed.len()
    });
    assert_eq!(length, 10);
}

#[test]
fn blocking_work_runs_on_the_thread_of_the_test() {
    let (spawner, pool) = ManualSpawner::pool(1);
    let handle = pool.spawn_blocking(|| thread::current().id());
    assert!(!handle.is_finished());
    let ran_on = spawner.run_until(handle).unwrap();
    assert_eq!(ran_on, thread::current().id());
}

#[test]
fn the_end_of_the_runtime_settles_all_and_is_final() {
    let (spawner, pool) = ManualSpawner::pool(2);
    let probe = Probe::new();
    let active = pool.spawn_n(probe.task(()));
    spawner.run();
    let blocking = pool.spawn_blocking(|| ());
    let waiting = pool.spawn_n(async {});
    spawner.shut_down();
    assert!(probe.is_dropped());
    let late = pool.spawn_n(async {});
    assert_settled([&active, &blocking, &waiting, &late]);
    assert_eq!((spawner.workers(), pool.stats().completed), (0, 0));
    assert_idle(&pool);
}

#[test]
fn without_a_timer_the_machines_clock_counts() {
    let spawner = ManualSpawner::without_timer();
    assert!(spawner.sleep(SECOND).is_none());
    let before = spawner.now();
    thread::sleep(Duration::from_millis(1));
    assert!(spawner.now() > before);
}

#[test]
#[should_panic(expected = "the runtime has no clock: make it by `ManualSpawner::new`")]
fn a_clock_that_is_not_there_cannot_be_moved() {
    ManualSpawner::without_timer().advance(SECOND);
}

#[test]
fn a_probe_counts_polls_and_tells_all_its_tasks() {
    let (spawner, pool) = ManualSpawner::pool(2);
    let probe = Probe::new();
    let handles = pool.map_n(0..3, |n| probe.task(n));
    spawner.run();
    assert_eq!((probe.polls(), probe.is_dropped()), (2, false));
    probe.end();
    spawner.run();
    assert_eq!(probe.polls(), 5, "two more, and the one of the third");
    assert_settled(&handles);
}

#[test]
fn a_probe_that_is_told_before_the_start_ends_at_its_first_poll() {
    let (spawner, pool) = ManualSpawner::pool(1);
    let probe = Probe::new();
    probe.end();
    assert!(!probe.has_started());
    let handle = pool.spawn_n(probe.task("ended"));
    assert_eq!(spawner.run_until(handle).unwrap(), "ended");
    assert_eq!(probe.polls(), 1);
}

#[test]
fn a_probe_panics_in_the_middle_of_its_task() {
    let (spawner, pool) = ManualSpawner::pool(1);
    let probe = Probe::new();
    let handle = pool.spawn_n(probe.task(()));
    spawner.run_until(probe.started());
    probe.panic();
    let error = spawner.run_until(handle).unwrap_err();
    let message = error.panic_message().unwrap();
    assert!(message.contains("a probe"), "{message}");
    assert!(probe.is_dropped());
    assert_idle(&pool);
}

#[test]
fn a_recorder_counts_permits_until_the_future_is_dropped() {
    let (spawner, recorder, pool) = recorded(5);
    let heavy = Probe::new();
    let handle = pool.task(heavy.task(())).weight(3).spawn_n();
    let light = Probe::several(3);
    let _handles = pool.map_n(&light, |probe| probe.task(()));
    spawner.run();
    assert_eq!((recorder.most_permits(), recorder.starts().len()), (5, 3));
    // Three permits come back, and one is taken.
    spawner.run_until(handle.cancel()).unwrap_err();
    spawner.run();
    assert_eq!((recorder.most_permits(), recorder.starts().len()), (5, 4));
    recorder.assert_at_most(5);
}

#[test]
fn a_recorder_sees_every_kind_of_task_once() {
    let (spawner, recorder, pool) = recorded(2);
    let mut tries = 0;
    let retried = pool.task_fn(move |_| {
        tries += 1;
        std::future::ready(if tries == 3 { Ok(()) } else { Err(()) })
    });
    let retried = retried.retry([SECOND; 2]).spawn_n();
    let staged = pool.task(async {}).then(|_| async {}).spawn_n();
    let blocking = pool.spawn_blocking(|| ());
    let feed = pool.feed(0..3, |_| async {});
    let group = pool.group("inner", 1).unwrap();
    let grouped = group.spawn_n(async {});
    spawner.advance(5 * SECOND);
    spawner.run_until(feed);
    assert_settled([&staged, &blocking, &grouped]);
    assert_settled([&retried]);
    assert_eq!(recorder.starts().len(), 7);
    recorder.assert_in_order(2);
    recorder.assert_at_most(2);
    assert_idle(&pool);
}

#[test]
#[should_panic(expected = "have had 2 permits at once, and no more than 1 were allowed")]
fn a_recorder_sees_a_permit_too_many() {
    let (spawner, recorder, pool) = recorded(2);
    pool.map_n(0..2, |_| pending::<()>());
    spawner.run();
    recorder.assert_at_most(1);
}

#[test]
fn a_task_with_a_permit_may_be_polled_after_newer_ones() {
    let is_seen = || {
        let (spawner, recorder, pool) = recorded(3);
        let ids: Vec<_> = pool
            .map_n(0..6, |_| async {})
            .iter()
            .map(JoinHandle::id)
            .collect();
        spawner.run();
        recorder.assert_in_order(3);
        // The first worker runs its task and those that wait, then the two other workers run theirs.
        recorder.starts() == [0, 3, 4, 5, 1, 2].map(|n| ids[n])
    };
    // A worker looks at the clock between two tasks: on a busy machine it may hand the thread back before.
    assert!((0..1000).any(|_| is_seen()));
}

#[test]
#[should_panic(expected = "task 3 has started before tasks that were submitted before it: [1, 2]")]
fn a_recorder_sees_more_starts_out_of_order_than_there_are_permits() {
    let (spawner, recorder, pool) = recorded(3);
    pool.map_n(0..6, |_| async {});
    spawner.run();
    recorder.assert_in_order(2);
}

#[test]
fn order_is_asked_for_within_a_group_and_a_priority_only() {
    let (spawner, recorder, pool) = recorded(1);
    pool.pause();
    let group = pool.group("inner", 1).unwrap();
    let late = pool.task(async {}).priority(-1).spawn_n().id();
    let inner = group.task(async {}).priority(1).spawn_n().id();
    let soon = pool.spawn_n(async {}).id();
    pool.resume();
    spawner.run();
    assert_eq!(recorder.starts(), [inner, soon, late]);
    recorder.assert_in_order(1);
}

#[test]
#[should_panic(expected = "is not idle: 1 active and 1 waiting; one is Active, two is Waiting")]
fn a_pool_with_tasks_is_not_idle() {
    let (spawner, pool) = ManualSpawner::pool(1);
    pool.task(pending::<()>()).name("one").spawn_n();
    pool.task(pending::<()>()).name("two").spawn_n();
    spawner.run();
    assert_idle(&pool);
}

#[test]
#[should_panic(expected = "is not idle: 1 active and 0 waiting; none of them is a task")]
fn a_pool_with_a_permit_that_is_held_is_not_idle() {
    let (_spawner, pool) = ManualSpawner::pool(1);
    let _permit = pool.try_acquire();
    assert_idle(&pool);
}

#[test]
#[should_panic(expected = "handle 1, of task stuck, has not settled: the task is Active")]
fn a_handle_that_has_not_settled_is_named() {
    let (spawner, pool) = ManualSpawner::pool(2);
    let ended = pool.spawn_n(async {});
    let stuck = pool.task(pending()).name("stuck").spawn_n();
    spawner.run();
    assert_settled([&ended, &stuck]);
}
