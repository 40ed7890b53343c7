use std::fmt;

use tower_layer::Layer;

use super::service::PoolLimit;
use crate::pool::AioPool;

/// A tower layer that runs the calls of a service under a permit of a pool. See the [module](super) for what that means.
#[derive(Clone)]
pub struct PoolLimitLayer<P = AioPool> {
    pools: P,
}

impl PoolLimitLayer {
    /// Makes a layer whose calls run under a permit of `pool`.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::AioPool;
    /// use aiopool::tower::PoolLimitLayer;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// let pool = AioPool::new(1);
    /// let service = ServiceBuilder::new()
    ///     .layer(PoolLimitLayer::new(pool.clone()))
    ///     .service_fn(|n: u32| async move { Ok::<_, std::io::Error>(2 * n) });
    /// assert_eq!(service.oneshot(4).await.unwrap(), 8);
    /// # });
    /// ```
    pub fn new(pool: AioPool) -> Self {
        Self { pools: pool }
    }
}

impl<F> PoolLimitLayer<F> {
    /// Makes a layer whose calls run under a permit of the pool that `pool_of` returns for the request. So each tenant,
    /// host or path may have a limit and a queue of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::AioPool;
    /// use aiopool::tower::PoolLimitLayer;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// struct Request {
    ///     tenant: &'static str,
    /// }
    ///
    /// let pool = AioPool::builder().size(8).fair_share(true).build().unwrap();
    /// let layer = PoolLimitLayer::by(move |request: &Request| {
    ///     pool.keyed_with(request.tenant, |group| group.size(2).max_waiting(16))
    /// });
    /// let service = ServiceBuilder::new()
    ///     .layer(layer)
    ///     .service_fn(|request: Request| async move { Ok::<_, std::io::Error>(request.tenant) });
    /// assert_eq!(service.oneshot(Request { tenant: "me" }).await.unwrap(), "me");
    /// # });
    /// ```
    pub fn by<Request>(pool_of: F) -> Self
    where
        F: Fn(&Request) -> AioPool,
    {
        Self { pools: pool_of }
    }
}

impl<P> PoolLimitLayer<P> {
    /// Makes a layer whose calls run under a permit of the pool that `pools` [selects](super::SelectPool).
    pub fn select(pools: P) -> Self {
        Self { pools }
    }
}

impl<S, P: Clone> Layer<S> for PoolLimitLayer<P> {
    type Service = PoolLimit<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        PoolLimit::new(inner, self.pools.clone())
    }
}

impl<P> fmt::Debug for PoolLimitLayer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolLimitLayer").finish_non_exhaustive()
    }
}
