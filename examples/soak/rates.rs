//! Rates: no interval sees a start too many, of a group, of its pool, and of `throttle`.
//!
//! A start is somewhere between two times: those before and after the poll in which `throttle` was ready. A task is late
//! where the system holds its thread up after the pool has counted its start, and before it can note the time: within an
//! interval, that is at most one task of each thread of the runtime.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use aiopool::AioPool;
use futures::executor::block_on;

use crate::promises::{Promise, Promises};
use crate::random::Random;
use crate::runtime::Runtime;

/// When the starts of one rate were.
#[derive(Clone)]
struct Times {
    starts: u32,
    per: Duration,
    times: Arc<Mutex<Vec<(Instant, Instant)>>>,
}

impl Times {
    fn random(random: &mut Random, most: u64) -> Self {
        Self {
            starts: 1 + random.below(most) as u32,
            per: Duration::from_millis(1 + random.below(20)),
            times: Arc::default(),
        }
    }

    fn note(&self, between: (Instant, Instant)) {
        self.times.lock().unwrap().push(between);
    }

    fn check(&self, promises: &Promises) {
        let mut times = self.times.lock().unwrap();
        times.sort();
        for window in times.windows(self.starts as usize + threads() + 1) {
            // The last of them may be one that began earlier than others, and took longer.
            let earliest = window.iter().map(|(before, _)| *before).min();
            let latest = window.iter().map(|(_, after)| *after).max();
            let apart = latest
                .zip(earliest)
                .map(|(latest, earliest)| latest - earliest);
            let apart = apart.unwrap_or_default();
            promises.hold(Promise::Rate, apart >= self.per, || {
                format!(
                    "{} starts within {apart:?}, and not {:?}",
                    window.len(),
                    self.per
                )
            });
        }
    }
}

/// The threads of the runtime.
fn threads() -> usize {
    available_parallelism().map_or(2, |threads| threads.get().max(2))
}

pub(crate) fn check(runtime: &Runtime, promises: &Promises, seed: u64, goes_on: &dyn Fn() -> bool) {
    let mut random = Random::new(seed);
    while goes_on() {
        let of_pool = Times::random(&mut random, 60);
        let of_group = Times::random(&mut random, 30);
        let builder = runtime.builder().size(1 + random.below(8) as usize);
        let builder = builder
            .rate(of_pool.starts, of_pool.per)
            .spread(random.once_in(3));
        let pool = builder.build().expect("its rate is right");
        let group = pool.group_with("group", |group| group.rate(of_group.starts, of_group.per));
        let group = group.expect("its rate is right");
        for n in 0..120 {
            let in_group = random.once_in(2);
            let times = [Some(&of_pool), in_group.then_some(&of_group)];
            let times: Vec<Times> = times.into_iter().flatten().cloned().collect();
            let place = if in_group { &group } else { &pool };
            _ = place.spawn_n(start(place.clone(), times, n % 7 == 0));
        }
        block_on(pool.join());
        of_pool.check(promises);
        of_group.check(promises);
    }
}

/// Notes its start, and perhaps one more.
async fn start(place: AioPool, times: Vec<Times>, again: bool) {
    let now = Instant::now();
    times.iter().for_each(|times| times.note((now, now)));
    if again {
        let mut throttle = pin!(place.throttle());
        let between = poll_fn(|cx| {
            let before = Instant::now();
            throttle
                .as_mut()
                .poll(cx)
                .map(|()| (before, Instant::now()))
        });
        let between = between.await;
        times.iter().for_each(|times| times.note(between));
    }
}
