use async_nats::jetstream::Message;

use super::state::State;
use super::tasks::Stop;
use crate::fleet::floor::Moment;
use crate::fleet::nats::admin::stream_state;
use crate::fleet::nats::link::Link;
use crate::fleet::wire::{Control, Failure, Outcome};

impl State {
    /// A message of the control stream.
    pub(super) fn controlled(&mut self, message: &Message) {
        let Ok(sequence) = message.info().map(|info| info.stream_sequence) else {
            return;
        };
        match Control::parse(&self.link.names, &message.subject, &message.payload) {
            Ok(Control::Fence(fence)) => {
                self.fences.add(fence, sequence);
                self.stop_fenced();
            }
            Ok(Control::Paused(paused)) => {
                self.admission.set_paused(paused);
                self.forget_sizes();
            }
            Err(_) => self.figures.refused += 1,
        }
    }

    /// Tasks below `floor` are over, and so are the fences that cover no others.
    pub(super) fn forget_fences(&mut self, floor: u64) {
        let gone = self.fences.forget_below(floor);
        self.delete_fences(gone);
    }

    /// `last` is the last task, as of a time at which the control stream had the message `control`.
    pub(super) fn forget_old_fences(&mut self, last: u64, control: u64) {
        let gone = self.fences.forget_above(last, control);
        self.delete_fences(gone);
    }

    fn delete_fences(&self, gone: Vec<u64>) {
        if gone.is_empty() {
            return;
        }
        let link = self.link.clone();
        tokio::spawn(async move {
            let Ok(stream) = link.stream(&link.names.control_stream()).await else {
                return;
            };
            for sequence in gone {
                // Another worker may have deleted it.
                let _ = stream.delete_message(sequence).await;
            }
        });
    }

    fn stop_fenced(&mut self) {
        let fenced: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, task)| self.fences.cover(task.fenced()))
            .map(|(key, _)| *key)
            .collect();
        for key in fenced {
            self.cancel(key);
        }
    }

    fn cancel(&mut self, key: u64) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        if task.has_not_started() {
            self.leave_admission(key);
            self.conclude(key, Outcome::Failed(Failure::Cancelled));
        } else {
            task.stop(Stop::Cancelled);
        }
    }
}

/// Reads what is in the streams of tasks, unless a task has moved meanwhile.
pub(super) async fn moment(link: &Link) -> Option<Moment> {
    let delayed = link.names.delayed_stream();
    let before = stream_state(link, &delayed).await.ok()?;
    let work = stream_state(link, &link.names.work_stream()).await.ok()?;
    let after = stream_state(link, &delayed).await.ok()?;
    (before == after).then_some(Moment {
        first: work.first_sequence,
        last: work.last_sequence,
        delayed: after.messages,
        delayed_last: after.last_sequence,
    })
}
