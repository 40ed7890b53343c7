use std::time::{Duration, Instant};

use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::sync::atomic::Ordering::Relaxed;

/// Maximum number of holds that end under one lock.
const AT_ONCE: usize = 256;

/// A hold until a time that a clock cannot express lasts for this long, which is a hundred years.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

impl State {
    /// Starts nothing at a node and below it before this time. A hold that ends later stays as it is.
    fn hold_until(&mut self, node: NodeId, until: Instant) {
        match self.gate.data(node).held_until {
            Some(before) if before >= until => return,
            Some(before) => _ = self.holds.remove(&(before, node)),
            None => self.gate.hold(node),
        }
        self.gate.data_mut(node).held_until = Some(until);
        self.holds.insert((until, node));
        self.asks_time = true;
    }

    /// Ends some of the holds for whose end `is_over` returns `true`. Returns `false` if there were none.
    pub(crate) fn end_holds(&mut self, is_over: impl Fn(Instant) -> bool) -> bool {
        let mut any = false;
        for _ in 0..AT_ONCE {
            let first = self.holds.first().filter(|(until, _)| is_over(*until));
            let Some(&(until, node)) = first else { break };
            self.holds.remove(&(until, node));
            self.gate.data_mut(node).held_until = None;
            self.gate.release(node);
            any = true;
        }
        any
    }

    /// Removes the hold of a group that has ended.
    pub(crate) fn forget_hold(&mut self, group: NodeId, held_until: Option<Instant>) {
        if let Some(until) = held_until {
            self.holds.remove(&(until, group));
        }
    }

    /// Returns when the first hold ends, if something waits in the pool.
    pub(crate) fn next_hold_end(&self) -> Option<Instant> {
        let is_awaited = self.gate.waiting(NodeId::ROOT) > 0;
        let first = self.holds.first().filter(|_| is_awaited);
        first.map(|(until, _)| *until)
    }
}

impl Core {
    #[track_caller]
    pub(crate) fn hold(&self, node: NodeId, time: Duration) {
        self.check_timer();
        if time.is_zero() {
            return;
        }
        // `Relaxed`: a caller that submits a task after this call sees the flag, and no other has to.
        self.watches_time.store(true, Relaxed);
        let now = self.now();
        let until = now.checked_add(time).unwrap_or_else(|| now + FAR);
        let mut state = self.lock();
        state.hold_until(node, until);
        self.dispatch(state);
    }
}
