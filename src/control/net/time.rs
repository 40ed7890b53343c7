use std::pin::pin;
use std::time::Duration;

use async_io::Timer;
use futures_util::future::{Either, select};

/// Waits for a future, but no longer than this.
pub(super) async fn within<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), Timer::after(time)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Waits for one of two; the first, if both are there.
pub(super) async fn either<A: Future, B: Future>(one: A, other: B) -> Either<A::Output, B::Output> {
    match select(pin!(one), pin!(other)).await {
        Either::Left((output, _)) => Either::Left(output),
        Either::Right((output, _)) => Either::Right(output),
    }
}
