use std::time::Duration;

use super::Core;
use super::state::State;
use crate::spawner::Spawner;
use crate::unwind::{caught, discard};
use crate::worker::Worker;

/// How many starts an interval may see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) starts: u32,
    pub(super) per: Duration,
}

/// Where those starts are that are not to be had now.
#[derive(Debug)]
pub(super) struct Spending {
    rate: Rate,
    /// So many come back when their time is over.
    timed: u32,
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
        self.spending = Some(Spending { rate, timed: 0 });
    }

    /// Whether some starts have been made that nobody has taken the time of.
    #[inline]
    pub(super) fn has_spent(&self) -> bool {
        self.spending.is_some() && self.spent() > 0
    }

    fn spent(&self) -> u32 {
        match (&self.spending, self.gate.starts()) {
            (Some(Spending { rate, timed }), Some(left)) => rate.starts - timed - left,
            _ => 0,
        }
    }

    /// Takes the time of them, and returns how many they are.
    pub(super) fn take_spent(&mut self) -> u32 {
        let spent = self.spent();
        if let Some(spending) = &mut self.spending {
            spending.timed += spent;
        }
        spent
    }

    /// Gives starts back.
    pub(super) fn refill(&mut self, starts: u32) {
        if let (Some(spending), Some(left)) = (&mut self.spending, self.gate.starts()) {
            spending.timed -= starts;
            self.gate.allow(left + starts);
        }
    }
}

impl Core {
    /// Has so many starts given back when the interval is over.
    pub(super) fn refill_later(&self, starts: u32) {
        let Some(rate) = self.settings.rate else {
            return;
        };
        match caught(|| self.spawner().sleep(rate.per)).ok().flatten() {
            Some(sleep) => self.launch(Worker::refill(sleep, starts, self.me())),
            // The runtime is gone, and with it the time.
            None => self.lock().refill(starts),
        }
    }
}
