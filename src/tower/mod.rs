//! A tower layer whose calls run under a permit of a pool: for axum, tonic and other services that are built of layers.
//!
//! [`PoolLimitLayer`] wraps a service. Each call waits in the queue of a pool, in the order of its arrival and beside the
//! tasks of the pool, and calls the inner service when it has a permit: as [`AioPool::run`](crate::AioPool::run) does.
//!
//! # Compared with tower's `ConcurrencyLimit`
//!
//! - No permit is taken in `poll_ready`. A service that is ready and not called, or a caller that is not polled between the
//!   two, holds nobody up.
//! - The bound for what waits is that of the pool ([`max_waiting`](crate::Builder::max_waiting)). Above it, and when the
//!   pool is closed, a call returns a [`PoolRefused`] at once, so that the service can answer with 429 or 503. `LoadShed`
//!   around this layer sheds nothing, since the layer is always ready.
//! - The pool can be looked at, paused, resized and shut down. The same pool may run tasks, and may limit several services.
//! - The pool may depend on the request, so that each tenant has a limit and a queue of its own.
//!
//! # Examples
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use std::convert::Infallible;
//!
//! use aiopool::AioPool;
//! use aiopool::tower::{PoolLimitLayer, PoolRefused};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let pool = AioPool::builder().size(8).max_waiting(100).build().unwrap();
//! let service = ServiceBuilder::new()
//!     .layer(PoolLimitLayer::new(pool.clone()))
//!     .service(service_fn(|request: String| async move { Ok::<_, Infallible>(request.len()) }));
//!
//! let response = service.clone().oneshot("hello".to_owned()).await;
//! assert_eq!(response.unwrap(), 5);
//!
//! pool.close();                                        // the program is about to end
//! let error = service.oneshot("hello".to_owned()).await.unwrap_err();
//! assert!(error.downcast_ref::<PoolRefused>().is_some_and(PoolRefused::is_closed));
//! # });
//! ```

mod error;
mod future;
mod layer;
mod select;
mod service;

use std::error::Error;

pub use self::error::PoolRefused;
pub use self::future::ResponseFuture;
pub use self::layer::PoolLimitLayer;
pub use self::select::SelectPool;
pub use self::service::PoolLimit;

type BoxError = Box<dyn Error + Send + Sync>;
