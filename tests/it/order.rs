//! DESIGN 3.1 and 3.2: strict FIFO, and the releasing side starts the next task.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};

use aiopool::TaskState;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime};

type Log = Arc<Mutex<Vec<u32>>>;

fn note(log: &Log, entry: u32) -> impl Future<Output = ()> + Send + use<> {
    let log = log.clone();
    async move { log.lock().unwrap().push(entry) }
}

#[test]
fn tasks_start_in_order_of_submission_on_every_runtime() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let log = Log::default();
        for n in 0..200 {
            match n % 3 {
                0 => drop(pool.spawn(note(&log, n)).await),
                _ => drop(pool.spawn_n(note(&log, n))),
            }
        }
        pool.join().await;
        assert_eq!(
            *log.lock().unwrap(),
            (0..200).collect::<Vec<_>>(),
            "on {}",
            pools.runtime
        );
    });
}

#[test]
fn a_later_spawn_does_not_overtake_a_parked_task() {
    let (hand, pool) = Hand::pool(1);
    let (log, busy) = (Log::default(), Probe::new());
    pool.spawn_n(busy.task(()));
    pool.spawn_n(note(&log, 1));
    let mut waiting = pin!(pool.spawn(note(&log, 2)));
    assert_pending!(waiting);
    pool.spawn_n(note(&log, 3));
    busy.end();
    hand.run();
    assert_eq!(*log.lock().unwrap(), [1, 2, 3]);
}

#[test]
fn a_spawn_that_nobody_polls_again_still_starts_its_task() {
    let (hand, pool) = Hand::pool(1);
    let (busy, forgotten, next) = (Probe::new(), Probe::new(), Probe::new());
    pool.spawn_n(busy.task(()));
    let mut spawn = pin!(pool.spawn(forgotten.task(())));
    assert_pending!(spawn);
    pool.spawn_n(next.task(()));
    busy.end();
    hand.run();
    assert!(forgotten.has_started());
    forgotten.end();
    hand.run();
    assert!(next.has_started());
}

#[test]
fn spawn_returns_when_its_task_has_started_and_not_before() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (busy, probe) = (Probe::new(), Probe::new());
        let first = pool.spawn(busy.task(())).await;
        assert_eq!(first.state(), TaskState::Active);
        let mut second = pin!(pool.spawn(probe.task(())));
        assert_pending!(second);
        busy.end();
        let second = second.await;
        assert_eq!(second.state(), TaskState::Active);
        probe.end();
        second.await.unwrap();
    });
}

#[test]
fn higher_priority_starts_first_and_equals_in_order() {
    let (hand, pool) = Hand::pool(1);
    let log = Log::default();
    pool.pause();
    for (entry, priority) in [(3, 0), (5, -1), (1, 7), (4, 0), (2, 7), (6, -1)] {
        pool.task(note(&log, entry)).priority(priority).spawn_n();
    }
    pool.resume();
    hand.run();
    assert_eq!(*log.lock().unwrap(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_heavy_task_at_the_head_is_not_overtaken() {
    let (hand, pool) = Hand::pool(3);
    let (small, heavy, late) = (Probe::new(), Probe::new(), Probe::new());
    pool.spawn_n(small.task(()));
    pool.task(heavy.task(())).weight(3).spawn_n();
    pool.spawn_n(late.task(()));
    hand.run();
    assert_eq!(
        (pool.active(), pool.waiting()),
        (1, 2),
        "two permits are free, and the heavy one needs three"
    );
    small.end();
    hand.run();
    assert!(heavy.has_started() && !late.has_started());
    heavy.end();
    hand.run();
    assert!(late.has_started());
}

#[test]
fn ids_count_in_order_of_submission() {
    let (_hand, pool) = Hand::pool(1);
    let first = pool.spawn_n(async {});
    pool.close();
    let refused = pool.spawn_n(async {});
    pool.reopen();
    let third = pool.spawn_n(async {});
    let ids = [first.id(), refused.id(), third.id()].map(aiopool::TaskId::get);
    assert_eq!(ids, [0, 1, 2]);
}

#[test]
fn tasks_of_several_threads_start_in_the_order_of_their_ids() {
    let (hand, pool) = Hand::pool(1);
    pool.pause();
    let started = Arc::new(Mutex::new(Vec::new()));
    let ids = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let (key, order) = (Arc::new(()), started.clone());
                    let mine = key.clone();
                    let handle = pool.spawn_n(async move {
                        order.lock().unwrap().push(Arc::as_ptr(&mine) as usize);
                    });
                    ids.lock().unwrap().push((handle.id(), key));
                }
            });
        }
    });
    pool.resume();
    hand.run();
    let mut ids = std::mem::take(&mut *ids.lock().unwrap());
    ids.sort_by_key(|(id, _)| *id);
    let expected: Vec<usize> = ids
        .iter()
        .map(|(_, key)| Arc::as_ptr(key) as usize)
        .collect();
    assert_eq!(*started.lock().unwrap(), expected);
}

#[test]
#[expect(
    clippy::async_yields_async,
    reason = "the handle is what a spawn gives"
)]
fn a_woken_spawn_need_not_be_polled_for_the_pool_to_go_on() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let probes = Probe::several(6);
        let mut spawns: Vec<Pin<Box<dyn Future<Output = _> + Send>>> = Vec::new();
        for probe in &probes {
            let (pool, task) = (pool.clone(), probe.task(()));
            let mut spawn = Box::pin(async move { pool.spawn(task).await });
            drop(crate::support::poll_once(spawn.as_mut()));
            spawns.push(spawn);
        }
        for probe in &probes {
            probe.started().await;
            probe.end();
        }
    });
}
