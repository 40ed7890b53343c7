use std::time::Instant;

use async_nats::message::OutboundMessage;

use super::address::Part;
use super::state::State;
use super::steps::{RENEWAL, Step, confirmed};
use super::tasks::{Phase, Stop, Task};
use crate::fleet::lease::LeaseStep;
use crate::fleet::majority::Word;
use crate::fleet::nats::link::outbound;

impl State {
    /// Tells the server that a task has arrived.
    ///
    /// The server counts a lease from the delivery of the task, but stores the time at which the task was submitted. One
    /// that is restarted, or a new leader of a cluster, reads what is stored, and would give a task that had waited for
    /// longer than a lease to another worker at once. A renewal is stored with its time, and the task does not start before
    /// that. A task that was submitted a short while ago needs none yet: its lease is counted from there.
    pub(super) fn claim(&mut self, key: u64) {
        if let Some(task) = self.tasks.get(&key) {
            self.link.post(OutboundMessage {
                reply: Some(self.inbox.answer(Part::Claim, key)),
                ..outbound(task.reply.as_str(), RENEWAL.into())
            });
        }
    }

    /// The server has stored that a task has arrived. It is the server that has delivered the task: when a connection
    /// ends, the tasks that it has brought and that are not claimed are given up.
    pub(super) fn claimed(&mut self, key: u64) {
        if let Some(task) = self.tasks.get_mut(&key) {
            task.claimed = true;
            self.admit(key);
        }
    }

    /// Gives up the tasks of which a restarted server, or another one, may not know that they have arrived.
    pub(super) fn give_up_unclaimed(&mut self) {
        let is_known = |task: &Task| task.claimed && task.agreed;
        let unclaimed = self.tasks.iter().filter(|(_, task)| !is_known(task));
        let keys: Vec<u64> = unclaimed.map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.give_up(key));
    }

    /// Gives up the tasks that a server that was killed may have forgotten to have delivered. It delivers them again.
    pub(super) fn give_up_not_stored(&mut self, stored_until: Instant) {
        self.give_up_unfinished(|task| task.arrived >= stored_until);
    }

    /// Gives up the tasks whose delivery the server does not count, of those that were here when it was `connected`. One
    /// before 2.10.20 that ends while it writes its files may have forgotten all deliveries.
    pub(super) fn give_up_forgotten(&mut self, last: u64, connected: Instant) {
        self.give_up_unfinished(|task| task.delivery > last && task.arrived < connected);
    }

    fn give_up_unfinished(&mut self, condition: impl Fn(&Task) -> bool) {
        let chosen = |task: &Task| task.is_unfinished() && condition(task);
        let tasks = self.tasks.iter().filter(|(_, task)| chosen(task));
        let keys: Vec<u64> = tasks.map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.give_up(key));
    }

    /// Leaves a task to the server, or to the worker that has it.
    pub(super) fn give_up(&mut self, key: u64) {
        self.leases.remove(key);
        self.lost(key);
    }

    /// Renews the leases whose turn it is, and gives up the tasks whose lease is lost.
    pub(super) fn keep_leases(&mut self, now: Instant) {
        while let Some((key, step)) = self.leases.step(now) {
            match step {
                LeaseStep::Renew => self.renew(key, now),
                LeaseStep::Lost => self.lost(key),
            }
        }
    }

    /// Renews all leases, whether it is their turn or not.
    pub(super) fn renew_all(&mut self, now: Instant) {
        let held = |key: &u64| {
            self.leases
                .lost_at(*key)
                .is_some_and(|lost_at| now < lost_at)
        };
        let keys: Vec<u64> = self.tasks.keys().copied().filter(held).collect();
        for key in keys {
            self.renew(key, now);
        }
    }

    /// The server has confirmed a renewal.
    pub(super) fn renewed(&mut self, key: u64, sent: Instant, now: Instant) {
        if !self.majority.covers(sent) {
            return self.majority.keep(sent, Word::Renewed(key));
        }
        let Some(lost_at) = self.leases.renewed(key, sent, now) else {
            return;
        };
        if let Some(task) = self.tasks.get_mut(&key) {
            task.claimed = true;
            if let Phase::Running(running) = &task.phase {
                running.ticket.extend(lost_at);
            }
            self.admit(key);
        }
    }

    /// Stops the tasks whose deadline is over.
    pub(super) fn keep_deadlines(&mut self, now: Instant) {
        while let Some((at, key)) = self.deadlines.first().copied() {
            if at > now {
                return;
            }
            self.deadlines.pop_first();
            if let Some(task) = self.tasks.get_mut(&key) {
                task.stop(Stop::Expired);
            }
        }
    }

    /// Takes a task that does not run out of what starts, or is about to.
    pub(super) fn leave_admission(&mut self, key: u64) {
        self.admission.withdraw(key);
        let recording = |task: &Task| matches!(task.phase, Phase::Recording);
        if self.tasks.get(&key).is_some_and(recording) {
            self.admission.ended();
        }
    }

    fn renew(&mut self, key: u64, now: Instant) {
        let Some(task) = self.tasks.get(&key) else {
            return self.leases.remove(key);
        };
        let (link, reply, steps) = (self.link.clone(), task.reply.clone(), self.steps.clone());
        tokio::spawn(async move {
            if confirmed(&link, &reply, RENEWAL).await {
                let _ = steps.send(Step::Renewed { key, sent: now });
            }
        });
        // The message that told of the start may be lost.
        if matches!(task.phase, Phase::Running(_)) {
            self.tell_started(key);
        }
    }

    fn lost(&mut self, key: u64) {
        self.figures.lost += 1;
        match self.tasks.get_mut(&key) {
            // Removed when it has stopped: until then it takes a slot.
            Some(task) if matches!(task.phase, Phase::Running(_)) => task.stop(Stop::Lost),
            Some(_) => {
                self.leave_admission(key);
                drop(self.remove(key));
            }
            None => {}
        }
    }
}
