//! Asks servers for their banner, on an executor that the crate does not know: two threads, and a `Spawner` by hand.
//!
//! ```sh
//! cargo run --example your_own_spawner -- --timeout 2 localhost:22 localhost:25
//! ```
use std::{error::Error, io, io::Write, net::TcpStream, net::ToSocketAddrs, pin::Pin};
use std::{process::ExitCode, sync::Arc, thread, time::Duration};

use aiopool::{AioPool, Blocking, Spawner, Worker};
use async_executor::Executor;
use async_io::{Async, Timer, block_on};
use clap::Parser;
use futures::{AsyncBufReadExt, AsyncReadExt, FutureExt, StreamExt, io::BufReader};

/// Print what servers say first, as those for ssh, smtp and ftp do
///
/// Exit codes: 0 if all of them said something, 1 if not, 2 for wrong usage
#[derive(Parser)]
struct Args {
    /// How many seconds each may take
    #[arg(short, long, default_value_t = 5)]
    timeout: u64,
    #[arg(required = true, value_name = "HOST:PORT")]
    servers: Vec<String>,
}

struct OnExecutor(Arc<Executor<'static>>);

impl Spawner for OnExecutor {
    fn spawn(&self, worker: Worker) {
        self.0.spawn(worker).detach();
    }
    fn spawn_blocking(&self, work: Blocking) {
        thread::spawn(|| work.run());
    }
    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Some(Box::pin(FutureExt::map(Timer::after(duration), drop)))
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let executor = Arc::new(Executor::new());
    let pool = AioPool::with_spawner(8, OnExecutor(executor.clone()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| block_on(executor.run(pool.closed())));
        }
        let exit_code = block_on(ask_all(&pool, args));
        pool.close(); // The threads end with it.
        exit_code.into()
    })
}

async fn ask_all(pool: &AioPool, args: Args) -> u8 {
    let limit = Duration::from_secs(args.timeout);
    let mut asked = Vec::new();
    for server in args.servers {
        let task = banner(pool.clone(), server.clone());
        asked.push((server, pool.task(task).timeout(limit).spawn_n()));
    }
    let mut exit_code = 0;
    for (server, handle) in asked {
        let said = handle.await.unwrap_or_else(|error| Err(error.into()));
        exit_code |= u8::from(said.is_err());
        let said = said.unwrap_or_else(|error| format!("error: {error}"));
        let _ = writeln!(io::stdout(), "{server}: {said}");
    }
    exit_code
}

async fn banner(pool: AioPool, server: String) -> Result<String, Box<dyn Error + Send + Sync>> {
    // Looking up a name blocks. Meanwhile this task lends its permit, so one is enough for both.
    let found = pool.spawn_blocking(move || server.to_socket_addrs());
    let address = found.await??.next().ok_or("no address")?;
    let stream = Async::<TcpStream>::connect(address).await?;
    let mut lines = BufReader::new(stream.take(1000)).lines();
    Ok(lines.next().await.ok_or("it hung up")??)
}
