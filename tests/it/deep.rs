//! DESIGN 3.14: nothing is recursive over what users build, and no step takes longer than the groups around it are deep.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use aiopool::{AioPool, FnSpawner, JoinHandle, Worker};
use async_executor::Executor;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::BoxFuture;

use crate::support::{Hand, on_every_runtime, poll_once};

const LONG: usize = 100_000;

/// Runs a test on a small stack.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().stack_size(256 * 1024);
    builder.spawn(test).unwrap().join().unwrap();
}

struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A runtime that is told to go on, and takes as long for a poll however many workers there are.
fn ticking_pool(size: usize) -> (AioPool, impl Fn()) {
    let executor = Arc::new(Executor::new());
    let spawning = executor.clone();
    let spawner = FnSpawner(move |worker: Worker| spawning.spawn(worker).detach());
    let run = move || while executor.try_tick() {};
    (AioPool::with_spawner(size, spawner), run)
}

/// A chain of tasks that wait, each of which owns the next one by what `bind` makes of its handle.
fn chain<B: Send + 'static>(
    pool: &AioPool,
    length: usize,
    bind: impl Fn(JoinHandle<()>) -> B,
) -> (JoinHandle<()>, Arc<AtomicUsize>) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let mut last = pool.spawn_n(async {});
    for _ in 1..length {
        let (owned, counts) = (bind(last), Counts(dropped.clone()));
        last = pool.spawn_n(async move {
            std::future::pending::<()>().await;
            drop((owned, counts));
        });
    }
    (last, dropped)
}

#[test]
fn a_chain_of_waiting_tasks_that_own_each_other_ends_without_recursion() {
    on_a_small_stack(|| {
        let (_hand, pool) = Hand::pool(1);
        pool.pause();
        let group = pool.group("group", 1).unwrap();
        for home in [&pool, &group] {
            let (last, dropped) = chain(home, LONG, JoinHandle::abort_on_drop);
            assert!(last.abort());
            assert_eq!(
                dropped.load(SeqCst),
                LONG - 1,
                "all are gone when it returns"
            );
            let (last, dropped) = chain(home, LONG, JoinHandle::abort_on_drop);
            drop(last);
            assert_eq!(home.abort_all(), LONG);
            assert_eq!(dropped.load(SeqCst), LONG - 1);
            let (last, _) = chain(home, LONG, JoinHandle::abort_on_drop);
            drop(last);
            assert_eq!(block_on(home.cancel_all()), LONG);
        }
        let stats = pool.stats();
        assert_eq!((stats.submitted, pool.is_empty()), (stats.cancelled, true));
    });
}

struct CancelsAll(Vec<AioPool>);

impl Drop for CancelsAll {
    fn drop(&mut self) {
        if let Some(next) = self.0.pop() {
            next.abort_all();
        }
    }
}

#[test]
fn an_abort_inside_of_others_counts_truly() {
    on_a_small_stack(|| {
        let pools: Vec<AioPool> = (0..50).map(|_| Hand::pool(1).1).collect();
        for (place, pool) in pools.iter().enumerate() {
            pool.pause();
            let guard = CancelsAll(pools[place + 1..].iter().take(1).cloned().collect());
            drop(pool.spawn_n(async move {
                std::future::pending::<()>().await;
                drop(guard);
            }));
            drop(pool.map_n(0..3, |_| async {}));
            drop(pool.feed(0..3, |_| async {}));
        }
        assert_eq!(pools[0].abort_all(), 4);
        for pool in &pools {
            assert_eq!((pool.stats().cancelled, pool.is_empty()), (4, true));
        }
    });
}

#[test]
fn a_chain_of_active_tasks_ends_without_recursion() {
    fn deeper(pool: AioPool, left: usize) -> BoxFuture<'static, usize> {
        async move {
            match left {
                0 => std::future::pending().await,
                _ => match pool.exec(deeper(pool.clone(), left - 1)).await {
                    Ok(value) => value,
                    Err(error) => usize::from(error.is_cancelled()) + left,
                },
            }
        }
        .boxed()
    }
    on_a_small_stack(|| {
        for outermost in [false, true] {
            let (pool, run) = ticking_pool(1);
            let handle = pool.spawn_n(deeper(pool.clone(), LONG));
            run();
            let tasks = pool.tasks();
            assert_eq!(tasks.len(), LONG + 1);
            if outermost {
                assert!(handle.abort());
            } else {
                assert_eq!(pool.abort([tasks[LONG].id]), Ok(1));
            }
            run();
            assert_eq!(block_on(handle).is_ok(), !outermost);
            assert!(pool.is_empty());
        }
    });
}

