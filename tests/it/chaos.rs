//! Several threads at once do everything to one pool, at random. Afterwards the
//! counters add up, every handle has settled, and no future is left undropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use aiopool::{AioPool, JoinHandle};
use futures::executor::block_on;

use crate::support::{Pools, on_every_runtime, yield_now};

/// A number that is different each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Counts itself, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, SeqCst);
        Self(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Yields some times, and then ends in some way.
async fn task(counted: Counted, yields: u64, panics: bool) -> u64 {
    for _ in 0..yields {
        yield_now().await;
    }
    assert!(!panics, "on purpose");
    drop(counted);
    yields
}

fn rage(pool: &AioPool, alive: &Arc<AtomicUsize>, seed: u64) -> usize {
    let mut random = Random(seed);
    let mut handles: Vec<JoinHandle<u64>> = Vec::new();
    let mut settled = 0;
    for _ in 0..2000 {
        let future = task(Counted::new(alive), random.below(4), random.below(20) == 0);
        match random.below(100) {
            0..50 => handles.push(pool.spawn_n(future)),
            50..55 => drop(pool.spawn_n(future)),
            55..65 => handles.push(
                pool.task(future)
                    .weight(1 + random.below(3) as usize)
                    .spawn_n(),
            ),
            65..75 => handles.push(
                pool.task(future)
                    .priority(random.below(3) as i32 - 1)
                    .spawn_n(),
            ),
            75..80 => drop(pool.try_spawn(future)),
            80..84 => {
                let mut spawn = Box::pin(pool.spawn(future));
                drop(crate::support::poll_once(spawn.as_mut()));
            }
            84..90 => settled += usize::from(abort_one(&mut handles, &mut random)),
            90..93 => pool.resize(1 + random.below(6) as usize).unwrap(),
            93..95 => pool.pause(),
            95..99 => pool.resume(),
            _ => _ = pool.abort_all(),
        }
    }
    pool.resume();
    for handle in handles {
        drop(block_on(handle));
        settled += 1;
    }
    settled
}

fn abort_one(handles: &mut Vec<JoinHandle<u64>>, random: &mut Random) -> bool {
    if handles.is_empty() {
        return false;
    }
    let handle = handles.swap_remove(random.below(handles.len() as u64) as usize);
    handle.abort();
    drop(handle);
    true
}

async fn chaos(pools: Pools, seed: u64) {
    let pool = pools.size(3);
    let alive = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (1..=3)
        .map(|n| {
            let (pool, alive) = (pool.clone(), alive.clone());
            let (done, ended) = futures::channel::oneshot::channel();
            // Its runtime is entered, so that a thread finds it as a task would.
            let entered = tokio::runtime::Handle::try_current();
            thread::spawn(move || {
                let _inside = entered.as_ref().map(tokio::runtime::Handle::enter);
                done.send(rage(&pool, &alive, seed * 31 + n)).ok();
            });
            ended
        })
        .collect();
    for ended in threads {
        assert!(ended.await.unwrap() > 0, "on {}", pools.runtime);
    }
    pool.resume();
    pool.join().await;
    let stats = pool.stats();
    let ended =
        stats.completed + stats.panicked + stats.cancelled + stats.timed_out + stats.rejected;
    assert_eq!(stats.submitted, ended, "{stats:?} on {}", pools.runtime);
    assert_eq!(
        alive.load(SeqCst),
        0,
        "futures are left on {}",
        pools.runtime
    );
    assert!(pool.is_empty() && pool.tasks().is_empty());
    assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
}

#[test]
fn chaos_from_several_threads_ends_in_order() {
    let seeds = std::env::var("AIOPOOL_CHAOS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(5);
    for seed in 1..=seeds {
        on_every_runtime(move |pools| chaos(pools, seed));
    }
}
