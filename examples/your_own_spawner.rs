//! Asks servers for their banner, on an executor that the crate does not know: two threads, and a `Spawner` by hand.
//!
//! ```sh
//! cargo run --example your_own_spawner -- --timeout 2 localhost:22 localhost:25
//! ```
use std::error::Error;
use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use aiopool::{AioPool, Blocking, Spawner, Worker};
use async_executor::Executor;
use async_io::{Async, Timer, block_on};
use clap::Parser;
use futures::io::BufReader;
use futures::{AsyncBufReadExt, AsyncReadExt, StreamExt};

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

/// The first line of a server, or why there is none.
type Banner = Result<String, Box<dyn Error + Send + Sync>>;

/// Number of threads that run the executor.
const THREADS: usize = 2;

/// Maximum number of servers that are asked at once.
const AT_ONCE: usize = 8;

/// Maximum length of a banner in bytes: a server may send anything.
const LONGEST: u64 = 1000;

fn main() -> ExitCode {
    let args = Args::parse();
    let executor = Arc::new(Executor::new());
    let pool = AioPool::with_spawner(AT_ONCE, OnExecutor(executor.clone()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            // A thread runs the executor until the pool is closed and empty.
            scope.spawn(|| block_on(executor.run(pool.closed())));
        }
        let exit_code = block_on(ask_all(&pool, args));
        pool.close();
        exit_code.into()
    })
}

/// Runs the tasks of a pool on an executor.
struct OnExecutor(Arc<Executor<'static>>);

impl Spawner for OnExecutor {
    fn spawn(&self, worker: Worker) {
        self.0.spawn(worker).detach();
    }

    fn spawn_blocking(&self, work: Blocking) {
        thread::spawn(|| work.run());
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Some(Box::pin(async move {
            Timer::after(duration).await;
        }))
    }
}

/// Prints the banners in the order of the command line, and returns the exit code.
async fn ask_all(pool: &AioPool, args: Args) -> u8 {
    let limit = Duration::from_secs(args.timeout);
    // All of them are submitted before the first is awaited, so that they run at the same time.
    let mut tasks = Vec::new();
    for server in args.servers {
        let task = pool.task(banner(pool.clone(), server.clone()));
        tasks.push((server, task.timeout(limit).spawn_n()));
    }

    let mut exit_code = 0;
    for (server, handle) in tasks {
        let line = match handle.await.unwrap_or_else(|error| Err(error.into())) {
            Ok(banner) => banner,
            Err(error) => {
                exit_code = 1;
                format!("error: {error}")
            }
        };
        let _ = writeln!(io::stdout(), "{server}: {line}");
    }
    exit_code
}

async fn banner(pool: AioPool, server: String) -> Banner {
    // Looking up a name blocks. Meanwhile this task lends its permit, so one is enough for both.
    let addresses = pool
        .spawn_blocking(move || server.to_socket_addrs())
        .await??;
    let address = addresses.into_iter().next().ok_or("no address")?;

    let stream = Async::<TcpStream>::connect(address).await?;
    let mut lines = BufReader::new(stream.take(LONGEST)).lines();
    let first = lines.next().await.ok_or("it hung up")?;
    Ok(first?)
}
