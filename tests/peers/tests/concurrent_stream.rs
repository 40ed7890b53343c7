//! `ConcurrentStream` of futures-concurrency.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures_concurrency::prelude::*;
use peers::{Jobs, let_others_run, poll_once};
use tokio::task::{LocalSet, try_id};
use tokio::time::sleep;

fn five() -> Option<NonZeroUsize> {
    NonZeroUsize::new(5)
}

// 1.
#[tokio::test]
async fn for_each_limits_how_many_run_at_once() {
    let jobs = Jobs::default();
    let all = vec![(); 100].into_co_stream().limit(five());
    all.for_each(|()| jobs.clone().job()).await;
    assert_eq!((jobs.most(), jobs.ended()), (5, 100));
}

// 1, note 1.
#[tokio::test]
async fn a_limit_has_no_effect_on_collect() {
    let jobs = Jobs::default();
    let all = vec![(); 100].into_co_stream();
    let all = all.map(|()| jobs.clone().job()).limit(five());
    let _: Vec<()> = all.collect().await;
    assert_eq!((jobs.most(), jobs.ended()), (100, 100));
}

// 2.
#[tokio::test]
async fn its_futures_are_no_tasks() {
    let local = LocalSet::new();
    let task = local.spawn_local(async {
        let ids = Mutex::new(Vec::new());
        let all = vec![(); 3].into_co_stream();
        all.for_each(async |()| ids.lock().unwrap().push(try_id()))
            .await;
        (ids.into_inner().unwrap(), try_id())
    });
    let (ids, here) = local.run_until(task).await.unwrap();
    assert!(here.is_some());
    assert_eq!(ids, [here; 3]);
}

// 3, and 18.
#[tokio::test]
async fn they_stand_still_while_the_caller_does_something_else_and_are_dropped_with_it() {
    let (jobs, value) = (Jobs::default(), Arc::new(()));
    let all = vec![value.clone()].into_co_stream().limit(five());
    let mut all = Box::pin(all.for_each(async |value| {
        jobs.clone().job().await;
        drop(value);
    }));
    assert!(poll_once(all.as_mut()).is_pending());
    let_others_run().await;
    assert_eq!((jobs.most(), jobs.ended()), (1, 0));
    drop(all);
    assert_eq!(Arc::strong_count(&value), 1);
}

// 4.
#[tokio::test]
async fn futures_may_borrow_and_need_not_be_send() {
    let (words, letters) = (
        vec!["not".to_owned(), "static".to_owned()],
        Rc::new(Cell::new(0)),
    );
    let all = words.iter().collect::<Vec<_>>().into_co_stream();
    all.for_each(async |word: &String| letters.set(letters.get() + word.len()))
        .await;
    assert_eq!(letters.get(), 9);
}

// 6.
#[test]
fn it_needs_no_runtime() {
    let jobs = Jobs::default();
    let all = vec![(); 10].into_co_stream().limit(five());
    futures::executor::block_on(all.for_each(|()| jobs.clone().job()));
    assert_eq!(jobs.ended(), 10);
}

// 15.
#[tokio::test(start_paused = true)]
async fn results_come_in_the_order_of_the_ends() {
    let all = vec![20, 10, 1].into_co_stream().map(async |millis| {
        sleep(Duration::from_millis(millis)).await;
        millis
    });
    let results: Vec<_> = all.collect().await;
    assert_eq!(results, [1, 10, 20]);
}

// 17.
#[tokio::test]
async fn a_panic_passes_to_the_reader() {
    let all = vec![()].into_co_stream().limit(five());
    let all = pin!(all.for_each(async |()| panic!("on purpose")));
    assert!(AssertUnwindSafe(all).catch_unwind().await.is_err());
}
