use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use tower_service::Service;

use super::BoxError;
use super::error::PoolRefused;
use super::future::ResponseFuture;
use super::select::SelectPool;
use crate::pool::AioPool;

/// A service whose calls run under a permit of a pool. Made by a [`PoolLimitLayer`](super::PoolLimitLayer).
///
/// It is always ready, and takes no permit before a call is polled. A call waits in the queue of the pool. With its permit
/// it waits until a clone of the inner service is ready, calls that, and awaits the response. So a call that waits takes
/// nothing of the inner service, and the time for which the inner service is not ready counts as running.
///
/// A call is no task: it counts in [`active`](AioPool::active) and [`waiting`](AioPool::waiting), and
/// [`join`](AioPool::join) and [`shutdown`](AioPool::shutdown) wait for it, but it is not listed, not counted in
/// [`stats`](AioPool::stats), and ends by itself or with its future only.
///
/// # Errors
///
/// A call returns the error of the inner service, in a box, or a [`PoolRefused`] if the pool was closed, or its queue
/// full, when the call was first polled.
#[derive(Clone)]
pub struct PoolLimit<S, P = AioPool> {
    inner: S,
    pools: P,
}

impl<S, P> PoolLimit<S, P> {
    pub(super) fn new(inner: S, pools: P) -> Self {
        Self { inner, pools }
    }
}

impl<S, P, Request> Service<Request> for PoolLimit<S, P>
where
    S: Service<Request, Response: Send, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    P: SelectPool<Request>,
    Request: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (pool, inner) = (self.pools.select(&request), self.inner.clone());
        ResponseFuture::new(async move {
            let ran = pool.run_unless_refused(call_when_ready(inner, request));
            ran.await.map_err(PoolRefused::new)?
        })
    }
}

async fn call_when_ready<S, Request>(
    mut service: S,
    request: Request,
) -> Result<S::Response, BoxError>
where
    S: Service<Request, Error: Into<BoxError>>,
{
    let is_ready = poll_fn(|cx| service.poll_ready(cx)).await;
    is_ready.map_err(Into::into)?;
    service.call(request).await.map_err(Into::into)
}

impl<S: fmt::Debug, P> fmt::Debug for PoolLimit<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolLimit")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
