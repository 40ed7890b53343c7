use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use aiopool::{AioPool, JoinHandle};

/// A task that waits until it is told to end, and can be watched meanwhile.
#[derive(Clone, Default)]
pub(crate) struct Probe(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    started: bool,
    told: bool,
    dropped: bool,
    wakers: Vec<Waker>,
}

struct Watched(Probe);

impl Probe {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn several(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new()).collect()
    }

    /// The future of the task. It gives `value` when it is told to end.
    pub(crate) fn task<T: Send + 'static>(
        &self,
        value: T,
    ) -> impl Future<Output = T> + Send + use<T> {
        let watched = Watched(self.clone());
        async move {
            watched.0.change(|seen| seen.started = true);
            watched.0.wait(|seen| seen.told).await;
            value
        }
    }

    pub(crate) fn end(&self) {
        self.change(|seen| seen.told = true);
    }

    pub(crate) fn has_started(&self) -> bool {
        self.0.lock().unwrap().started
    }

    /// Whether its future is gone, at its end or before.
    pub(crate) fn is_dropped(&self) -> bool {
        self.0.lock().unwrap().dropped
    }

    pub(crate) async fn started(&self) {
        self.wait(|seen| seen.started).await;
    }

    async fn wait(&self, is_so: impl Fn(&Seen) -> bool) {
        poll_fn(|cx| {
            let mut seen = self.0.lock().unwrap();
            if is_so(&seen) {
                return Poll::Ready(());
            }
            seen.wakers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.0.lock().unwrap();
        change(&mut seen);
        let wakers = std::mem::take(&mut seen.wakers);
        drop(seen);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.change(|seen| seen.dropped = true);
    }
}

/// Spawns so many tasks, each of which waits until its probe is told to end.
pub(crate) fn busy(pool: &AioPool, count: usize) -> (Vec<Probe>, Vec<JoinHandle<()>>) {
    let probes = Probe::several(count);
    let handles = probes
        .iter()
        .map(|probe| pool.spawn_n(probe.task(())))
        .collect();
    (probes, handles)
}
