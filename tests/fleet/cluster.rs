//! Three servers that replicate each other: one may be lost at any time.

use std::net::TcpListener;
use std::time::Duration;

use crate::support::jobs::SLEEP;
use crate::support::log::{concurrency, starts};
use crate::support::proxy::Proxy;
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
    let ports = free_ports();
    let all = ports.map(route).join(",");
    let server = |number: usize| start(number, ports[number], &["--routes", &all]);
    [server(0), server(1), server(2)]
}

fn route(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

fn start(number: usize, port: u16, more: &[&str]) -> Server {
    let (name, here) = (format!("server-{number}"), route(port));
    let mut arguments = vec!["-n", &name, "--cluster_name", "three", "--cluster", &here];
    arguments.extend(more);
    Server::start_with(&arguments).expect("a server")
}

/// Servers that reach each other by ways that can be cut: that of the first and second one, of the first and third, and of the
/// second and third.
async fn divisible_cluster() -> ([Server; 3], [Proxy; 3]) {
    let ports = free_ports();
    let ways = [
        Proxy::start(ports[0]).await,
        Proxy::start(ports[0]).await,
        Proxy::start(ports[1]).await,
    ];
    let [first, second, third] = ways.each_ref().map(Proxy::url);
    // What they tell each other about how they are reached leads nowhere.
    let server = |number: usize, routes: &str| {
        let more = ["--cluster_advertise", "127.0.0.1:1", "--routes", routes];
        start(number, ports[number], &more)
    };
    let servers = [
        server(0, &route(1)),
        server(1, &first),
        server(2, &format!("{second},{third}")),
    ];
    (servers, ways)
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

/// Returns the server that gives out the tasks, by its place.
async fn leader(js: &Context) -> Option<usize> {
    let stream = format!("AIOP_{POOL}_W");
    let workers: PullConsumer = js.get_consumer_from_stream("workers", stream).await.ok()?;
    let leader = workers.cached_info().cluster.as_ref()?.leader.clone()?;
    leader.rsplit('-').next()?.parse().ok()
}

#[test]
fn a_server_that_is_cut_off_from_the_others_keeps_no_task_running_that_they_give_away() {
    with_server(async |_| {
        let (servers, ways) = divisible_cluster().await;
        let urls = servers.each_ref().map(Server::url);
        let pool = connect(&urls.join(","), 3).await;
        let js = jetstream::new(async_nats::connect(&urls[..]).await.expect("a connection"));
        let alone = leader(&js).await.expect("a leader");
        let worker = |number: usize, name: &str| {
            let options = Options {
                url: urls[number].clone(),
                slots: 3,
                max_attempts: 5,
                wrapper: &[],
            };
            WorkerProcess::start_with(&servers[number], name, &options)
        };
        let mut workers = vec![worker(alone, "w0")];
        pool.map_n(SLEEP, vec![60_000_u64; 3]).await.expect("tasks");
        until_running(&workers, 3).await;
        workers.push(worker((alone + 1) % 3, "w1"));
        for (way, ends) in ways.iter().zip([[0, 1], [0, 2], [1, 2]]) {
            way.set_frozen(ends.contains(&alone));
        }
        until_running(&workers[1..], 3).await;
        assert_eq!(concurrency(&runs_of(&workers), 3), (3, 0));
    });
}
