//! The layer of the feature `tower`, in real stacks of tower.

use std::convert::Infallible;
use std::error::Error;
use std::task::{Context, Poll};
use std::time::Duration;

use aiopool::testing::{ManualSpawner, Probe};
use aiopool::tower::{PoolLimit, PoolLimitLayer, PoolRefused};
use aiopool::{AioPool, Refusal};
use futures::FutureExt;
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

type BoxError = Box<dyn Error + Send + Sync>;
type Responses = BoxCloneService<Probe, &'static str, BoxError>;

/// A service that answers when its request, which is a probe, is told to end.
fn limited_by(pool: &AioPool) -> Responses {
    ServiceBuilder::new()
        .layer(PoolLimitLayer::new(pool.clone()))
        .service_fn(|probe: Probe| probe.task(Ok::<_, Infallible>("answered")))
        .boxed_clone()
}

/// Calls the service as a client does that is then polled for the first time.
fn call(
    service: &Responses,
    probe: &Probe,
) -> impl Future<Output = Result<&'static str, BoxError>> {
    let mut response = Box::pin(service.clone().oneshot(probe.clone()));
    assert!((&mut response).now_or_never().is_none());
    response
}

fn refusal(error: &BoxError) -> Refusal {
    let refused = error.downcast_ref::<PoolRefused>();
    refused.expect("the pool has refused it").refusal()
}

#[tokio::test]
async fn no_more_calls_run_than_the_pool_has_permits_and_the_oldest_is_next() {
    let pool = AioPool::new(2);
    let (service, probes) = (limited_by(&pool), Probe::several(4));
    let mut calls: Vec<_> = probes.iter().map(|probe| call(&service, probe)).collect();
    let started = || probes.iter().filter(|probe| probe.has_started()).count();
    assert_eq!((started(), pool.active(), pool.waiting()), (2, 2, 2));
    probes[1].end();
    assert_eq!(calls.remove(1).await.unwrap(), "answered");
    assert!((&mut calls[1]).now_or_never().is_none());
    assert!(probes[2].has_started() && !probes[3].has_started());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
}

#[tokio::test]
async fn a_service_that_is_ready_and_not_called_takes_no_permit() {
    let pool = AioPool::new(1);
    let mut ready: Vec<_> = (0..3).map(|_| limited_by(&pool)).collect();
    for service in &mut ready {
        service.ready().await.unwrap();
    }
    assert!(pool.is_empty());
    let probe = Probe::new();
    probe.end();
    let response = ready[1].call(probe);
    assert!(pool.is_empty(), "a call that was not polled");
    assert_eq!(response.await.unwrap(), "answered");
}

#[tokio::test]
async fn a_response_that_is_dropped_gives_its_place_up_in_the_queue_and_while_it_runs() {
    let pool = AioPool::new(1);
    let (service, probes) = (limited_by(&pool), Probe::several(3));
    let mut calls: Vec<_> = probes.iter().map(|probe| call(&service, probe)).collect();
    let (last, waits, runs) = (calls.pop(), calls.pop(), calls.pop());
    drop(waits);
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    assert!(!probes[1].has_started());
    drop(runs);
    assert!(probes[0].is_dropped());
    probes[2].end();
    assert_eq!(last.unwrap().await.unwrap(), "answered");
    assert!(pool.is_empty());
}

#[tokio::test]
async fn a_full_queue_and_a_closed_pool_refuse_a_call_at_once() {
    let pool = AioPool::builder().size(1).max_waiting(1).build().unwrap();
    let (service, probes) = (limited_by(&pool), Probe::several(3));
    let runs = call(&service, &probes[0]);
    let waits = call(&service, &probes[1]);
    let refused = service.clone().oneshot(probes[2].clone()).await;
    let error = refused.unwrap_err();
    assert_eq!(refusal(&error), Refusal::Full);
    let refused = error.downcast_ref::<PoolRefused>().unwrap();
    assert!(refused.is_full() && !refused.is_closed());
    assert_eq!(error.to_string(), "the call was refused: the pool is full");

    // What has been accepted goes on when the pool is closed.
    pool.close();
    let late = service.clone().oneshot(probes[2].clone()).await;
    assert_eq!(refusal(&late.unwrap_err()), Refusal::Closed);
    probes.iter().for_each(Probe::end);
    assert_eq!(
        (runs.await.unwrap(), waits.await.unwrap()),
        ("answered", "answered")
    );
    assert!(pool.is_empty());
    assert_eq!(probes[2].polls(), 0, "the service was not called");
}

#[tokio::test]
async fn shutdown_waits_for_calls() {
    let pool = AioPool::new(1);
    let (service, probe) = (limited_by(&pool), Probe::new());
    let runs = call(&service, &probe);
    let mut shutdown = Box::pin(pool.shutdown(aiopool::Shutdown::Drain));
    assert!((&mut shutdown).now_or_never().is_none());
    probe.end();
    runs.await.unwrap();
    shutdown.await;
}

#[tokio::test]
async fn the_error_of_the_service_keeps_its_type() {
    #[derive(Debug, PartialEq)]
    struct Broken;
    impl std::fmt::Display for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("broken")
        }
    }
    impl Error for Broken {}

    let pool = AioPool::new(1);
    let layer = PoolLimitLayer::new(pool.clone());
    let service = ServiceBuilder::new().layer(layer.clone());
    let service = service.service_fn(async |(): ()| Err::<(), _>(Broken));
    let error = service.oneshot(()).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken));

    // So does one that is in a box, as from another layer.
    let service = ServiceBuilder::new().layer(layer);
    let service = service.service_fn(async |(): ()| Err::<(), BoxError>(Broken.into()));
    let error = service.oneshot(()).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken));
    assert!(pool.is_empty());
}

