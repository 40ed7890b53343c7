use std::time::Instant;

use super::state::State;
use super::steps::Step;
use crate::fleet::majority::Word;
use crate::fleet::nats::link::message;

impl State {
    /// Stores a message, if there is something that the server has said and that only a majority can confirm.
    pub(super) fn ask_majority(&mut self, now: Instant) {
        if !self.majority.ask(now) {
            return;
        }
        let (link, steps) = (self.link.clone(), self.steps.clone());
        let subject = link.names.presence(&self.id);
        tokio::spawn(async move {
            let is_stored = link.store(subject, message(None, Vec::new())).await.is_ok();
            let _ = steps.send(Step::Stored {
                sent: now,
                is_stored,
            });
        });
    }

    /// The message that was sent at `sent` is stored, or is not.
    pub(super) fn presence_stored(&mut self, sent: Instant, is_stored: bool, now: Instant) {
        for (time, word) in self.majority.answered(sent, is_stored, now) {
            match word {
                Word::Delivered(key) => self.agreed(key),
                Word::Renewed(key) => self.renewed(key, time, now),
            }
        }
    }

    /// The majority of the servers stands behind the delivery of a task.
    fn agreed(&mut self, key: u64) {
        if let Some(task) = self.tasks.get_mut(&key) {
            task.agreed = true;
            self.admit(key);
        }
    }
}
