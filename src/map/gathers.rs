use std::task::{Context, Poll};

use futures_core::FusedStream;

use crate::task::JoinError;

/// A stream of results that also holds the results of its next batch.
pub trait Gathers: FusedStream<Item = Result<Self::Value, JoinError>> + Unpin {
    /// The value of a task.
    type Value;

    /// Polls for the next result. Does not spend the budget of the thread.
    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// Returns the results that wait for the rest of their batch.
    fn gathered(&mut self) -> &mut Vec<Self::Item>;

    /// Returns the number of these results.
    fn gathered_len(&self) -> usize;
}
