use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::super::timer::Timer;

/// Waits for a future for at most `time`. Returns `None` if the time is over.
pub(super) async fn within<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), Timer::after(time)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Waits for the first of two futures to complete. If both are ready, `one` wins.
pub(super) async fn either<A: Future, B: Future>(one: A, other: B) -> Either<A::Output, B::Output> {
    match select(pin!(one), pin!(other)).await {
        Either::Left((output, _)) => Either::Left(output),
        Either::Right((output, _)) => Either::Right(output),
    }
}
