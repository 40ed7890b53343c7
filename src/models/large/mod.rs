//! Programs that are too large to be tried in every order: many tasks, groups, and several threads that choose at random
//! what they do.

#[cfg(feature = "control")]
mod control;
mod ends;
mod feeds;
mod fifo;
mod in_place;
mod mixed;
mod nested;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::settle;
use crate::AioPool;

/// Counts what runs at the same time, and asserts that this is never more than allowed.
#[derive(Clone)]
struct Meter {
    // Of std: an atomic of shuttle would only add steps that threads can be interrupted at.
    running: Arc<AtomicUsize>,
    most: usize,
}

/// Dropped when what it counts has ended.
struct Running(Meter);

impl Meter {
    fn new(most: usize) -> Self {
        let running = Arc::default();
        Self { running, most }
    }

    #[must_use = "it counts until it is dropped"]
    fn enter(&self) -> Running {
        let before = self.running.fetch_add(1, Relaxed);
        assert!(before < self.most, "no more run than there are permits");
        Running(self.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// Ends a task by a panic, without the message, which the panic hook would write for each order.
fn panic_silently() {
    resume_unwind(Box::new("on purpose"));
}

/// Waits until the pool is idle. Asserts that its counters add up, that every permit is there, and that no group is
/// left.
fn settle_all(pool: &AioPool) {
    settle(pool);
    let permits: Vec<_> = (0..pool.size()).map(|_| pool.try_acquire()).collect();
    assert!(permits.iter().all(Option::is_some), "no permit is lost");
    assert!(pool.try_acquire().is_none(), "no permit is there twice");
    drop(permits);
    assert!(pool.is_empty());
    assert!(pool.groups().is_empty());
}
