//! `current`: which task it is that runs.

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use aiopool::current;
use futures::channel::oneshot;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, poll_once, yield_now};

#[test]
fn a_task_knows_who_it_is() {
    on_every_runtime(|pools| async move {
        let pool = pools.builder().name("p").size(2).build().unwrap();
        let group = pool.group("g", 1).unwrap();
        let me = || async {
            yield_now().await;
            let me = current().unwrap();
            (
                me.id(),
                me.name().into_owned(),
                me.pool().name().to_owned(),
                me.is_aborted(),
            )
        };
        let plain = pool.spawn_n(me());
        let id = plain.id();
        assert_eq!(
            plain.await.unwrap(),
            (id, format!("p-{id}"), "p".into(), false)
        );
        let named = group.task(me()).name("own").spawn_n();
        let id = named.id();
        assert_eq!(named.await.unwrap(), (id, "own".into(), "g".into(), false));
        assert!(current().is_none(), "on {}", pools.runtime);
    });
}

#[test]
fn a_current_that_is_kept_knows_the_end_of_its_task() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let wait = probe.task(());
    let (tell, mut told) = oneshot::channel();
    let handle = pool.spawn_n(async move {
        tell.send(current().unwrap()).unwrap();
        wait.await;
    });
    hand.run();
    let kept = told.try_recv().unwrap().unwrap();
    let mut over = Box::pin(kept.aborted());
    assert_pending!(over);
    probe.end();
    hand.run();
    assert!(handle.is_finished() && kept.is_aborted());
    assert!(poll_once(over.as_mut()).is_ready());
}

#[test]
fn who_waits_no_longer_for_an_abort_leaves_no_waker() {
    let (hand, pool) = Hand::pool(1);
    let (tell, mut told) = oneshot::channel();
    let task = pool.spawn_n(async move {
        tell.send(current().unwrap()).unwrap();
        pending::<()>().await;
    });
    hand.run();
    let kept = told.try_recv().unwrap().unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    let mut waits = Box::pin(kept.aborted());
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    assert_eq!(Arc::strong_count(&woken), 3);
    drop(waits);
    assert_eq!(Arc::strong_count(&woken), 2);
    let mut waits = Box::pin(kept.aborted());
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    task.abort();
    assert_eq!(woken.0.load(SeqCst), 1);
    assert!(waits.as_mut().poll(&mut cx).is_ready());
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn what_is_no_task_is_not_the_current_one() {
    let (hand, pool) = Hand::pool(1);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let closure = seen.clone();
    let feed = pool.feed(0..2, move |_| {
        let in_closure = current().map(|task| task.id().get());
        let seen = closure.clone();
        async move {
            let in_task = current().map(|task| task.id().get());
            seen.lock().unwrap().push((in_closure, in_task));
        }
    });
    hand.run();
    drop(feed);
    assert_eq!(*seen.lock().unwrap(), [(None, Some(0)), (None, Some(1))]);
}

/// Writes down which task runs where it is woken, and where it is dropped.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Option<u64>>>>);

impl Notes {
    fn note(&self) {
        let id = current().map(|task| task.id().get());
        self.0.lock().unwrap().push(id);
    }
}

struct Noting(Notes);

impl Wake for Noting {
    fn wake(self: Arc<Self>) {
        self.0.note();
    }
}

struct Left(Notes);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.note();
    }
}

#[test]
fn what_a_task_leaves_behind_does_not_run_as_the_next_one() {
    let (hand, pool) = Hand::pool(1);
    let notes = Notes::default();
    let (result, inside) = (notes.clone(), notes.clone());
    drop(pool.spawn_n(async move {
        inside.note();
        Left(result)
    }));
    let mut awaited = pool.spawn_n(async {});
    pool.spawn_n(async {});
    let waker = Waker::from(Arc::new(Noting(notes.clone())));
    let polled = Pin::new(&mut awaited).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    hand.run();
    // Its result, which nobody can read, is dropped while it is still the one that runs.
    assert_eq!(*notes.0.lock().unwrap(), [Some(0), Some(0), None]);
}
