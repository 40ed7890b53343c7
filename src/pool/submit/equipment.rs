use std::sync::Arc;
use std::time::Duration;

use crate::gate::Demand;
use crate::observe::{Observed, Subject, Watcher};
use crate::pool::AioPool;
use crate::pool::core::order::{Order, Patience};
use crate::pool::core::parts::record::{TaskRecord, Times};
use crate::pool::core::watch::Watch;
use crate::pool::submit::extras::{More, TaskExtras};
use crate::pool::submit::limit::Limit;
use crate::pool::submit::options::TaskOptions;
use crate::task::TaskLabel;

/// What a task with options is made of, beyond its future.
pub(crate) struct Equipment {
    /// What the pool has to know.
    pub(crate) order: Order,
    /// What the task carries, for its worker.
    pub(crate) extras: TaskExtras,
}

/// Makes a watch, out of the way of the tasks without one.
#[inline(never)]
fn boxed(watch: impl FnOnce() -> Watch) -> Box<Watch> {
    Box::new(watch())
}

impl AioPool {
    /// Converts the options of a task to what the task, its handles and the pool need.
    #[track_caller]
    pub(crate) fn equip(
        &self,
        options: TaskOptions,
        watch: impl FnOnce(Arc<Observed>) -> Watch,
    ) -> Equipment {
        let settings = &self.core().settings;
        // Found before the observers are told: a missing runtime is a mistake of the caller, and they go by its clock.
        self.core().spawner();
        let concern_the_worker = options.concern_the_worker();
        let has_own_label = options.name.is_some() || options.tag.is_some();
        let own = has_own_label.then(|| Arc::new(self.inner.label.own(options.name, options.tag)));
        let label = own.as_ref().unwrap_or(&self.inner.label).clone();
        let watch = settings.heard_by().map(|watcher| {
            let is_bare = own.is_none() && options.demand == Demand::DEFAULT;
            let observed = if is_bare {
                self.bare_observed(watcher)
            } else {
                self.observed(watcher, &label, options.demand)
            };
            boxed(|| watch(observed))
        });
        let more = || More {
            label: label.clone(),
            run_limit: options.run_limit.map(|limit| self.limit(limit)),
            grace: options.grace.map(|grace| self.limit(grace)),
            wait: options.wait_limit.map(|wait| self.core().wait_limit(wait)),
            identity: options.identity,
            unwatch: options.unwatch,
            on_cancel: options.on_cancel,
            on_end: options.on_end,
        };
        let extras = TaskExtras {
            watch,
            more: concern_the_worker.then(|| Box::new(more())),
            ..TaskExtras::default()
        };
        let record = TaskRecord {
            label: own,
            times: self.core().moment().map(Times::new),
            runtime: None,
        };
        let order = Order {
            home: self.node(),
            demand: options.demand,
            record: (!record.is_empty()).then_some(record),
            blocks: options.blocks,
            patience: Patience::Park,
            label,
        };
        Equipment { order, extras }
    }

    /// Returns what the tasks of this pool without a name, a tag, a priority and a weight are for observers.
    pub(crate) fn bare_observed(&self, watcher: &Arc<Watcher>) -> Arc<Observed> {
        let (label, observed) = (&self.inner.label, &self.inner.observed);
        observed
            .get_or_init(|| self.observed(watcher, label, Demand::DEFAULT))
            .clone()
    }

    fn observed(
        &self,
        watcher: &Arc<Watcher>,
        label: &Arc<TaskLabel>,
        demand: Demand,
    ) -> Arc<Observed> {
        let subject = Subject {
            label: label.clone(),
            pool: self.core().settings.name.clone(),
            group: self.group_name(),
            priority: demand.priority,
            weight: demand.weight,
        };
        let watcher = watcher.clone();
        Arc::new(Observed { watcher, subject })
    }

    /// Returns a limit that begins when the task starts. Checks, at the first call only, that the runtime has a timer
    /// for it.
    #[track_caller]
    pub(crate) fn limit(&self, run: Duration) -> Limit {
        self.core().check_timer();
        Limit::new(run)
    }
}
