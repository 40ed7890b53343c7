//! `ConcurrencyLimit` of tower, and beside it the layer of aiopool where the two differ.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use aiopool::AioPool;
use aiopool::tower::PoolLimitLayer;
use futures::FutureExt;
use peers::{Jobs, let_others_run, poll_once};
use tokio::task::try_id;
use tokio::time::timeout;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::{LoadShed, error::Overloaded};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

/// A service of jobs.
fn running(
    jobs: &Jobs,
) -> impl Service<(), Response = (), Error = Infallible, Future: Send> + Clone + use<> {
    let jobs = jobs.clone();
    service_fn(move |()| jobs.clone().job().map(Ok))
}

// 1.
#[tokio::test]
async fn it_limits_how_many_run_at_once() {
    let jobs = Jobs::default();
    let service = ConcurrencyLimit::new(running(&jobs), 5);
    let calls = (0..20).map(|_| service.clone().oneshot(()));
    futures::future::join_all(calls).await;
    assert_eq!((jobs.most(), jobs.ended()), (5, 20));
}

// 2 and 3.
#[tokio::test]
async fn a_call_runs_where_its_caller_polls_it_and_only_then() {
    let service = service_fn(async |()| Ok::<_, Infallible>(try_id()));
    let limited = ConcurrencyLimit::new(service, 1);
    let (id, here) = tokio::spawn(async { (limited.oneshot(()).await.unwrap(), try_id()) })
        .await
        .unwrap();
    assert_eq!(id, here);

    let jobs = Jobs::default();
    let mut call = Box::pin(ConcurrencyLimit::new(running(&jobs), 1).oneshot(()));
    assert!(poll_once(call.as_mut()).is_pending());
    let_others_run().await;
    assert_eq!((jobs.most(), jobs.ended()), (1, 0));
}

// 4.
#[tokio::test]
async fn futures_may_borrow_and_need_not_be_send() {
    let (word, letters) = ("not static".to_owned(), Rc::new(Cell::new(0)));
    let count = async |()| Ok::<_, Infallible>(letters.replace(word.len()));
    ConcurrencyLimit::new(service_fn(count), 1)
        .oneshot(())
        .await
        .unwrap();
    assert_eq!(letters.get(), 10);
}

// 6.
#[test]
fn it_needs_no_runtime() {
    let jobs = Jobs::default();
    let service = ConcurrencyLimit::new(running(&jobs), 1);
    futures::executor::block_on(service.oneshot(())).unwrap();
    assert_eq!(jobs.ended(), 1);
}

// 7, 10 and 20.
#[tokio::test]
async fn clones_share_the_limit_and_callers_wait_in_order() {
    let limited = ConcurrencyLimit::new(running(&Jobs::default()), 1);
    let (mut holder, mut second, mut third) = (limited.clone(), limited.clone(), limited);
    holder.ready().await.unwrap();
    let mut second = Box::pin(second.ready());
    let mut third = Box::pin(third.ready());
    assert!(poll_once(second.as_mut()).is_pending() && poll_once(third.as_mut()).is_pending());
    drop(holder);
    assert!(poll_once(third.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_ready());
}

// 9.
#[tokio::test]
async fn load_shed_refuses_a_call_when_no_permit_is_free() {
    let limited = ConcurrencyLimit::new(running(&Jobs::default()), 1);
    let mut holder = limited.clone();
    holder.ready().await.unwrap();
    let error = LoadShed::new(limited).oneshot(()).await.unwrap_err();
    assert!(error.is::<Overloaded>());
}

// 11.
#[tokio::test]
async fn a_service_that_is_ready_holds_a_permit_though_no_call_is_made() {
    let mut ready = ConcurrencyLimit::new(running(&Jobs::default()), 1);
    ready.ready().await.unwrap();
    let mut other = ready.clone();
    assert!(poll_once(Box::pin(other.ready()).as_mut()).is_pending());

    let pool = AioPool::new(1);
    let layer = ServiceBuilder::new().layer(PoolLimitLayer::new(pool.clone()));
    let mut ready = layer.service(running(&Jobs::default()));
    ready.ready().await.unwrap();
    assert!(pool.is_empty());
    ready.clone().oneshot(()).await.unwrap();
}

// 12.
#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_call_of_the_same_limit_hangs() {
    let limited = ConcurrencyLimit::new(running(&Jobs::default()), 1);
    let (mut outer, inner) = (limited.clone(), limited);
    outer.ready().await.unwrap();
    let nested = timeout(Duration::from_secs(3600), inner.oneshot(()));
    assert!(nested.await.is_err());
}

// 13.
#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_waits_for_ever() {
    let limited = ConcurrencyLimit::new(running(&Jobs::default()), 0);
    let call = timeout(Duration::from_secs(3600), limited.oneshot(()));
    assert!(call.await.is_err());
}

// 17.
#[tokio::test]
async fn a_panic_passes_to_the_caller() {
    let service = service_fn(async |()| -> Result<(), Infallible> { panic!("on purpose") });
    let call = ConcurrencyLimit::new(service, 1).oneshot(());
    assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
}

// 19.
#[tokio::test]
async fn dropping_a_call_drops_its_future_and_frees_the_permit() {
    let value = Arc::new(());
    let inside = value.clone();
    let service = service_fn(move |()| {
        let inside = inside.clone();
        async move {
            pending::<()>().await;
            drop(inside);
            Ok::<_, Infallible>(())
        }
    });
    let mut limited = ConcurrencyLimit::new(service, 1);
    let mut call = Box::pin(limited.clone().oneshot(()));
    assert!(poll_once(call.as_mut()).is_pending());
    assert_eq!(Arc::strong_count(&value), 3);
    drop(call);
    assert_eq!(Arc::strong_count(&value), 2);
    limited.ready().await.unwrap();
}
