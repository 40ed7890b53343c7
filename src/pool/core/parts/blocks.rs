use std::sync::Arc;

use crate::sync::atomic::AtomicBool;
use crate::sync::atomic::Ordering::Relaxed;

/// When a task wants to run where it may block.
#[derive(Clone, Debug)]
pub(crate) enum Blocks {
    AtFirstPoll,
    /// Whenever this is set. The future of the task sets it and returns `Pending`, without leaving a waker.
    // `Relaxed`: only the thread that has just polled the future reads it.
    WhenSet(Arc<AtomicBool>),
    NoMore,
}

impl Blocks {
    /// Lets a task run where it may block whenever the returned flag is set, besides what it does already.
    pub(crate) fn on_demand(blocks: &mut Option<Self>) -> Arc<AtomicBool> {
        if let Some(Self::WhenSet(wants)) = blocks {
            return wants.clone();
        }
        let at_first = matches!(blocks, Some(Self::AtFirstPoll));
        let wants = Arc::new(AtomicBool::new(at_first));
        *blocks = Some(Self::WhenSet(wants.clone()));
        wants
    }

    /// Returns `true` if the task wants to run where it may block. It is taken there then.
    pub(crate) fn take(&mut self) -> bool {
        match self {
            Self::WhenSet(wants) => wants.swap(false, Relaxed),
            _ => matches!(std::mem::replace(self, Self::NoMore), Self::AtFirstPoll),
        }
    }

    /// Undoes a [`take`](Self::take): the task is to be taken to a thread at its next poll.
    pub(crate) fn put_back(&mut self) {
        match self {
            Self::WhenSet(wants) => wants.store(true, Relaxed),
            _ => *self = Self::AtFirstPoll,
        }
    }
}
