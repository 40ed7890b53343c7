use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::core::Core;
use super::state::State;
use super::window::Stamp;
use crate::spawner::Spawner;
use crate::unwind::{caught, discard};

/// How many starts an interval may see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) starts: u32,
    pub(super) per: Duration,
}

impl Rate {
    /// Whether a runtime can keep the time.
    pub(super) fn is_kept_by(self, spawner: &dyn Spawner) -> bool {
        let sleep = caught(|| spawner.sleep(self.per)).ok().flatten();
        let is_there = sleep.is_some();
        discard(sleep);
        is_there
    }
}

impl State {
    /// Limits the starts from now on.
    pub(super) fn limit_starts(&mut self, rate: Rate) {
        self.gate.allow(rate.starts);
    }

    /// Gives starts back to the gate.
    pub(super) fn refill(&mut self, starts: u32) {
        if let Some(left) = self.gate.starts() {
            self.gate.allow(left + starts);
        }
    }
}

/// A start of the rate, as a task holds it: given with the permit, counted when the future is first polled.
///
/// One that is dropped uncounted comes back at once.
pub(super) struct Token {
    core: Weak<Core>,
    stage: Cell<Stage>,
    /// The start has been counted, and its first poll is not over.
    stamp: Option<Stamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Waiting,
    Given,
    /// Given to another, which has passed it on.
    Passed,
    Counted,
}

impl Token {
    /// The permit has been given, and the start with it.
    pub(super) fn give(&self) {
        let before = self.stage.replace(Stage::Given);
        if before == Stage::Given {
            // The task has been back in the queue: only the last one counts.
            self.give_back();
        }
    }

    /// Passes the start on to what runs in place of its holder.
    pub(super) fn pass(self) -> Self {
        if self.stage.get() == Stage::Given {
            self.stage.set(Stage::Passed);
        }
        self
    }

    /// Counts the start. To be called before each poll.
    pub(super) fn begin(&mut self) {
        if matches!(self.stage.get(), Stage::Given | Stage::Passed) {
            self.stage.set(Stage::Counted);
            self.stamp = self.core.upgrade().and_then(|core| core.count_start());
        }
    }

    /// The poll is over. The interval begins with the end of the first: no later look at a clock in it is too late.
    pub(super) fn end(&mut self) {
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
    /// What a task holds in a pool with a rate.
    pub(super) fn token(&self) -> Option<Token> {
        self.settings.rate?;
        Some(Token {
            core: Arc::downgrade(&self.me()),
            stage: Cell::default(),
            stamp: None,
        })
    }
}