/// A runtime that polls a worker where it is woken, unless it is being polled.
#[derive(Clone)]
struct Inline(Arc<Mutex<(Option<Worker>, bool)>>);

impl Inline {
    fn spawn(worker: Worker) {
        Self(Arc::new(Mutex::new((Some(worker), false)))).poll();
    }

    fn poll(&self) {
        loop {
            let mut state = self.0.lock().unwrap();
            state.1 = false;
            let Some(mut worker) = state.0.take() else {
                state.1 = true;
                return;
            };
            drop(state);
            let waker = Waker::from(Arc::new(self.clone()));
            let polled = Pin::new(&mut worker).poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                return;
            }
            let mut state = self.0.lock().unwrap();
            state.0 = Some(worker);
            if !state.1 {
                return;
            }
        }
    }
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.poll();
    }
}

fn inline_pool(size: usize) -> AioPool {
    AioPool::with_spawner(size, FnSpawner(Inline::spawn))
}

#[test]
fn wakes_that_poll_on_the_spot_are_no_recursion() {
    on_a_small_stack(|| {
        let pool = inline_pool(AioPool::UNBOUNDED);
        let mut handles = vec![pool.spawn_n(std::future::pending::<()>())];
        let mut last = handles[0].abort_handle();
        let mut next = handles.remove(0);
        for _ in 0..LONG {
            next = pool.spawn_n(async move { _ = next.await });
        }
        assert!(last.abort());
        assert!(block_on(next).is_ok());
        last = pool.spawn_n(async {}).abort_handle();
        assert!(last.is_finished() && pool.is_empty());
    });
}

#[test]
fn permits_and_callbacks_that_go_on_on_the_spot_are_no_recursion() {
    fn again(pool: &AioPool, left: usize, ended: Arc<AtomicUsize>) {
        let (submits, counts) = (pool.clone(), ended.clone());
        let task = pool.task(async {}).on_end(move |_| {
            counts.fetch_add(1, SeqCst);
            if left > 1 {
                again(&submits, left - 1, ended);
            }
        });
        drop(task.spawn_n());
    }
    on_a_small_stack(|| {
        let ended = Arc::new(AtomicUsize::new(0));
        let pool = inline_pool(AioPool::UNBOUNDED);
        again(&pool, LONG, ended.clone());
        assert_eq!(ended.load(SeqCst), LONG, "while they run");
        pool.close();
        again(&pool, LONG, ended.clone());
        assert_eq!(ended.load(SeqCst), 2 * LONG, "while they are refused");
        let pool = inline_pool(1);
        let runtime = inline_pool(AioPool::UNBOUNDED);
        let permit = block_on(pool.acquire());
        for _ in 0..LONG {
            let pool = pool.clone();
            drop(runtime.spawn_n(async move { drop(pool.acquire().await) }));
        }
        drop(permit);
        assert!(runtime.is_empty() && pool.is_empty());
    });
}

#[test]
fn groups_inside_of_each_other_end_without_recursion() {
    on_a_small_stack(|| {
        let (hand, pool) = Hand::pool(1);
        let mut group = pool.clone();
        for _ in 0..LONG {
            group = group.group("inner", 2).unwrap();
        }
        let handle = group.spawn_n(async {});
        let waiting = group.spawn_n(async {});
        waiting.abort();
        drop(group);
        hand.run();
        assert!(handle.is_finished() && pool.groups().is_empty());
    });
}

