use std::task::Waker;

use super::Progress;
use crate::pool::Core;

/// What a [`ProgressStream`](super::ProgressStream) reads.
///
/// Dropping it takes its waker back.
pub(in crate::pool) trait Watched: Send + Sync {
    fn core(&self) -> &Core;

    /// Takes back the waker of the last call, reads the counts, and calls `decide` with them. If that returns what to
    /// wait for, leaves `waker` there, and does it under the same lock, so that no change is missed.
    fn look(&mut self, waker: Waker, decide: &mut dyn FnMut(Seen) -> Option<Until>);
}

/// What a stream has read.
#[derive(Clone, Copy, Debug)]
pub(in crate::pool) struct Seen {
    pub(in crate::pool) now: Progress,
    /// `true` if nothing more can come.
    pub(in crate::pool) is_over: bool,
}

/// What a stream waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::pool) enum Until {
    /// Any change.
    Change,
    /// No task is active or waiting.
    Idle,
    /// Nothing more can come.
    Over,
}
