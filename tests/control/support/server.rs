use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use aiopool::control::{Address, Builder, ControlServer, Serving};
use aiopool::{AioPool, SimpleTaskPool, Tokio};

use super::Client;

/// Where a server runs, and its pool with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Runtime {
    TokioOneThread,
    TokioTwoThreads,
    #[cfg(feature = "smol")]
    Smol,
    #[cfg(feature = "async-std")]
    AsyncStd,
}

impl Runtime {
    fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Self::TokioOneThread => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(future),
            Self::TokioTwoThreads => tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap()
                .block_on(future),
            #[cfg(feature = "smol")]
            Self::Smol => smol::block_on(future),
            #[cfg(feature = "async-std")]
            Self::AsyncStd => async_std::task::block_on(future),
        }
    }

    fn pool(self, size: usize) -> AioPool {
        let builder = AioPool::builder().size(size).name("demo");
        let builder = match self {
            Self::TokioOneThread | Self::TokioTwoThreads => builder.spawner(Tokio::current()),
            #[cfg(feature = "smol")]
            Self::Smol => builder.spawner(aiopool::Smol),
            #[cfg(feature = "async-std")]
            Self::AsyncStd => builder.spawner(aiopool::AsyncStd),
        };
        builder.build().unwrap()
    }
}

/// Runs a test on every runtime that the features bring.
pub(crate) fn on_every_runtime(test: impl Fn(Runtime)) {
    test(Runtime::TokioOneThread);
    test(Runtime::TokioTwoThreads);
    #[cfg(feature = "smol")]
    test(Runtime::Smol);
    #[cfg(feature = "async-std")]
    test(Runtime::AsyncStd);
}

/// A server at work. Dropped, it is stopped, and all of its tasks.
pub(crate) struct Server {
    pub(crate) address: Address,
    pub(crate) pool: AioPool,
    control: Option<ControlServer>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

type Bound = io::Result<(ControlServer, Serving)>;

impl Server {
    /// Serves a pool of this size as `begin` says.
    pub(crate) fn begin<Fut: Future<Output = Bound>>(
        runtime: Runtime,
        size: usize,
        begin: impl FnOnce(AioPool) -> Fut + Send + 'static,
    ) -> io::Result<Self> {
        let (tell, told) = channel();
        let (end, ended) = channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let pool = runtime.pool(size);
                match begin(pool.clone()).await {
                    Err(error) => tell.send(Err(error)).unwrap(),
                    Ok((control, serving)) => {
                        tell.send(Ok((control, pool.clone()))).unwrap();
                        serving.await;
                        end.send(()).ok();
                        pool.cancel_all().await;
                    }
                }
            });
        });
        let (control, pool) = told.recv().unwrap()?;
        Ok(Self {
            address: control.local_addr().clone(),
            pool,
            control: Some(control),
            ended,
            thread: Some(thread),
        })
    }

    /// Serves on tokio, over TCP.
    pub(crate) fn tcp(size: usize, shape: fn(AioPool) -> Builder) -> Self {
        let begin = move |pool| loopback(shape(pool));
        Self::begin(Runtime::TokioOneThread, size, begin).unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        match &self.address {
            Address::Tcp(address) => address.port(),
            other => panic!("no port: {other}"),
        }
    }

    pub(crate) fn text(&self) -> Client {
        Client::text(&self.address)
    }

    pub(crate) fn json(&self) -> Client {
        Client::json(&self.address)
    }

    /// Stops it as its users do, and waits until it says that it has stopped.
    pub(crate) fn stop(&mut self) {
        futures::executor::block_on(self.control.take().unwrap().stop());
    }

    pub(crate) fn wrong_tokens(&self) -> u64 {
        self.control.as_ref().unwrap().wrong_tokens()
    }

    pub(crate) fn drop_handle(&mut self) {
        self.control = None;
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.try_recv().is_ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.control = None;
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}

pub(crate) async fn loopback(builder: Builder) -> Bound {
    builder.serve_tcp("127.0.0.1:0").await
}

/// The function of the pools of [`simple`].
async fn work() {
    std::future::pending::<()>().await;
}

/// Copies of a function that has no end.
pub(crate) fn simple(pool: AioPool) -> Builder {
    ControlServer::builder(Arc::new(SimpleTaskPool::new(pool, work)))
}

/// A pool with registered work: `work` has no end, `quick` has one at once.
pub(crate) fn with_work(pool: AioPool) -> Builder {
    idle_work(ControlServer::builder(pool))
}

pub(crate) fn idle_work(builder: Builder) -> Builder {
    builder
        .command("work", |_| std::future::pending::<()>())
        .command("quick", |_| std::future::ready(()))
        .command("ended", |_| std::future::ready(()))
        .command("bad", |_| async { panic!("on purpose") })
}