#[test]
fn a_worker_that_is_dropped_inside_of_a_long_spawn_lets_the_next_start() {
    // The runtime polls on the spot. It refuses the second worker, inside of the poll of the first.
    let given = AtomicUsize::new(0);
    let spawner = FnSpawner(move |worker: Worker| match given.fetch_add(1, SeqCst) {
        1 => drop(worker),
        _ => Inline::spawn(worker),
    });
    let pool = AioPool::with_spawner(2, spawner);
    let inside = pool.clone();
    let outer = pool.spawn_n(async move {
        let handles = inside.map_n(0..5, |n| async move { n });
        assert!(
            handles.iter().all(JoinHandle::is_finished),
            "while this is polled"
        );
        handles
    });
    let results: Vec<_> = block_on(outer).unwrap().into_iter().map(block_on).collect();
    assert!(results[0].as_ref().unwrap_err().is_rejected());
    assert_eq!(
        results.iter().flatten().copied().collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(pool.stats().started, 5);
}

#[test]
fn a_runtime_that_drops_inside_of_another_pools_spawn_loses_nobody() {
    let (refusing, polling) = (
        AioPool::with_spawner(1, FnSpawner(drop::<Worker>)),
        inline_pool(1),
    );
    let inner = refusing.clone();
    let outer = polling.spawn_n(async move { inner.map_n(0..LONG, |_| async {}) });
    let handles = block_on(outer).unwrap();
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert!(refusing.is_empty() && polling.is_empty());
}

/// Has four times as much to do take no more than six times as long. Tried several times, since others run beside it.
fn grows_no_faster_than_its_input(
    what: &str,
    mut work: impl FnMut(usize) -> Duration,
    size: usize,
) {
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let (short, long) = (work(size), work(4 * size));
        let ratio = long.as_secs_f64() / short.as_secs_f64();
        if ratio < 6.0 {
            return;
        }
        ratios.push(ratio);
    }
    panic!("{what}: {ratios:?}");
}

fn groups(pool: &AioPool, depth: usize) -> Vec<AioPool> {
    let mut groups = vec![pool.clone()];
    for _ in 0..depth {
        let inner = groups.last().unwrap().group("inner", 9).unwrap();
        groups.push(inner);
    }
    groups
}

#[test]
fn a_step_of_a_task_costs_no_more_than_its_groups_are_deep() {
    let work = |depth| {
        let (hand, pool) = Hand::pool(1);
        let groups = groups(&pool, depth);
        let begun = Instant::now();
        let handles = groups.last().unwrap().map_n(0..10, |_| async {});
        hand.run();
        assert!(handles.iter().all(JoinHandle::is_finished));
        begun.elapsed()
    };
    grows_no_faster_than_its_input("tasks in deep groups", work, 500);
}

#[test]
fn groups_end_at_once_however_deep_they_are() {
    for outermost_first in [false, true] {
        let work = |depth| {
            let (_hand, pool) = Hand::pool(1);
            let mut groups = groups(&pool, depth);
            if !outermost_first {
                groups.reverse();
            }
            let begun = Instant::now();
            groups.into_iter().for_each(drop);
            assert!(pool.groups().is_empty());
            begun.elapsed()
        };
        grows_no_faster_than_its_input("ends of groups", work, 2000);
    }
}

#[test]
fn joins_from_inside_cost_the_same_however_many_there_are() {
    let work = |count| {
        let (pool, run) = ticking_pool(1);
        let scoped = pool.clone();
        // It joins, and waits for those who do: so the others are looked at again and again.
        let waits = pool.spawn_n(async move { scoped.scope(async |_| ()).await });
        let inner = pool.clone();
        let handles = pool.map_n(0..count, move |_| {
            let pool = inner.clone();
            async move { pool.join().await }
        });
        let begun = Instant::now();
        let mut outside: Vec<_> = (0..count).map(|_| Box::pin(pool.join())).collect();
        for join in &mut outside {
            assert!(poll_once(join.as_mut()).is_pending());
        }
        run();
        assert!(waits.is_finished() && handles.iter().all(JoinHandle::is_finished));
        begun.elapsed()
    };
    grows_no_faster_than_its_input("joins", work, 400);
}

#[test]
fn nested_scopes_end_on_every_runtime() {
    fn nest(pool: AioPool, depth: usize) -> BoxFuture<'static, usize> {
        async move {
            pool.scope(|inner| async move {
                drop(inner.spawn_n(async {}));
                match depth {
                    0 => 0,
                    _ => 1 + nest(inner, depth - 1).await,
                }
            })
            .await
        }
        .boxed()
    }
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        assert_eq!(nest(pool.clone(), 50).await, 50, "on {}", pools.runtime);
        assert_eq!(pool.stats().completed, 51);
    });
}
