use std::task::{Context, Poll};

use super::ahead::{Ahead, Pulled};
use super::completion::Completion;
use crate::pool::AioPool;
use crate::task::JoinError;

/// The part of a stream of results that deals with the pool: its tasks, and when the next may be submitted.
pub(super) struct Flow<T> {
    pool: AioPool,
    tasks: Completion<T>,
    ahead: Ahead,
}

impl<T> Flow<T> {
    pub(super) fn new(pool: &AioPool, shrink: usize) -> Self {
        Self {
            pool: pool.clone(),
            tasks: Completion::new(pool),
            ahead: Ahead::new(shrink),
        }
    }

    pub(super) fn pool(&self) -> &AioPool {
        &self.pool
    }

    pub(super) fn unread(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn fix(&mut self, items: usize) {
        self.ahead.fix(items);
    }

    /// Gives the results in the order of the items from now on.
    pub(super) fn put_in_order(&mut self) {
        self.tasks.put_in_order();
    }

    /// Returns `true` if an item is wanted. The task of an item that is pulled then is not refused for want of room.
    pub(super) fn wants_item(&mut self) -> bool {
        let limit = self.ahead.limit(&self.pool, self.tasks.reader());
        if self.tasks.len() >= limit {
            self.pool.expect_tasks();
            return false;
        }
        self.tasks.finds_room(&self.pool)
    }

    pub(super) fn spawn<F>(&mut self, future: F)
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        self.tasks.spawn(&self.pool, future);
    }

    /// Polls for the next result. `pulled` says how far the input has been pulled.
    pub(super) fn poll_result(
        &mut self,
        cx: &mut Context<'_>,
        pulled: Pulled,
    ) -> Poll<Option<Result<T, JoinError>>> {
        let next = match self.tasks.poll_next(cx) {
            Poll::Ready(None) if pulled != Pulled::All => Poll::Pending,
            next => next,
        };
        if next.is_pending() && pulled == Pulled::Some {
            cx.waker().wake_by_ref();
        }
        next
    }
}
