//! Values whose destructors panic, in the sets of tasks that the verbs keep: all of them are dropped, and all tasks are let go.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Waker};

use aiopool::{AioPool, JoinHandle, ReturnWhen, iterwait, wait};
use futures::{Stream, StreamExt, stream};

use crate::support::{Hand, Probe, poll_once};

/// Panics when it is dropped.
struct Rude(Arc<AtomicUsize>);

impl Drop for Rude {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
        panic!("on purpose");
    }
}

type Verb = Pin<Box<dyn Stream<Item = ()>>>;

/// Has four tasks with a verb, two read and one unread value among them, when the verb is dropped.
fn drop_halfway(verb: impl FnOnce(AioPool, Vec<(Probe, Rude)>) -> Verb, aborts: bool) {
    let (hand, pool) = Hand::pool(4);
    let (probes, dropped) = (Probe::several(4), Arc::default());
    let rude = |probe: &Probe| (probe.clone(), Rude(Arc::clone(&dropped)));
    let mut verb = verb(pool.clone(), probes.iter().map(rude).collect());
    let mut poll = || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(verb.as_mut().poll_next(&mut cx).is_pending());
        hand.run();
    };
    poll();
    probes[1..3].iter().for_each(Probe::end);
    hand.run();
    poll();
    probes[3].end();
    hand.run();
    catch_unwind(AssertUnwindSafe(move || drop(verb))).expect("its panic is nobody's");
    if !aborts {
        assert!(!probes[0].is_dropped(), "it was detached");
        probes[0].end();
    }
    hand.run();
    assert!(pool.is_empty() && probes[0].is_dropped());
    assert_eq!(dropped.load(Relaxed), 4, "something was leaked");
}

fn handles(pool: &AioPool, items: Vec<(Probe, Rude)>) -> Vec<JoinHandle<Rude>> {
    pool.map_n(items, |(probe, rude)| probe.task(rude))
}

#[test]
fn a_dropped_map_aborts_all_its_tasks_whatever_the_destructors_of_its_values_do() {
    drop_halfway(
        |pool, items| {
            let map = async move {
                pool.map(items, |(probe, rude)| probe.task(rude)).await;
            };
            Box::pin(stream::once(map))
        },
        true,
    );
}

#[test]
fn a_dropped_try_map_aborts_all_its_tasks_whatever_the_destructors_of_its_values_do() {
    drop_halfway(
        |pool, items| {
            let ok = |(probe, rude): (Probe, Rude)| probe.task(Ok::<_, ()>(rude));
            let map = async move {
                pool.try_map(items, ok).await.ok();
            };
            Box::pin(stream::once(map))
        },
        true,
    );
}

#[test]
fn a_dropped_stream_of_results_aborts_all_its_tasks_whatever_the_destructors_of_its_values_do() {
    for ordered in [false, true] {
        drop_halfway(
            |pool, items| {
                let results = pool.itermap(items, |(probe, rude)| probe.task(rude));
                let results = if ordered { results.ordered() } else { results };
                Box::pin(results.batches(ReturnWhen::AllCompleted).map(drop))
            },
            true,
        );
    }
}

#[test]
fn a_dropped_wait_for_handles_detaches_all_tasks_whatever_the_destructors_of_their_values_do() {
    drop_halfway(
        |pool, items| {
            let results = iterwait(handles(&pool, items));
            Box::pin(results.batches(ReturnWhen::AllCompleted).map(drop))
        },
        false,
    );
    drop_halfway(
        |pool, items| {
            let waiting = wait(handles(&pool, items), ReturnWhen::AllCompleted, None);
            Box::pin(stream::once(async move {
                waiting.await;
            }))
        },
        false,
    );
}

#[test]
fn a_dropped_itermap_stream_aborts_all_its_tasks_whatever_the_destructors_of_its_values_do() {
    let (hand, pool) = Hand::pool(4);
    let (probes, dropped) = (Probe::several(4), Arc::default());
    let items = probes.clone().into_iter();
    let items = items.map(|probe| (probe, Rude(Arc::clone(&dropped))));
    let items = stream::iter(items.collect::<Vec<_>>());
    let mut results = Box::pin(pool.itermap_stream(items, |(probe, rude)| probe.task(rude)));
    assert!(poll_once(pin!(results.next())).is_pending());
    hand.run();
    probes[1..].iter().for_each(Probe::end);
    hand.run();
    catch_unwind(AssertUnwindSafe(move || drop(results))).expect("its panic is nobody's");
    hand.run();
    assert!(pool.is_empty() && probes[0].is_dropped());
    assert_eq!(dropped.load(Relaxed), 4, "something was leaked");
}
