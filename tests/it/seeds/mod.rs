//! What the tests of the three Python libraries say, said of this pool, and one test for each bug of theirs that ours must not have.
//!
//! Where ours does something else on purpose, the test states the difference.

mod asyncio_pool;
mod asyncio_pool_bugs;
mod asyncio_taskpool;
mod asyncio_taskpool_bugs;
mod cf_taskpool;
mod cf_taskpool_bugs;

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use aiopool::JoinError;
use tokio::time::sleep;

use crate::support::poll_once;

const SECOND: Duration = Duration::from_secs(1);

/// Gives `value` after so many seconds of tokio's clock.
async fn after<T>(seconds: u32, value: T) -> T {
    sleep(SECOND * seconds).await;
    value
}

/// The values of tasks that have all ended well, in their order.
fn values<T>(results: impl IntoIterator<Item = Result<T, JoinError>>) -> Vec<T> {
    results.into_iter().map(Result::unwrap).collect()
}

/// What a future gives that does not have to wait.
#[track_caller]
fn now<F: Future>(future: F) -> F::Output {
    match poll_once(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
