use std::time::Duration;

use aiopool::{AioPool, Builder, Tokio};
use clap::ValueEnum;
use futures::executor::block_on;
use futures::future::{Either, select};

/// A runtime that this program was built with.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Kind {
    #[default]
    Tokio,
    #[cfg(feature = "smol")]
    Smol,
    #[cfg(feature = "async-std")]
    AsyncStd,
}

/// Makes pools on the runtime.
pub(crate) struct Runtime {
    kind: Kind,
    tokio: tokio::runtime::Runtime,
}

impl Runtime {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            tokio: tokio_runtime(),
        }
    }

    pub(crate) fn builder(&self) -> Builder {
        let builder = AioPool::builder();
        match self.kind {
            Kind::Tokio => builder.spawner(Tokio::handle(self.tokio.handle().clone())),
            #[cfg(feature = "smol")]
            Kind::Smol => builder.spawner(aiopool::Smol),
            #[cfg(feature = "async-std")]
            Kind::AsyncStd => builder.spawner(aiopool::AsyncStd),
        }
    }
}

/// Makes a tokio runtime with two threads.
pub(crate) fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("the machine has room for two threads")
}

/// Awaits a future on this thread for at most so long. After that it is dropped.
pub(crate) fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let future = std::pin::pin!(future);
    match block_on(select(future, async_io::Timer::after(limit))) {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
