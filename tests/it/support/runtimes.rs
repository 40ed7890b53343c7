use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use aiopool::{AioPool, Builder, FnSpawner, Tokio, Worker};

/// Makes pools on one runtime.
#[derive(Clone)]
pub(crate) struct Pools {
    pub(crate) runtime: &'static str,
    /// Whether it has a timer.
    pub(crate) timer: bool,
    builder: Arc<dyn Fn() -> Builder + Send + Sync>,
}

impl Pools {
    fn new(
        runtime: &'static str,
        timer: bool,
        builder: impl Fn() -> Builder + Send + Sync + 'static,
    ) -> Self {
        Self {
            runtime,
            timer,
            builder: Arc::new(builder),
        }
    }

    pub(crate) fn size(&self, size: usize) -> AioPool {
        self.builder().size(size).build().unwrap()
    }

    pub(crate) fn builder(&self) -> Builder {
        (self.builder)()
    }
}

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs a test on tokio (both flavours), smol, async-std, and an executor that the crate does not know.
pub(crate) fn on_every_runtime<F, Fut>(body: F)
where
    F: Fn(Pools) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let current = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let several = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    };
    let tokio_pools =
        |name| Pools::new(name, true, || AioPool::builder().spawner(Tokio::current()));
    run(
        "tokio, one thread",
        body(tokio_pools("tokio, one thread")),
        move |body| current().block_on(body),
    );
    run(
        "tokio, two threads",
        body(tokio_pools("tokio, two threads")),
        move |body| several().block_on(body),
    );
    #[cfg(feature = "smol")]
    {
        let pools = Pools::new("smol", true, || AioPool::builder().spawner(aiopool::Smol));
        run("smol", body(pools), smol::block_on);
    }
    #[cfg(feature = "async-std")]
    {
        let pools = Pools::new("async-std", true, || {
            AioPool::builder().spawner(aiopool::AsyncStd)
        });
        run("async-std", body(pools), async_std::task::block_on);
    }
    let executor = Arc::new(async_executor::Executor::new());
    let spawning = executor.clone();
    let pools = Pools::new("foreign", false, move || {
        let spawning = spawning.clone();
        AioPool::builder().spawner(FnSpawner(move |worker: Worker| {
            spawning.spawn(worker).detach();
        }))
    });
    run("foreign", body(pools), move |body| {
        futures::executor::block_on(executor.run(body));
    });
}

/// Runs a test on tokio's current thread, with a clock that is moved by hand.
pub(crate) fn on_tokio<Fut: Future<Output = ()> + Send + 'static>(body: Fut) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    run("tokio, paused", body, move |body| {
        runtime.unwrap().block_on(body);
    });
}

fn run(
    name: &str,
    body: impl Future<Output = ()> + Send + 'static,
    block_on: impl FnOnce(Body) + Send + 'static,
) {
    within(name, move || block_on(Box::pin(body)));
}

/// Runs a test on a thread of its own; one that hangs fails.
pub(crate) fn within(name: &str, test: impl FnOnce() + Send + 'static) {
    let (done, ended) = sync_channel(1);
    let tester = thread::spawn(move || {
        test();
        done.send(()).ok();
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Err(RecvTimeoutError::Timeout) => panic!("it hangs on {name}"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
    }
    if let Err(panic) = tester.join() {
        eprintln!("on {name}:");
        std::panic::resume_unwind(panic);
    }
}
