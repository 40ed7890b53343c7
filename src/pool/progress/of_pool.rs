use std::task::Waker;

use super::{Progress, ProgressStream, Seen, Until, Watched};
use crate::gate::NodeId;
use crate::pool::core::state::State;
use crate::pool::lifecycle::waiters::{Asker, Goal, Waiters};
use crate::pool::{AioPool, Core};
use crate::unwind::discard;

impl AioPool {
    /// Watches how far the pool has come: a stream of the counts of its tasks, for a progress bar or a log.
    ///
    /// The counts are those of the pool since it was made, or of the group, as in [`stats`](Self::stats), which returns
    /// more of them for one moment. [`ProgressStream`] says when there is an item, and when the stream ends. Tasks pay
    /// nothing for a stream that nobody has opened.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let mut progress = pool.progress().total(1_000);
    /// pool.map_n(0..1_000, |n: u64| async move { n * n });
    /// let mut last = None;
    /// while let Some(now) = progress.next().await {
    ///     println!("{} of 1000, {} active", now.done, now.active);
    ///     last = Some(now.done);
    /// }
    /// assert_eq!(last, Some(1_000));
    /// # });
    /// ```
    pub fn progress(&self) -> ProgressStream {
        ProgressStream::new(OfPool {
            pool: self.clone(),
            left: None,
        })
    }
}

/// The progress of a pool or a group.
struct OfPool {
    pool: AioPool,
    /// Where the waker of the stream was left in the `waiters` of the node.
    left: Option<(Goal, u64)>,
}

impl Watched for OfPool {
    fn core(&self) -> &Core {
        self.pool.core()
    }

    fn look(&mut self, waker: Waker, decide: &mut dyn FnMut(Seen) -> Option<Until>) {
        let Self { pool, left } = self;
        let mut state = pool.core().lock();
        let seen = state.see(pool.node());
        let waiters = &mut state.gate.data_mut(pool.node()).waiters;
        let stale = take_back(waiters, left);
        let unused = match decide(seen) {
            Some(until) => {
                let goal = Goal::from(until);
                *left = Some((goal, waiters.add(goal, waker, None)));
                None
            }
            None => Some(waker),
        };
        drop(state);
        discard((stale, unused));
    }
}

impl Drop for OfPool {
    fn drop(&mut self) {
        let Self { pool, left } = self;
        if left.is_some() {
            let mut state = pool.core().lock();
            let stale = take_back(&mut state.gate.data_mut(pool.node()).waiters, left);
            drop(state);
            discard(stale);
        }
    }
}

/// Takes a waker out again, unless it has been woken. The caller drops it when nothing is locked.
fn take_back(waiters: &mut Waiters, left: &mut Option<(Goal, u64)>) -> Option<Waker> {
    let (goal, key) = left.take()?;
    waiters.remove(goal, key).map(|(waker, _)| waker)
}

impl State {
    fn see(&self, node: NodeId) -> Seen {
        let stats = &self.gate.data(node).stats;
        let failed = stats.panicked + stats.timed_out + stats.rejected;
        let now = Progress {
            done: stats.completed + stats.cancelled + failed,
            failed,
            active: self.gate.active(node),
            waiting: self.gate.waiting(node) + self.gate.lent(node),
            total: None,
        };
        let is_over = Goal::Drained.is_reached(self.now(node), Asker::Outside);
        Seen { now, is_over }
    }
}

impl From<Until> for Goal {
    fn from(until: Until) -> Self {
        match until {
            Until::Change => Self::Change,
            Until::Idle => Self::Idle,
            Until::Over => Self::Drained,
        }
    }
}
