//! Three servers that replicate each other: one may be lost at any time.

use std::net::TcpListener;
use std::time::Duration;

use crate::support::jobs::SLEEP;
use crate::support::log::{concurrency, starts};
use crate::support::worker::{Options, runs_of};
use crate::support::{
    LEASE, POOL, Server, WorkerProcess, clock, until, until_running, with_server,
};
use aiopool::fleet::{FleetPool, Nats};
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::stream::ClusterInfo;
use async_nats::jetstream::{self, Context};
use rustix::process::Signal;
use tokio::time::sleep;

/// Returns ports that were free a moment ago.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

fn cluster() -> [Server; 3] {
    let routes = free_ports().map(|port| format!("nats://127.0.0.1:{port}"));
    let all = routes.join(",");
    let server = |number: usize| {
        let name = format!("server-{number}");
        let arguments = [
            "-n",
            &name,
            "--cluster_name",
            "three",
            "--cluster",
            &routes[number],
            "--routes",
            &all,
        ];
        Server::start_with(&arguments).expect("a server")
    };
    [server(0), server(1), server(2)]
}

/// A client of a pool with three replicas. The servers have to find each other first.
async fn connect(urls: &str, size: usize) -> FleetPool {
    for _ in 0..100 {
        let pool = FleetPool::builder(Nats::new(urls)).pool(POOL);
        match pool.size(size).lease(LEASE).replicas(3).connect().await {
            Ok(pool) => return pool,
            Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
    panic!("the servers do not find each other");
}

/// Whether all three servers have all that the leader has of the tasks, their outcomes and the permits.
async fn are_equal(js: &Context) -> Option<bool> {
    let streams = ["W", "R"].map(|kind| format!("AIOP_{POOL}_{kind}"));
    let mut clusters = Vec::new();
    for name in &streams {
        clusters.push(
            js.get_stream(name)
                .await
                .ok()?
                .cached_info()
                .cluster
                .clone()?,
        );
    }
    let workers: PullConsumer = js
        .get_consumer_from_stream("workers", &streams[0])
        .await
        .ok()?;
    clusters.push(workers.cached_info().cluster.clone()?);
    let is_equal = |cluster: &ClusterInfo| {
        cluster.replicas.len() == 2 && cluster.replicas.iter().all(|replica| replica.current)
    };
    Some(clusters.iter().all(is_equal))
}

#[test]
fn a_cluster_loses_no_task_and_forgets_no_permit_whichever_server_is_killed() {
    with_server(async |_| {
        let mut servers = cluster();
        let urls = servers.each_ref().map(Server::url).join(",");
        let pool = connect(&urls, 6).await;
        let addresses = urls.split(',').collect::<Vec<_>>();
        let js = jetstream::new(async_nats::connect(addresses).await.expect("a connection"));
        let workers = [0, 1].map(|number| {
            let options = Options {
                url: urls.clone(),
                slots: 6,
                max_attempts: 5,
                wrapper: &[],
            };
            WorkerProcess::start_with(&servers[number], &format!("w{number}"), &options)
        });
        let handles = pool.map_n(SLEEP, vec![400_u64; 150]).await.expect("tasks");
        until_running(&workers, 6).await;
        // Tasks that start from now on have waited for longer than a lease.
        sleep(LEASE + Duration::from_millis(200)).await;
        for server in &mut servers {
            server.restart(Signal::KILL);
            until("the servers are equal", async || {
                are_equal(&js).await == Some(true)
            })
            .await;
        }
        let mut outcomes = 0;
        for handle in handles {
            handle.await.expect("a result");
            outcomes += 1;
        }
        let runs = runs_of(&workers);
        assert_eq!((outcomes, starts(&runs).len()), (150, 150));
        let (most, above) = concurrency(&runs, 6);
        println!("{} runs, {most} at a time, {above} ns above", runs.len());
        assert!(above < 100 * clock::MS, "{most} of 6, for {above} ns");
    });
}
