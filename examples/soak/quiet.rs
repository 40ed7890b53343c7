//! The checks of a quiet point: nothing is submitted any more, and everything has to be over.

use std::fmt;
use std::sync::atomic::Ordering::SeqCst;

use aiopool::AioPool;

use crate::ALLOCATOR;
use crate::pools::{Pools, Rules, Whole, ended};
use crate::promises::{Promise, Promises};
use crate::runtime::within;
use crate::tasks::PATIENCE;

pub(crate) fn check(pools: &Pools, promises: &Promises, rules: Rules) {
    for whole in &pools.wholes {
        is_idle(whole, promises);
        adds_up(&whole.pool, promises, rules);
        is_alive(&whole.pool, promises);
    }
    let [given, called] = [&pools.callbacks.given, &pools.callbacks.called];
    let (given, called) = (given.load(SeqCst), called.load(SeqCst));
    promises.hold(Promise::Callbacks, given == called, || {
        format!("{called} of {given}")
    });
    let (told, last) = (
        pools.observed.load(SeqCst),
        &pools.wholes[pools.wholes.len() - 1].pool,
    );
    let ends = ended(last.stats());
    promises.hold(Promise::Callbacks, told == ends, || {
        format!("{told} of {ends}, {last:?}")
    });
}

fn is_idle(whole: &Whole, promises: &Promises) {
    let pool = &whole.pool;
    let has_joined = within(PATIENCE, pool.join()).is_some();
    promises.hold(Promise::Settles, has_joined, || {
        format!("join of {pool:?}: {:?}", pool.tasks())
    });
    let is_empty = pool.is_empty() && !pool.is_full() && pool.tasks().is_empty();
    promises.hold(Promise::Counters, is_empty, || {
        format!("{pool:?}: {:?}", pool.tasks())
    });
    promises.hold(Promise::Dropped, pool.groups().is_empty(), || {
        format!("{:?}", pool.groups())
    });
    let alive = whole.census.alive();
    promises.hold(Promise::Dropped, alive == 0, || {
        format!("{alive} of {pool:?}")
    });
}

fn adds_up(pool: &AioPool, promises: &Promises, rules: Rules) {
    let stats = pool.stats();
    let is_right = stats.submitted == ended(stats) && stats.started <= stats.submitted;
    promises.hold(Promise::Counters, is_right, || {
        format!("{stats:?} after {rules:?}")
    });
}

/// A new task runs.
fn is_alive(pool: &AioPool, promises: &Promises) {
    let outcome = within(PATIENCE, pool.exec(async { 1 }));
    let is_right = matches!(outcome, Some(Ok(1)));
    promises.hold(Promise::Settles, is_right, || {
        format!("{outcome:?} in {pool:?}")
    });
}

/// Rounds in which the program itself, the runtime and the pools get the memory that they keep.
const WARM_UP: u64 = 8;

/// How much more than at the end of the warm-up there may be.
const SLACK: usize = 64 * 1024;

/// The memory at the quiet points.
#[derive(Default)]
pub(crate) struct Memory {
    most: usize,
    last: usize,
}

impl Memory {
    pub(crate) fn check(&mut self, promises: &Promises, round: u64) {
        let stats = ALLOCATOR.stats();
        let grown = stats.bytes_allocated - stats.bytes_deallocated;
        self.last = grown;
        if round < WARM_UP {
            self.most = self.most.max(grown);
            return;
        }
        let is_right = grown <= self.most + SLACK;
        let what = || format!("{grown} bytes, after {} at most", self.most);
        promises.hold(Promise::Memory, is_right, what);
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [most, last] = [self.most, self.last].map(|bytes| bytes / 1024);
        write!(
            f,
            "memory at quiet points: {most} KiB at most in the first {WARM_UP} rounds, {last} KiB in the last"
        )
    }
}
