//! Several threads at once do everything to one pool, at random. Afterwards the
//! counters add up, every handle has settled, and no future is left undropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use std::task::Poll;

use aiopool::{AioPool, JoinHandle, lend};
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::{BoxFuture, select};

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

/// Uses its own pool, in some way, and counts itself.
fn nested(
    pool: AioPool,
    alive: Arc<AtomicUsize>,
    way: u64,
    panics: bool,
) -> BoxFuture<'static, u64> {
    let counted = Counted::new(&alive);
    async move {
        let inner = |yields| task(Counted::new(&alive), yields, false);
        match way {
            0 => _ = pool.exec(inner(2)).await,
            1 => _ = select(pool.spawn_n(inner(9)), Box::pin(yield_now())).await,
            2 => _ = lend(inner(3)).await,
            3 => _ = pool.map(0..3, inner).await,
            4 => _ = pool.run(inner(1)).await,
            5 => pool.join().await,
            6 => _ = select(Box::pin(lend(inner(9))), Box::pin(yield_now())).await,
            7 => {
                _ = pool
                    .feed(0..3, {
                        let alive = alive.clone();
                        move |yields| task(Counted::new(&alive), yields, false)
                    })
                    .await;
            }
            8 => {
                _ = pool
                    .scope(|tasks| async move { tasks.exec(inner(1)).await })
                    .await;
            }
            _ => {
                // Who is awaited by another does not join: they would wait for each other.
                let way = if way == 9 + 5 { 0 } else { way - 9 };
                let deeper = nested(pool.clone(), alive.clone(), way, false);
                _ = pool.exec(deeper).await;
            }
        }
        task(counted, 1, panics).await
    }
    .boxed()
}

fn rage(pool: &AioPool, alive: &Arc<AtomicUsize>, seed: u64) -> usize {
    let mut random = Random(seed);
    let mut handles: Vec<JoinHandle<u64>> = Vec::new();
    let (mut permits, mut feeds) = (Vec::new(), Vec::new());
    let mut settled = 0;
    for _ in 0..2000 {
        let pool = match random.below(4) {
            0 => pool.keyed("one", 1),
            1 => pool
                .keyed_with("two", |group| group.size(2).share(3).max_waiting(20))
                .keyed("inside", 2),
            _ => pool.clone(),
        };
        let panics = random.below(20) == 0;
        let future = match random.below(4) {
            0 => nested(pool.clone(), alive.clone(), random.below(18), panics),
            _ => task(Counted::new(alive), random.below(4), panics).boxed(),
        };
        match random.below(110) {
            0..45 => handles.push(pool.spawn_n(future)),
            45..50 => drop(pool.spawn_n(future)),
            50..60 => handles.push(
                pool.task(future)
                    .weight(1 + random.below(3) as usize)
                    .spawn_n(),
            ),
            60..70 => handles.push(
                pool.task(future)
                    .priority(random.below(3) as i32 - 1)
                    .spawn_n(),
            ),
            70..75 => drop(pool.try_spawn(future)),
            75..80 => {
                let mut spawn = Box::pin(pool.spawn(future));
                drop(crate::support::poll_once(spawn.as_mut()));
            }
            80..83 => {
                // In place, a panic would be that of this thread.
                let calm = task(Counted::new(alive), 1, false);
                let mut run = Box::pin(pool.run(calm));
                let _ = crate::support::poll_once(run.as_mut());
            }
            83..86 => {
                let mut asks = Box::pin(pool.acquire());
                if let Poll::Ready(permit) = crate::support::poll_once(asks.as_mut()) {
                    permits.push(permit);
                }
            }
            86..88 => permits.clear(),
            88..90 => {
                let alive = alive.clone();
                feeds.push(pool.feed(0..20, move |n| task(Counted::new(&alive), n % 3, n == 7)));
            }
            90..91 => feeds.iter().for_each(|feed| _ = feed.abort()),
            91..98 => settled += usize::from(abort_one(&mut handles, &mut random)),
            98..101 => pool.resize(1 + random.below(6) as usize).unwrap(),
            101..103 => pool.pause(),
            103..107 => pool.resume(),
            107..109 => handles.push(pool.spawn_blocking(|| 7)),
            _ => _ = pool.abort_all(),
        }
    }
    permits.clear();
    for paused in [pool.find_group("one"), pool.find_group("two")] {
        paused.iter().for_each(AioPool::resume);
        paused
            .iter()
            .flat_map(AioPool::groups)
            .for_each(|inside| inside.resume());
    }
    pool.resume();
    for handle in handles {
        drop(block_on(handle));
        settled += 1;
    }
    feeds.into_iter().for_each(|feed| _ = block_on(feed));
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
    let is_fair = seed % 2 == 0;
    let pool = pools.builder().size(3).fair_share(is_fair).build().unwrap();
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
    for paused in pool.groups() {
        paused.resume();
        paused.groups().iter().for_each(AioPool::resume);
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
    assert!(pool.is_empty() && pool.tasks().is_empty() && !pool.is_full());
    assert!(pool.groups().is_empty(), "on {}", pools.runtime);
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
