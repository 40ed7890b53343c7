use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::pool::core::window::Stamp;
use crate::spawner::Spawner;
use crate::unwind::{caught, discard};

/// The maximum number of starts in an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) starts: u32,
    pub(crate) per: Duration,
}

impl Rate {
    /// Returns `true` if the runtime has a timer.
    pub(crate) fn is_kept_by(self, spawner: &dyn Spawner) -> bool {
        let sleep = caught(|| spawner.sleep(self.per)).ok().flatten();
        let is_there = sleep.is_some();
        discard(sleep);
        is_there
    }
}

impl State {
    /// Limits the starts from now on.
    pub(crate) fn limit_starts(&mut self, rate: Rate) {
        self.gate.allow(rate.starts);
    }

    /// Gives starts back to the gate.
    pub(crate) fn refill(&mut self, starts: u32) {
        if let Some(left) = self.gate.starts() {
            self.gate.allow(left + starts);
        }
    }
}

/// A start of the rate, held by a task. The task gets it with the permit, and it is counted when the future is first
/// polled.
///
/// A start that is dropped uncounted is available again at once.
pub(crate) struct Token {
    core: Weak<Core>,
    stage: Cell<Stage>,
    /// Set while the start has been counted, and its first poll is not over.
    stamp: Option<Stamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Waiting,
    Given,
    /// Given to the source of a feed, which has passed it on to an item.
    Passed,
    Counted,
}

impl Token {
    /// Notes that the task has got its permit, and the start with it.
    pub(crate) fn give(&self) {
        let before = self.stage.replace(Stage::Given);
        if before == Stage::Given {
            // The task got a permit before, and has been back in the queue: the earlier start is free again.
            self.give_back();
        }
    }

    /// Passes the start on to the task that runs in place of its holder.
    pub(crate) fn pass(self) -> Self {
        if self.stage.get() == Stage::Given {
            self.stage.set(Stage::Passed);
        }
        self
    }

    /// Counts the start. Called before each poll; only the first call counts.
    pub(crate) fn begin(&mut self) {
        if matches!(self.stage.get(), Stage::Given | Stage::Passed) {
            self.stage.set(Stage::Counted);
            self.stamp = self.core.upgrade().and_then(|core| core.count_start());
        }
    }

    /// Ends a poll. The end of the first poll becomes the time of the start: no time that the task reads from a clock
    /// in that poll is later than the counted one.
    pub(crate) fn end(&mut self) {
        let Some(stamp) = self.stamp.take() else {
            return;
        };
        if let Some(core) = self.core.upgrade() {
            core.recount_start(stamp);
        }
    }

    fn give_back(&self) {
        if let Some(core) = self.core.upgrade() {
            core.give_start_back();
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if matches!(self.stage.get(), Stage::Given | Stage::Passed) {
            self.give_back();
        }
    }
}

impl Core {
    /// Returns a token for a task, in a pool with a rate.
    pub(crate) fn token(&self) -> Option<Token> {
        self.settings.rate?;
        Some(Token {
            core: Arc::downgrade(&self.me()),
            stage: Cell::default(),
            stamp: None,
        })
    }
}
