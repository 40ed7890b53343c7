use std::sync::Arc;
use std::task::Context;

use super::completion::Ended;
use crate::budget::{Budget, Pace};
use crate::coop;
use crate::pool::{AioPool, ResizeListener};

/// The limit on the results that a stream has pulled items for and not given.
///
/// Unless the limit is fixed, it follows the number of tasks that the pool can run, with the groups and pools around
/// it.
pub(super) struct Ahead {
    fixed: Option<usize>,
    /// The limit that was last found, with the number of resizes at that time.
    seen: Option<(u64, usize)>,
    listener: Option<ResizeListener>,
}

/// Number of items that are pulled beyond what the pool can run. Their tasks can start while the reader is not polled.
const SPARE: usize = 16;

/// The limit where neither the pool nor a pool around it has a size.
const WITHOUT_BOUND: usize = 1024;

impl Ahead {
    pub(super) fn new() -> Self {
        Self {
            fixed: None,
            seen: None,
            listener: None,
        }
    }

    pub(super) fn fix(&mut self, items: usize) {
        self.fixed = Some(items);
        self.listener = None;
    }

    pub(super) fn limit(&mut self, pool: &AioPool, reader: &Arc<Ended>) -> usize {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        // The listener comes before the look at the sizes. Otherwise a resize between the two would wake no reader.
        self.listener
            .get_or_insert_with(|| pool.on_resize(reader.clone()));
        let resizes = pool.resizes();
        match self.seen {
            Some((then, limit)) if then == resizes => limit,
            _ => self.look(pool, resizes),
        }
    }

    fn look(&mut self, pool: &AioPool, resizes: u64) -> usize {
        let limit = match pool.capacity() {
            AioPool::UNBOUNDED => WITHOUT_BOUND,
            capacity => capacity.saturating_add(SPARE),
        };
        self.seen = Some((resizes, limit));
        limit
    }
}

/// Limits the items that one poll pulls, so that other tasks on the thread get their turn.
pub(super) struct Pull {
    has_pulled: bool,
    budget: Budget,
}

/// Maximum number of items that are pulled in one poll.
const ITEMS_IN_A_POLL: u32 = 32;

impl Pull {
    pub(super) fn new(cx: &Context<'_>) -> Self {
        Self {
            has_pulled: false,
            budget: coop::steps(ITEMS_IN_A_POLL, cx),
        }
    }

    /// Returns `true` if no more items are to be pulled in this poll. Otherwise the caller pulls one.
    pub(super) fn is_over(&mut self) -> bool {
        let has_pulled = std::mem::replace(&mut self.has_pulled, true);
        has_pulled && !self.budget.spend(&mut Pace::Short)
    }
}

/// How far the input has been pulled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    /// Until its end.
    All,
    /// Until the input has no item for now, or no more items are wanted.
    Enough,
    /// Until the poll had taken long enough. There may be more items.
    Some,
}
