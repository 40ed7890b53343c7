//! Order: tasks of one thread, in a pool where one runs at a time, start by priority and then by age.

use std::sync::{Arc, Mutex};

use aiopool::{AioPool, JoinHandle};
use futures::executor::block_on;

use crate::promises::{Promise, Promises};
use crate::random::Random;
use crate::runtime::Runtime;

pub(crate) fn check(runtime: &Runtime, promises: &Promises, seed: u64, goes_on: &dyn Fn() -> bool) {
    let mut random = Random::new(seed);
    let pool = runtime.builder().size(4).build().expect("it has a size");
    while goes_on() {
        let line = pool.keyed("line", 1);
        while_paused(&line, promises, &mut random);
        while_running(&line, promises, &mut random);
    }
}

/// The tasks that have started, in this order.
#[derive(Clone, Default)]
struct Started(Arc<Mutex<Vec<usize>>>);

impl Started {
    fn task(&self, index: usize) -> impl Future<Output = ()> + Send + use<> {
        let started = self.clone();
        async move { started.0.lock().unwrap().push(index) }
    }
}

/// All wait before the first one starts, some are aborted, and the order of the others is known in full.
fn while_paused(line: &AioPool, promises: &Promises, random: &mut Random) {
    let started = Started::default();
    line.pause();
    let submit = |index| {
        let priority = random.below(5) as i32 - 2;
        let task = line.task(started.task(index)).priority(priority).spawn_n();
        (priority, index, task)
    };
    let mut tasks: Vec<(i32, usize, JoinHandle<()>)> = (0..200).map(submit).collect();
    for _ in 0..40 {
        let (.., aborted) = tasks.swap_remove(random.below(tasks.len() as u64) as usize);
        let is_new = aborted.abort();
        promises.hold(Promise::Outcome, is_new, || {
            "a waiting task was not aborted".to_owned()
        });
    }
    line.resume();
    tasks.sort_by_key(|(priority, index, _)| (-priority, *index));
    let expected: Vec<usize> = tasks.iter().map(|(_, index, _)| *index).collect();
    for (.., task) in tasks {
        _ = block_on(task);
    }
    compare(&expected, &started, promises);
}

/// They start while others are submitted, in every way that there is, so that only their age decides.
fn while_running(line: &AioPool, promises: &Promises, random: &mut Random) {
    let started = Started::default();
    for index in 0..200 {
        match random.below(4) {
            0 => _ = block_on(line.spawn(started.task(index))),
            1 => _ = block_on(line.exec(started.task(index))),
            2 => {
                line.feed([index], {
                    let started = started.clone();
                    move |index| started.task(index)
                });
            }
            _ => _ = line.spawn_n(started.task(index)),
        }
    }
    block_on(line.join());
    compare(&(0..200).collect::<Vec<_>>(), &started, promises);
}

fn compare(expected: &[usize], started: &Started, promises: &Promises) {
    let started = started.0.lock().unwrap();
    promises.hold(Promise::Order, *started == expected, || {
        format!("{started:?}, and not {expected:?}")
    });
}
