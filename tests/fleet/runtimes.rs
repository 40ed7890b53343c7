//! Any runtime will do.

use crate::support::jobs::SLEEP;
use crate::support::{Server, builder, with_server, workers};
use aiopool::fleet::{Job, Nats, Registry, Run, Worker};
use futures::StreamExt;

#[test]
fn a_program_on_smol_is_a_client() {
    let Some(server) = Server::start() else {
        return with_server(async |_| {});
    };
    smol::block_on(async {
        let pool = builder(&server).size(4).connect().await.expect("a pool");
        let _workers = workers(&server, 1, 4);
        let handle = pool.spawn(SLEEP, &1).await.expect("a task");
        assert_eq!(handle.await, Ok("w0".to_owned()));
        let numbers = smol::stream::iter(0..50_u64);
        let outcomes: Vec<_> = pool
            .itermap_stream(SLEEP, numbers)
            .ordered()
            .collect()
            .await;
        assert_eq!(outcomes.len(), 50);
        pool.join().await.expect("an end");
        pool.close();
        pool.closed().await;
    });
}

#[test]
fn a_program_without_any_runtime_is_a_worker() {
    const DOUBLE: Job<u64, u64> = Job::new("double");
    let Some(server) = Server::start() else {
        return with_server(async |_| {});
    };
    let executor = std::sync::Arc::new(async_executor::Executor::new());
    let on = executor.clone();
    let spawner = aiopool::FnSpawner(move |worker| on.spawn(worker).detach());
    let registry = Registry::new().on(DOUBLE, async |_: Run, n: u64| {
        assert!(
            tokio::runtime::Handle::try_current().is_err(),
            "it runs on the private thread"
        );
        Ok(2 * n)
    });
    smol::block_on(executor.run(async {
        let pool = builder(&server).size(4).connect().await.expect("a pool");
        let worker = Worker::builder(Nats::new(server.url()))
            .pool(crate::support::POOL)
            .slots(4)
            .spawner(spawner)
            .connect(registry)
            .await
            .expect("a worker");
        let stopper = worker.stopper();
        let running = executor.spawn(worker.run());
        let outcomes = pool.map(DOUBLE, 0..100_u64).await;
        let doubled: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(doubled, (0..100).map(|n| 2 * n).collect::<Vec<_>>());
        stopper.stop(std::time::Duration::from_secs(1));
        let report = running.await.expect("a report");
        assert_eq!((report.started, report.completed), (100, 100));
    }));
}
