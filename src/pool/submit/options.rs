use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::gate::Demand;
use crate::pool::core::parts::blocks::Blocks;
use crate::pool::submit::stop_signal::{StopSignal, Unwatch};
use crate::task::{Tag, TaskId, TaskLabel};

/// The options of a task: what a caller asks for beyond its future.
#[derive(Default)]
pub(crate) struct TaskOptions {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) tag: Option<Tag>,
    pub(crate) demand: Demand,
    pub(crate) run_limit: Option<Duration>,
    pub(crate) wait_limit: Option<Duration>,
    pub(crate) grace: Option<Duration>,
    pub(crate) on_cancel: Option<Callback>,
    pub(crate) on_end: Option<Callback>,
    pub(crate) identity: Option<Identity>,
    /// `None` for a task that never runs where it may block.
    pub(crate) blocks: Option<Blocks>,
    pub(crate) stop_signal: Option<StopSignal>,
    pub(crate) unwatch: Option<Unwatch>,
    /// `true` if the future of the task uses the timer of the pool's runtime.
    pub(crate) needs_timer: bool,
}

/// The number and the label of a task, for code inside of its future. Set once the task runs.
pub(crate) type Identity = Arc<OnceLock<(TaskId, Arc<TaskLabel>)>>;

pub(crate) type Callback = Box<dyn FnOnce(TaskId) + Send>;

impl TaskOptions {
    /// Returns `true` if the worker of the task has to know the options.
    pub(crate) fn concern_the_worker(&self) -> bool {
        let limits = [self.run_limit, self.wait_limit, self.grace];
        let callbacks = [&self.on_cancel, &self.on_end];
        limits.iter().any(Option::is_some)
            || callbacks.into_iter().any(Option::is_some)
            || self.identity.is_some()
            || self.unwatch.is_some()
    }

    /// Returns `true` if there are no options but what the gate has to know: the priority and the weight.
    pub(crate) fn concern_the_gate_alone(&self) -> bool {
        !self.concern_the_worker() && self.name.is_none() && self.tag.is_none()
    }
}
