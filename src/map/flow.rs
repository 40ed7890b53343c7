use std::task::{Context, Poll};

use super::ahead::{Ahead, Pull, Pulled};
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
    pub(super) fn new(pool: &AioPool) -> Self {
        Self {
            pool: pool.clone(),
            tasks: Completion::new(pool),
            ahead: Ahead::new(),
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

    /// Pulls futures and submits them, up to the limit of unread results and the limit of one poll.
    ///
    /// `next` makes a future of the next item. It returns `None` when the input has ended, and is not called again.
    pub(super) fn pull<F>(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<F>>,
    ) -> Pulled
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let mut pull = Pull::new(cx);
        loop {
            if !self.wants_item() {
                return Pulled::Enough;
            }
            if pull.is_over() {
                return Pulled::Some;
            }
            match next(cx) {
                Poll::Ready(Some(future)) => self.tasks.spawn(&self.pool, future),
                Poll::Ready(None) => return Pulled::All,
                Poll::Pending => return Pulled::Enough,
            }
        }
    }

    /// Returns `true` if an item is wanted. The task of an item that is pulled then is not refused for want of room.
    fn wants_item(&mut self) -> bool {
        let limit = self.ahead.limit(&self.pool, self.tasks.reader());
        if self.tasks.len() >= limit {
            self.pool.expect_tasks();
            return false;
        }
        self.tasks.finds_room(&self.pool)
    }

    /// Returns the bounds on the number of results that are still to come, if the input has this many items left.
    pub(super) fn results_left(
        &self,
        (least, most): (usize, Option<usize>),
    ) -> (usize, Option<usize>) {
        let unread = self.unread();
        let most = most.and_then(|most| most.checked_add(unread));
        (least.saturating_add(unread), most)
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
