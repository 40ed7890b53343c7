//! Calls wait for a server that does not answer, as long as they may.

use std::time::Duration;

use crate::support::jobs::SLEEP;
use crate::support::proxy::Proxy;
use crate::support::{POOL, pool, with_server, workers};
use aiopool::fleet::{FleetPool, Nats};
use tokio::time::sleep;

#[test]
fn calls_outlive_a_connection_that_leads_nowhere_for_longer_than_a_request_waits() {
    with_server(async |server| {
        let near = pool(&server, 2).await;
        let _workers = workers(&server, 1, 2);
        let proxy = Proxy::start(server.port()).await;
        let far = FleetPool::builder(Nats::new(proxy.url())).pool(POOL);
        let far = far.connect().await.expect("a pool");
        let task = near.task(SLEEP, &1).id("task").spawn_n().await;
        task.expect("a task").await.expect("a result");
        proxy.set_frozen(true);
        let calls = async {
            let attached = far.attach(SLEEP, "task").expect("a handle");
            let (stats, size, fence) = (far.stats(), far.resize(3), far.cancel_all());
            futures::join!(stats, size, fence, far.join(), attached)
        };
        let mended = async {
            sleep(Duration::from_secs(6)).await;
            proxy.set_frozen(false);
        };
        let (answers, ()) = futures::join!(calls, mended);
        let (stats, size, fence, end, result) = answers;
        assert!(stats.is_ok(), "{stats:?}");
        assert_eq!((size, fence, end), (Ok(()), Ok(()), Ok(())));
        assert_eq!(result, Ok("w0".to_owned()));
        assert_eq!(near.stats().await.expect("figures").size, 3);
    });
}
