use crate::pool::AioPool;

/// Chooses the pool for a request. An [`AioPool`] chooses itself, and a function `Fn(&Request) -> AioPool` is called.
///
/// Implement it for a type of your own where the type of a layer has to have a name.
///
/// # Examples
///
/// ```
/// use aiopool::AioPool;
/// use aiopool::tower::SelectPool;
///
/// #[derive(Clone)]
/// struct ByTenant(AioPool);
///
/// struct Request {
///     tenant: String,
/// }
///
/// impl SelectPool<Request> for ByTenant {
///     fn select(&self, request: &Request) -> AioPool {
///         self.0.keyed(&request.tenant, 2)
///     }
/// }
/// # let pools = ByTenant(AioPool::new(4));
/// # assert_eq!(pools.select(&Request { tenant: "a".to_owned() }).name(), "a");
/// ```
pub trait SelectPool<Request> {
    /// Returns the pool, or the group of a pool, under whose permit the request is to run.
    fn select(&self, request: &Request) -> AioPool;
}

impl<Request> SelectPool<Request> for AioPool {
    fn select(&self, _: &Request) -> AioPool {
        self.clone()
    }
}

impl<Request, F: Fn(&Request) -> AioPool> SelectPool<Request> for F {
    fn select(&self, request: &Request) -> AioPool {
        self(request)
    }
}
