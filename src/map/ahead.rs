use std::sync::Arc;
use std::task::Context;

use super::completion::Ended;
use crate::budget::{Budget, Pace};
use crate::coop;
use crate::pool::{AioPool, ResizeListener};

/// How many results a stream may have pulled and not given.
///
/// Unless it is fixed, that follows what the pool can run, with the groups and pools around it.
pub(super) struct Ahead {
    fixed: Option<usize>,
    /// How many more than the pool can run.
    shrink: usize,
    /// By the sizes that were there after so many resizes.
    seen: Option<(u64, usize)>,
    listener: Option<ResizeListener>,
}

/// As far is read ahead where no pool on the way has a size.
const WITHOUT_BOUND: usize = 1024;

impl Ahead {
    pub(super) fn new(shrink: usize) -> Self {
        Self {
            fixed: None,
            shrink,
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
        // Before the look at the sizes, so that no change goes by unseen.
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
            capacity => capacity.saturating_add(self.shrink),
        };
        self.seen = Some((resizes, limit));
        limit
    }
}

/// Says when a poll has pulled enough, so that others on the thread have their turn.
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

    /// Returns whether no more items are to be pulled in this poll. Otherwise one is about to be.
    pub(super) fn is_over(&mut self) -> bool {
        let has_pulled = std::mem::replace(&mut self.has_pulled, true);
        has_pulled && !self.budget.spend(&mut Pace::Short)
    }
}

/// How far the input has been pulled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    /// To its end.
    All,
    /// Until it has nothing more for now, or nothing more is wanted.
    Enough,
    /// Until the poll had gone on for long enough.
    Some,
}
