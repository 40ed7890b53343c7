//! Tasks that sleep on tokio: how much longer do they take than nothing but their sleep?

use std::time::Duration;

use aiopool::AioPool;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::tasks::SIZE;

const NAP: Duration = Duration::from_millis(200);

/// Ours: tasks that sleep, by `spawn`.
pub(crate) async fn spawn(pool: AioPool, n: usize) {
    for _ in 0..n {
        pool.spawn(sleep(NAP)).await;
    }
    pool.join().await;
}

/// The least that such tasks can take: as many loops as permits, which do nothing but sleep.
pub(crate) async fn in_loops(n: usize) {
    let mut loops = JoinSet::new();
    for _ in 0..SIZE {
        loops.spawn(async move {
            for _ in 0..n / SIZE {
                sleep(NAP).await;
            }
        });
    }
    loops.join_all().await;
}
