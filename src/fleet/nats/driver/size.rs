//! Tasks that were delivered before the pool became smaller.
//!
//! The server delivers no task for the first time while as many as the size have a lease. But a task has its lease already
//! when it is delivered again, since its worker was lost or has given it back, and while it waits in a worker, since the pool
//! is paused or another task runs alone, or on its way there. When the pool has become smaller meanwhile, it would start
//! beside more tasks than the new size allows. So before such a task starts, the worker asks the server how many tasks have
//! a lease. If those are more than the size, the last tasks of the worker that have not started go behind the others, where they
//! wait without a lease, and the rest wait until there is room.

use std::time::{Duration, Instant};

use super::state::State;
use super::steps::{Delivered, Step};
use super::tasks::{Phase, now_millis};
use crate::fleet::nats::admin::consumer;
use crate::fleet::nats::link::{Link, RETRY_PAUSE};
use crate::fleet::nats::setup::{WORKERS, size_of};

/// Time for which a task may wait here before it is asked again whether the pool is large enough.
const BELIEVED: Duration = Duration::from_millis(500);

/// What the server says about the permits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permits {
    /// Tasks that have a lease.
    taken: usize,
    size: usize,
}

impl Permits {
    /// Returns how many tasks are too many.
    fn excess(self) -> usize {
        self.taken.saturating_sub(self.size)
    }
}

impl State {
    /// Returns `true` if a task that was sent after `sent` was not under way for long. Echoes are not sent more often.
    pub(super) fn is_fresh(&self, sent: Instant, now: Instant) -> bool {
        now.saturating_duration_since(sent) <= self.lease / 5
    }

    /// Returns `true` if the task is known to be within the pool's size.
    pub(super) fn is_within_size(&self, key: u64, now: Instant) -> bool {
        let known = self.tasks.get(&key).map(|task| task.within_size);
        known.is_none_or(|known| {
            known.is_some_and(|at| now.saturating_duration_since(at) <= BELIEVED)
        })
    }

    /// The size may have changed while the tasks that are here wait.
    pub(super) fn forget_sizes(&mut self) {
        let waiting = self
            .tasks
            .values_mut()
            .filter(|task| task.has_not_started());
        waiting.for_each(|task| task.within_size = None);
    }

    /// Asks the server about the permits, if it is time.
    pub(super) fn ask_for_permits(&mut self, now: Instant) {
        if self.next_permits.is_some_and(|at| at <= now) {
            self.next_permits = None;
            let (link, steps) = (self.link.clone(), self.steps.clone());
            tokio::spawn(async move {
                let permits = permits(&link).await;
                let asked = now;
                let _ = steps.send(Step::Permits { asked, permits });
            });
        }
    }

    /// The server has told how many permits are taken, as of a time after `asked`.
    pub(super) fn permits_told(&mut self, asked: Instant, permits: Option<Permits>, now: Instant) {
        let excess = permits.map(Permits::excess);
        if excess == Some(0) {
            self.next_permits = Some(now);
            let waiting = self
                .tasks
                .values_mut()
                .filter(|task| task.has_not_started());
            let counted = waiting.filter(|task| task.arrived <= asked);
            counted.for_each(|task| task.within_size = Some(now));
        } else {
            self.next_permits = Some(now + RETRY_PAUSE);
            let last: Vec<u64> = self
                .admission
                .held()
                .rev()
                .take(excess.unwrap_or(0))
                .collect();
            last.into_iter().for_each(|key| self.put_behind(key));
        }
    }

    /// Puts a task that has not started behind the others, without a lease.
    fn put_behind(&mut self, key: u64) {
        self.admission.withdraw(key);
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        task.phase = Phase::Resubmitting;
        let next = task.envelope.moved(task.origin, task.starts, now_millis());
        let arguments = std::mem::take(&mut task.arguments);
        let delivered = Delivered::of(key, task, &self.link);
        self.help(key, delivered.go_on_as(next, arguments));
    }
}

async fn permits(link: &Link) -> Option<Permits> {
    let info = consumer(link, &link.names.work_stream(), WORKERS)
        .await
        .ok()?;
    Some(Permits {
        taken: info.num_ack_pending,
        size: size_of(info.config.max_ack_pending),
    })
}
