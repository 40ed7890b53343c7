//! Several threads that do everything to one pool at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::super::in_random_orders::choose;
use super::super::{Event, block_on, check, pool, yield_once};
use super::{Meter, panic_silently, settle_all};
use crate::sync::thread;
use crate::{AioPool, JoinHandle};

/// What all threads of a model use.
#[derive(Clone)]
struct Place {
    /// The root and groups of it, each in the one before it.
    pools: Vec<AioPool>,
    meter: Meter,
    /// Happens when no thread steers the pool any more.
    calm: Arc<Event>,
    submitted: Arc<AtomicU64>,
}

/// The size of the root grows up to this.
const LARGEST: usize = 3;

impl Place {
    fn new() -> Self {
        let root = pool(2);
        let outer = root.keyed("outer", 2);
        let inner = outer.keyed("inner", 1);
        Self {
            pools: vec![root, outer, inner],
            meter: Meter::new(LARGEST),
            calm: Arc::default(),
            submitted: Arc::default(),
        }
    }

    fn root(&self) -> &AioPool {
        &self.pools[0]
    }

    fn any(&self) -> &AioPool {
        &self.pools[choose(self.pools.len())]
    }

    /// Some task. Its value is `number`.
    async fn task(self, number: usize) -> usize {
        match choose(6) {
            0 => {}
            1 => {
                let _running = self.meter.enter();
                yield_once().await;
                yield_once().await;
            }
            2 => self.calm.happened().await,
            3 => panic_silently(),
            4 => {
                self.submitted.fetch_add(1, Relaxed);
                drop(self.any().exec(yield_once()).await);
            }
            _ => {
                self.submitted.fetch_add(1, Relaxed);
                drop(self.any().spawn_n(async {}));
            }
        }
        number
    }

    /// Submits some tasks, and stops some of them. Returns the handles that are left, with the values of the tasks.
    fn submit(&self) -> Vec<(usize, JoinHandle<usize>)> {
        let mut left = Vec::new();
        for number in 0..4 {
            self.submitted.fetch_add(1, Relaxed);
            let (pool, task) = (self.any(), self.clone().task(number));
            let handle = match choose(4) {
                0 => pool.spawn_n(task),
                1 => block_on(pool.spawn(task)),
                2 => pool.task(task).priority(1).spawn_n(),
                _ => pool.task(task).weight(1 + choose(2)).spawn_n(),
            };
            match choose(5) {
                0 => _ = handle.abort(),
                1 => drop(block_on(handle.cancel())),
                2 => drop(handle),
                _ => left.push((number, handle)),
            }
        }
        left
    }

    /// Changes what the pool is about to do.
    fn steer(&self) {
        for _ in 0..4 {
            let pool = self.any();
            match choose(7) {
                0 => pool.pause(),
                1 => pool.resume(),
                2 => self.root().resize(1 + choose(LARGEST)).unwrap(),
                3 => self.pools[1].resize(1 + choose(2)).unwrap(),
                4 => _ = block_on(pool.cancel_all()),
                5 => _ = pool.abort_all(),
                _ => {
                    let ids: Vec<_> = pool.tasks().iter().map(|task| task.id).collect();
                    _ = pool.abort(ids.into_iter().take(2));
                }
            }
        }
    }

    /// Lets every task go on to its end.
    fn calm_down(&self) {
        for pool in &self.pools {
            pool.resume();
        }
        self.calm.happen();
    }
}

#[test]
fn whatever_threads_do_to_a_pool_every_task_settles_and_no_permit_is_lost() {
    check(|| {
        let place = Place::new();
        let run = |work: fn(&Place)| {
            let place = place.clone();
            thread::spawn(move || work(&place))
        };
        let submitters =
            [place.clone(), place.clone()].map(|place| thread::spawn(move || place.submit()));
        let steerers = [run(Place::steer), run(Place::steer)];
        let joiner = run(|place| block_on(place.any().join()));
        for steerer in steerers {
            steerer.join().unwrap();
        }
        place.calm_down();
        for submitter in submitters {
            for (number, handle) in submitter.join().unwrap() {
                match block_on(handle) {
                    Ok(value) => assert_eq!(value, number),
                    Err(error) => assert!(
                        error.is_cancelled() || error.is_panic() || error.is_rejected(),
                        "{error}"
                    ),
                }
            }
        }
        joiner.join().unwrap();
        let Place {
            mut pools,
            submitted,
            ..
        } = place;
        let root = pools.swap_remove(0);
        drop(pools);
        settle_all(&root);
        assert_eq!(root.stats().submitted, submitted.load(Relaxed));
    });
}