#[tokio::test]
async fn a_service_that_panics_gives_the_permit_back() {
    let pool = AioPool::new(1);
    let (service, probe) = (limited_by(&pool), Probe::new());
    let runs = tokio::spawn(service.oneshot(probe.clone()));
    probe.started().await;
    probe.panic();
    assert!(runs.await.unwrap_err().is_panic());
    assert!(pool.is_empty());
}

/// A service that is ready when its probe has ended, and fails then.
#[derive(Clone)]
struct NotReady(Probe);

impl Service<()> for NotReady {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut task = Box::pin(self.0.task(()));
        task.poll_unpin(cx).map(|()| Err("not today".into()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        unreachable!("it is never ready")
    }
}

#[tokio::test]
async fn a_call_waits_under_its_permit_until_the_service_is_ready() {
    let (pool, probe) = (AioPool::new(1), Probe::new());
    let mut service = ServiceBuilder::new()
        .layer(PoolLimitLayer::new(pool.clone()))
        .service(NotReady(probe.clone()));
    service.ready().await.unwrap();
    let mut response = service.call(());
    assert!((&mut response).now_or_never().is_none());
    assert_eq!((pool.active(), probe.has_started()), (1, true));
    probe.end();
    assert_eq!(response.await.unwrap_err().to_string(), "not today");
    assert!(pool.is_empty());
}

#[tokio::test]
async fn each_request_may_have_a_pool_of_its_own() {
    let pool = AioPool::new(10);
    let tenants = pool.clone();
    let layer = PoolLimitLayer::by(move |(tenant, _): &(&str, Probe)| {
        tenants.keyed_with(*tenant, |group| group.size(1).max_waiting(0))
    });
    let service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(|(_, probe): (&'static str, Probe)| probe.task(Ok::<_, Infallible>(())));
    let ask = |tenant: &'static str, probe: &Probe| {
        let mut response = Box::pin(service.clone().oneshot((tenant, probe.clone())));
        let polled = (&mut response).now_or_never();
        (polled, response)
    };
    let (one, other) = (Probe::new(), Probe::new());
    let (polled, first) = ask("a", &one);
    assert!(polled.is_none() && one.has_started());
    let (refused, _) = ask("a", &Probe::new());
    assert_eq!(refusal(&refused.unwrap().unwrap_err()), Refusal::Full);
    let (polled, second) = ask("b", &other);
    assert!(polled.is_none() && other.has_started());
    assert_eq!((pool.active(), pool.groups().len()), (2, 2));
    drop((first, second));
    assert!(pool.groups().is_empty(), "nothing is kept of a tenant");
}

#[tokio::test]
async fn calls_and_tasks_of_one_pool_wait_in_one_queue() {
    let pool = AioPool::new(1);
    let (service, probes) = (limited_by(&pool), Probe::several(2));
    let task = pool.spawn_n(probes[0].task(()));
    probes[0].started().await;
    let response = call(&service, &probes[1]);
    let after = pool.spawn_n(async {});
    assert_eq!((pool.active(), pool.waiting()), (1, 2));
    probes.iter().for_each(Probe::end);
    assert_eq!(response.await.unwrap(), "answered");
    assert!(task.is_finished());
    after.await.unwrap();
}

#[tokio::test]
async fn a_call_from_inside_of_a_task_of_the_pool_runs_under_the_permit_of_the_task() {
    let pool = AioPool::builder().size(1).max_waiting(0).build().unwrap();
    let (service, probe) = (limited_by(&pool), Probe::new());
    probe.end();
    let answer = pool.exec(service.oneshot(probe)).await.unwrap();
    assert_eq!(answer.unwrap(), "answered");
    assert!(pool.is_empty());
}

#[test]
fn a_rate_counts_calls_as_starts() {
    let spawner = ManualSpawner::new();
    let builder = spawner.builder().size(9);
    let pool = builder.rate(1, Duration::from_secs(1)).build().unwrap();
    let (service, probes) = (limited_by(&pool), Probe::several(2));
    probes.iter().for_each(Probe::end);
    let first = service.clone().oneshot(probes[0].clone());
    assert_eq!(spawner.run_until(first).unwrap(), "answered");
    let second = call(&service, &probes[1]);
    spawner.advance(Duration::from_millis(999));
    assert_eq!(pool.waiting(), 1);
    spawner.advance(Duration::from_millis(1));
    assert_eq!(spawner.run_until(second).unwrap(), "answered");
}

#[tokio::test]
async fn layers_of_tower_go_around_it_and_inside_of_it() {
    let pool = AioPool::new(1);
    let mut service = ServiceBuilder::new()
        .map_result(|result: Result<usize, BoxError>| result)
        .layer(PoolLimitLayer::select(pool))
        .map_request(|text: &str| text.to_owned())
        .service(service_fn(async |text: String| {
            Ok::<_, BoxError>(text.len())
        }));
    assert_eq!(
        service.ready().await.unwrap().call("four").await.unwrap(),
        4
    );
}

#[test]
fn the_layer_and_its_service_can_be_shared_by_threads() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    is_shared::<PoolLimitLayer>();
    is_shared::<PoolLimit<NotReady>>();
}
