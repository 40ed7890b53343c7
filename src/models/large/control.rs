//! A control server and its clients, each with its own thread, beside the workers of the pool that they steer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures_util::io::{AsyncReadExt, AsyncWriteExt};

use super::super::in_random_orders::choose;
use super::super::{block_on, check, pool, yield_once};
use super::settle_all;
use crate::control::{Connection, ControlServer, Network, Serving};
use crate::sync::thread;
use crate::{AioPool, SimpleTaskPool};

/// Sends a handshake and some lines.
async fn send(network: &Network, lines: &str) -> io::Result<Connection> {
    let mut connection = network.connect()?;
    let sent = format!("{{\"terminal_width\": 80}}\n{lines}");
    connection.write_all(sent.as_bytes()).await?;
    Ok(connection)
}

/// Sends lines, and returns the answers to them, without that to the handshake.
fn ask(network: &Network, lines: &str) -> io::Result<Vec<String>> {
    block_on(async {
        let mut connection = send(network, lines).await?;
        connection.close().await?;
        let mut answers = String::new();
        connection.read_to_string(&mut answers).await?;
        Ok(answers.lines().skip(1).map(str::to_owned).collect())
    })
}

fn serve(serving: Serving) -> thread::JoinHandle<()> {
    thread::spawn(move || block_on(serving))
}

#[test]
fn a_server_that_is_stopped_while_commands_run_leaves_the_pool_whole() {
    check(|| {
        let copies = Arc::new(SimpleTaskPool::new(pool(2), yield_once));
        let (network, server, serving) = ControlServer::builder(&copies).serve_in_memory();
        let serving = serve(serving);
        let clients = ["start 3\nstop 2\n", "start 1\nstop-all\nstats\n"].map(|lines| {
            let network = network.clone();
            thread::spawn(move || ask(&network, lines).unwrap_or_default().len())
        });
        for _ in 0..choose(20) {
            thread::yield_now();
        }
        block_on(server.stop());
        assert!(ask(&network, "").is_err(), "nothing listens any more");
        for (client, most) in clients.into_iter().zip([2, 3]) {
            assert!(client.join().unwrap() <= most);
        }
        serving.join().unwrap();
        settle_all(copies.pool());
    });
}

#[test]
fn a_client_that_goes_ends_its_wait_and_no_other() {
    check(|| {
        let pool = pool(1);
        let (network, server, serving) = ControlServer::builder(&pool).serve_in_memory();
        let serving = serve(serving);
        let (gone, stays) = (network.clone(), network.clone());
        let gone = thread::spawn(move || drop(block_on(send(&gone, "until-closed\n"))));
        let stays = thread::spawn(move || {
            let mut connection = block_on(send(&stays, "until-closed\n")).unwrap();
            let mut answers = String::new();
            let mut chunk = [0; 64];
            while answers.lines().count() < 2 {
                let count = block_on(connection.read(&mut chunk)).unwrap();
                answers += std::str::from_utf8(&chunk[..count]).unwrap();
            }
            answers.lines().last() == Some("True")
        });
        assert_eq!(ask(&network, "pool-size 2\npool-size\n").unwrap()[1], "2");
        gone.join().unwrap();
        block_on(pool.exec(yield_once())).unwrap();
        pool.close();
        assert!(stays.join().unwrap(), "it is told that the pool is closed");
        block_on(server.stop());
        serving.join().unwrap();
        settle_all(&pool);
    });
}

/// Serves a pool, with work and a callback that count themselves.
fn counting_server(
    pool: &AioPool,
    begun: &Arc<AtomicU64>,
    ended: &Arc<AtomicU64>,
) -> (Network, ControlServer, Serving) {
    let (begun, ended) = (begun.clone(), ended.clone());
    ControlServer::builder(pool)
        .command("work", move |_| {
            begun.fetch_add(1, Relaxed);
            yield_once()
        })
        .command("count", move |_| {
            ended.fetch_add(1, Relaxed);
            async {}
        })
        .until_closed(true)
        .serve_in_memory()
}

#[test]
fn the_callback_of_each_task_that_has_run_runs_once_unless_the_server_is_stopped() {
    check(|| {
        let (begun, ended) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let pool = pool(2);
        let (network, server, serving) = counting_server(&pool, &begun, &ended);
        let serving = serve(serving);
        let clients = [
            "apply work -n 3 -e count\n",
            "apply work -n 2 -e count\ncancel-all\n",
        ];
        let clients = clients.map(|lines| {
            let network = network.clone();
            thread::spawn(move || ask(&network, lines).unwrap())
        });
        for client in clients {
            client.join().unwrap();
        }
        let is_stopped = choose(3) == 0;
        if is_stopped {
            block_on(server.stop());
        }
        pool.close();
        block_on(pool.closed());
        serving.join().unwrap();
        let (begun, ended) = (begun.load(Relaxed), ended.load(Relaxed));
        assert!(ended <= begun && begun <= pool.stats().started);
        assert!(is_stopped || ended == begun, "{ended} of {begun}");
        settle_all(&pool);
    });
}
