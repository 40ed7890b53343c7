use std::sync::Arc;
use std::task::{Context, Poll};

use crate::observe::Ended;
use crate::pool::core::wait_limit::WaitLimit;
use crate::pool::core::watch::Watch;
use crate::pool::submit::limit::Limit;
use crate::pool::submit::options::{Callback, Identity};
use crate::pool::submit::stop_signal::Unwatch;
use crate::task::{End, Extras, Start, TaskId, TaskLabel};
use crate::unwind::{discard, shielded};
use crate::wakes::Wakes;

/// What a task has beyond its future, in the same allocation.
#[derive(Default)]
pub(crate) struct TaskExtras {
    pub(crate) start: Start,
    pub(crate) has_begun: bool,
    // Boxed, so that most tasks do not carry the size of these two.
    /// `None` unless the observer of the pool hears of the task.
    pub(crate) watch: Option<Box<Watch>>,
    pub(crate) more: Option<Box<More>>,
}

/// The options of a task that its worker has to know.
pub(crate) struct More {
    pub(crate) label: Arc<TaskLabel>,
    pub(crate) run_limit: Option<Limit>,
    /// The time begins when the task is asked to stop.
    pub(crate) grace: Option<Limit>,
    pub(crate) wait: Option<Arc<WaitLimit>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) unwatch: Option<Unwatch>,
    pub(crate) on_cancel: Option<Callback>,
    pub(crate) on_end: Option<Callback>,
}

impl TaskExtras {
    /// Returns the limit on the time that the task may wait.
    pub(crate) fn wait(&self) -> Option<&Arc<WaitLimit>> {
        self.more.as_ref()?.wait.as_ref()
    }
}

impl Extras for TaskExtras {
    #[inline]
    fn admitted(&self, wakes: &mut Wakes) -> Start {
        if let Some(watch) = &self.watch {
            watch.admit();
        }
        if let Some(wait) = self.wait() {
            wait.end(wakes);
        }
        self.start
    }

    #[inline]
    fn begin(&mut self, id: TaskId) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        if let Some(watch) = &self.watch {
            watch.start(id);
        }
        if let Some(more) = &mut self.more {
            more.begin(id);
        }
    }

    #[inline]
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(more) = &mut self.more else {
            return Poll::Pending;
        };
        let limit = more.run_limit.as_mut();
        limit.map_or(Poll::Pending, |limit| {
            limit.poll(&**more.label.pool_ref(), cx)
        })
    }

    fn has_grace(&mut self) -> bool {
        let Some(more) = &mut self.more else {
            return false;
        };
        let grace = more.grace.as_mut();
        grace
            .map(|grace| grace.begin(&**more.label.pool_ref()))
            .is_some()
    }

    fn poll_grace(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(more) = &mut self.more else {
            return Poll::Ready(());
        };
        let Some(limit) = &mut more.grace else {
            return Poll::Ready(());
        };
        let over = limit.poll(&**more.label.pool_ref(), cx);
        if over.is_ready() {
            // A sleep that has ended is not polled again.
            more.grace = None;
        }
        over
    }

    #[inline]
    fn poll<R>(&self, id: TaskId, poll: impl FnOnce() -> R) -> R {
        match &self.watch {
            Some(watch) => watch.poll(id, poll),
            None => poll(),
        }
    }

    fn lends(&self, id: TaskId) {
        if let Some(watch) = &self.watch {
            watch.lend(id);
        }
    }

    #[inline]
    fn drop_future(&self, id: TaskId, drop: impl FnOnce()) {
        match &self.watch {
            Some(watch) => watch.drop_future(id, drop),
            None => drop(),
        }
    }

    #[inline]
    fn ended(self, id: TaskId, end: End) {
        if let Some(more) = self.more {
            more.end(id, end);
        }
        if let Some(watch) = &self.watch {
            watch.end(id, Ended::from(end));
        }
    }
}

impl More {
    /// Prepares the first poll of the task.
    fn begin(&mut self, id: TaskId) {
        if let Some(identity) = &self.identity {
            identity.get_or_init(|| (id, self.label.clone()));
        }
        if let Some(limit) = &mut self.run_limit {
            limit.begin(&**self.label.pool_ref());
        }
    }

    fn end(self, id: TaskId, end: End) {
        if let Some(wait) = &self.wait {
            let mut wakes = Wakes::default();
            wait.end(&mut wakes);
            wakes.wake();
        }
        if let Some(unwatch) = self.unwatch {
            shielded(|| unwatch.abort());
        }
        match (self.on_cancel, end) {
            (Some(on_cancel), End::Cancelled) => shielded(|| on_cancel(id)),
            (uncalled, _) => discard(uncalled),
        }
        if let Some(on_end) = self.on_end {
            shielded(|| on_end(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_few_tasks_have_costs_the_others_little() {
        assert_eq!(size_of::<TaskExtras>(), 24);
    }
}
