use std::cell::Cell;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::clock::WaitLimit;
use super::limit::Limit;
use super::options::{Callback, Identity};
use super::rate::Token;
use super::record::Times;
use super::watch::Watch;
use crate::observe::Ended;
use crate::task::{End, Extras, Origin, Start, TaskId};
use crate::unwind::{discard, shielded};
use crate::wakes::Wakes;

/// What a task carries beyond its future, in the same allocation.
#[derive(Default)]
pub(super) struct TaskExtras {
    pub(super) start: Start,
    /// `None` for a task that is its future alone, and after the task's end.
    pub(super) more: Option<More>,
}

/// The options of a task, as its worker needs them.
pub(super) struct More {
    pub(super) run_limit: Option<Limit>,
    pub(super) wait: Option<Arc<WaitLimit>>,
    /// In a pool with a rate.
    pub(super) token: Option<Token>,
    pub(super) label: Arc<Origin>,
    pub(super) times: Cell<Times>,
    pub(super) identity: Option<Identity>,
    pub(super) begun: bool,
    pub(super) rare: Option<Box<Rare>>,
}

/// The options of few tasks, so that the others do not carry their size.
#[derive(Default)]
pub(super) struct Rare {
    /// Begins when the task is asked to stop.
    pub(super) grace: Option<Limit>,
    pub(super) on_cancel: Option<Callback>,
    pub(super) on_end: Option<Callback>,
    pub(super) watch: Option<Watch>,
}

impl Extras for TaskExtras {
    fn admitted(&self, wakes: &mut Wakes) -> Start {
        if let Some(more) = &self.more {
            more.admitted(wakes);
        }
        self.start
    }

    fn begin(&mut self, id: TaskId) {
        let Some(more) = &mut self.more else { return };
        if let Some(token) = &mut more.token {
            token.begin();
        }
        if !std::mem::replace(&mut more.begun, true) {
            more.begin(id);
        }
    }

    fn polled(&mut self) {
        let token = self.more.as_mut().and_then(|more| more.token.as_mut());
        if let Some(token) = token {
            token.end();
        }
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(More {
            run_limit: Some(limit),
            label,
            ..
        }) = &mut self.more
        else {
            return Poll::Pending;
        };
        limit.poll(&*label.keeper, cx)
    }

    fn has_grace(&mut self) -> bool {
        let rare = self.more.as_mut().and_then(|more| more.rare.as_mut());
        let grace = rare.and_then(|rare| rare.grace.as_mut());
        grace.map(Limit::begin).is_some()
    }

    fn poll_grace(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(more) = &mut self.more else {
            return Poll::Ready(());
        };
        let grace = more.rare.as_mut().and_then(|rare| rare.grace.as_mut());
        let over = grace.map_or(Poll::Ready(()), |grace| grace.poll(&*more.label.keeper, cx));
        if let (Poll::Ready(()), Some(rare)) = (over, &mut more.rare) {
            rare.grace = None;
        }
        over
    }

    fn ended(self, id: TaskId, end: End) {
        if let Some(more) = self.more {
            more.end(id, end);
        }
    }
}

impl More {
    pub(super) fn watch(&self) -> Option<&Watch> {
        self.rare.as_ref()?.watch.as_ref()
    }

    /// The task has got its permit.
    pub(super) fn admitted(&self, wakes: &mut Wakes) {
        let mut times = self.times.get();
        times.start();
        self.times.set(times);
        if let Some(watch) = self.watch() {
            watch.admit();
        }
        if let Some(wait) = &self.wait {
            wait.end(wakes);
        }
        if let Some(token) = &self.token {
            token.give();
        }
    }

    pub(super) fn begin(&mut self, id: TaskId) {
        if let Some(identity) = &self.identity {
            identity.get_or_init(|| (id, self.label.clone()));
        }
        if let Some(watch) = self.watch() {
            watch.start(id, self.times.get());
        }
        if let Some(limit) = &mut self.run_limit {
            limit.begin();
        }
    }

    pub(super) fn end(self, id: TaskId, end: End) {
        if let Some(wait) = &self.wait {
            let mut wakes = Wakes::default();
            wait.end(&mut wakes);
            wakes.wake();
        }
        drop(self.token);
        if let Some(rare) = self.rare {
            rare.end(id, end, self.times.get());
        }
    }
}

impl Rare {
    fn is_empty(&self) -> bool {
        let callbacks = [&self.on_cancel, &self.on_end];
        callbacks.into_iter().all(Option::is_none) && self.grace.is_none() && self.watch.is_none()
    }

    pub(super) fn boxed(self) -> Option<Box<Self>> {
        (!self.is_empty()).then(|| Box::new(self))
    }

    fn end(self, id: TaskId, end: End, times: Times) {
        match (self.on_cancel, end) {
            (Some(on_cancel), End::Cancelled) => shielded(|| on_cancel(id)),
            (uncalled, _) => discard(uncalled),
        }
        if let Some(on_end) = self.on_end {
            shielded(|| on_end(id));
        }
        if let Some(watch) = &self.watch {
            watch.end(id, times, Ended::from(end));
        }
    }
}
