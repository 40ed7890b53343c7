use aiopool::testing::Probe;
use aiopool::{AioPool, JoinHandle};

/// Spawns so many tasks, each of which waits until its probe is told to end.
pub(crate) fn busy(pool: &AioPool, count: usize) -> (Vec<Probe>, Vec<JoinHandle<()>>) {
    let probes = Probe::several(count);
    let handles = probes
        .iter()
        .map(|probe| pool.spawn_n(probe.task(())))
        .collect();
    (probes, handles)
}
