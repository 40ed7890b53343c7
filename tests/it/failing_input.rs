//! Streams of results as input: the error of the input comes last.

use std::cell::Cell;
use std::pin::pin;

use aiopool::{PoolStreamExt, TryMapError};
use futures::executor::block_on;
use futures::stream::{self, FusedStream};
use futures::{Stream, StreamExt};

use crate::support::{Hand, Probe, Reader, on_every_runtime, poll_once};

#[test]
fn the_error_of_the_input_comes_after_all_values() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        for ordered in [false, true] {
            let items = stream::iter((0..20).map(Ok).chain([Err("lost"), Ok(99)]));
            let values = items.try_map_on(&pool, |n| async move {
                if n == 7 { Err("seven") } else { Ok(n) }
            });
            let mut values = if ordered { values.ordered() } else { values }.buffer(5);
            let mut given = Vec::new();
            while let Some(value) = values.next().await {
                given.push(match value {
                    Ok(value) => value,
                    Err(TryMapError::Task(_)) => 7,
                    Err(TryMapError::Input(_)) => 1000,
                    Err(_) => unreachable!("no task is cancelled"),
                });
            }
            assert!(values.next().await.is_none() && values.is_terminated());
            assert_eq!(given.pop(), Some(1000));
            if !ordered {
                given.sort_unstable();
            }
            assert_eq!(given, (0..20).collect::<Vec<_>>());
        }
        assert!(pool.is_empty());
    });
}

#[test]
fn an_input_that_has_failed_is_dropped_while_its_tasks_run() {
    let (hand, pool) = Hand::pool(2);
    let probe = Probe::new();
    let polled = Cell::new(0);
    let items =
        stream::iter([Ok(()), Err("lost"), Ok(())]).inspect(|_| polled.set(polled.get() + 1));
    let (alive, f) = (std::rc::Rc::new(()), |()| probe.task(Ok("value")));
    let inside = alive.clone();
    let items = items.inspect(move |_| _ = &inside);
    let reader = Reader::new();
    let mut values = items.try_map_on(&pool, f);
    assert!(reader.poll_next(pin!(&mut values)).is_pending());
    assert_eq!((polled.get(), std::rc::Rc::strong_count(&alive)), (2, 1));
    assert_eq!(values.size_hint(), (2, Some(2)));
    hand.run();
    probe.end();
    hand.run();
    assert!(reader.is_woken());
    assert_eq!(block_on(values.next()).unwrap().unwrap(), "value");
    assert!(!values.is_terminated());
    assert_eq!(values.size_hint(), (1, Some(1)));
    assert!(matches!(
        block_on(values.next()),
        Some(Err(TryMapError::Input("lost")))
    ));
    assert_eq!(values.size_hint(), (0, Some(0)));
    assert!(values.is_terminated());
}

#[test]
fn an_input_without_an_error_ends_without_one() {
    let (hand, pool) = Hand::pool(2);
    let items = stream::iter([Ok::<_, ()>(1)]);
    let mut values = items.try_map_on(&pool, |n| async move { Ok(n) });
    assert_eq!(values.size_hint(), (1, Some(1)));
    assert!(poll_once(pin!(values.next())).is_pending());
    hand.run();
    assert_eq!(block_on(values.next()).unwrap().unwrap(), 1);
    assert!(block_on(values.next()).is_none());
}

#[test]
fn dropping_the_values_aborts_the_tasks_that_are_left() {
    let (hand, pool) = Hand::pool(2);
    let probe = Probe::new();
    let items = stream::iter([Ok::<_, ()>(()), Ok(())]);
    let mut values = Box::pin(items.try_map_on(&pool, |()| probe.task(Ok(()))));
    assert!(poll_once(pin!(values.next())).is_pending());
    drop(values);
    hand.run();
    assert!(pool.is_empty() && pool.stats().cancelled == 2);
}

#[test]
#[should_panic(expected = "a buffer of 0")]
fn a_buffer_of_nothing_is_refused() {
    let (_hand, pool) = Hand::pool(2);
    let items = stream::iter([Ok::<(), ()>(())]);
    drop(items.try_map_on(&pool, |()| async { Ok(()) }).buffer(0));
}
