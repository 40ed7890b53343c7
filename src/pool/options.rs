use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::gate::Demand;
use crate::task::{TaskId, TaskLabel};

/// The options of a task: what a caller asks for beyond its future.
#[derive(Default)]
pub(super) struct TaskOptions {
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) demand: Demand,
    pub(super) run_limit: Option<Duration>,
    pub(super) wait_limit: Option<Duration>,
    pub(super) grace: Option<Duration>,
    pub(super) on_cancel: Option<Callback>,
    pub(super) on_end: Option<Callback>,
    pub(super) identity: Option<Identity>,
}

/// The number and the label of a task, for code inside of its future. Set once the task runs.
pub(super) type Identity = Arc<OnceLock<(TaskId, Arc<TaskLabel>)>>;

pub(super) type Callback = Box<dyn FnOnce(TaskId) + Send>;

impl TaskOptions {
    /// Returns `true` if the worker of the task has to know the options.
    pub(super) fn concern_the_worker(&self) -> bool {
        let limits = [self.run_limit, self.wait_limit, self.grace];
        let callbacks = [&self.on_cancel, &self.on_end];
        limits.iter().any(Option::is_some)
            || callbacks.into_iter().any(Option::is_some)
            || self.identity.is_some()
    }

    /// Returns `true` if the task has no options: it is only its future.
    pub(super) fn is_empty(&self) -> bool {
        !self.concern_the_worker() && self.name.is_none() && self.demand == Demand::DEFAULT
    }
}
