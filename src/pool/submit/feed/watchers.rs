use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::pool::progress::Until;
use crate::wakes::wake;

/// The wakers of the streams that watch the progress of one feed.
///
/// A waker that is called is taken out.
#[derive(Default)]
pub(super) struct Watchers {
    next: u64,
    until_change: BTreeMap<u64, Waker>,
    until_over: BTreeMap<u64, Waker>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct WatcherKey(u64);

impl Watchers {
    pub(super) fn add(&mut self, until: Until, waker: Waker) -> WatcherKey {
        self.next += 1;
        let wakers = match until {
            Until::Change => &mut self.until_change,
            Until::Idle | Until::Over => &mut self.until_over,
        };
        wakers.insert(self.next, waker);
        WatcherKey(self.next)
    }

    pub(super) fn remove(&mut self, key: Option<WatcherKey>) -> Option<Waker> {
        let WatcherKey(key) = key?;
        let removed = self.until_change.remove(&key);
        removed.or_else(|| self.until_over.remove(&key))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.until_change.is_empty() && self.until_over.is_empty()
    }

    /// Takes out the wakers that a change calls, and those that the end of the feed calls if it `is_over`. Returns one
    /// waker that calls them all, and `other` too.
    #[inline(never)]
    pub(super) fn take(&mut self, is_over: bool, other: Option<Waker>) -> Option<Waker> {
        let mut wakers: Vec<Waker> = other.into_iter().collect();
        wakers.extend(std::mem::take(&mut self.until_change).into_values());
        if is_over {
            wakers.extend(std::mem::take(&mut self.until_over).into_values());
        }
        match wakers.len() {
            0 | 1 => wakers.pop(),
            _ => Some(Waker::from(Arc::new(All(wakers)))),
        }
    }
}

/// Wakers that one waker calls.
struct All(Vec<Waker>);

impl Wake for All {
    fn wake(self: Arc<Self>) {
        self.0.iter().for_each(|waker| wake(Some(waker.clone())));
    }
}
