use std::time::Instant;

use async_nats::Message;

use super::state::State;
use super::tasks::{Phase, Task};
use crate::fleet::info::WorkerInfo;
use crate::fleet::nats::link::outbound;
use crate::fleet::wire::{Question, RunningTask, WorkerReply, millis};

/// Where answers may be sent. A question with another address is not answered: it might be any subject.
const INBOX: &str = "_INBOX.";

impl State {
    /// Answers a question to all workers.
    pub(super) fn answer(&mut self, message: &Message, now: Instant) {
        let reply = message.reply.as_ref().filter(|to| to.starts_with(INBOX));
        let (Some(reply), Ok(question)) = (reply, serde_json::from_slice(&message.payload)) else {
            return;
        };
        let tasks = match question {
            Question::Holds { sequence } if !self.has(sequence) => return,
            Question::Holds { .. } => Vec::new(),
            Question::Workers => Vec::new(),
            Question::Tasks { limit } => self.running_tasks(limit, now),
        };
        let answer = WorkerReply {
            worker: self.info(now),
            tasks,
        };
        let payload = serde_json::to_vec(&answer).unwrap_or_default();
        self.link.post(outbound(reply.clone(), payload));
    }

    /// Returns `true` if the task of a message is here, and not only because it may be.
    fn has(&self, sequence: u64) -> bool {
        let task = self.keys.get(&sequence).and_then(|key| self.tasks.get(key));
        task.is_some_and(|task| task.checked && !matches!(task.phase, Phase::Returning))
    }

    fn info(&self, now: Instant) -> WorkerInfo {
        let figures = self.figures;
        let held = |task: &&Task| matches!(task.phase, Phase::Held);
        WorkerInfo {
            id: self.id.clone(),
            pid: std::process::id(),
            slots: self.slots(),
            running: self.admission.running(),
            held: self.tasks.values().filter(held).count(),
            started: figures.started,
            completed: figures.completed,
            failed: figures.failed,
            retried: figures.retried,
            lost: figures.lost,
            refused: figures.refused,
            uptime_ms: millis(now.saturating_duration_since(self.since)),
            is_stopping: self.stopping.is_some(),
            jobs: self.options.jobs.clone(),
        }
    }

    fn running_tasks(&self, limit: usize, now: Instant) -> Vec<RunningTask> {
        let unfinished = |task: &&Task| {
            !matches!(
                task.phase,
                Phase::Concluding(_) | Phase::Resubmitting | Phase::Returning
            )
        };
        self.tasks
            .values()
            .filter(unfinished)
            .take(limit)
            .map(|task| RunningTask {
                id: task.envelope.id.clone(),
                group: task.envelope.group.clone(),
                job: task.envelope.job.clone(),
                attempt: task.attempt(),
                running: match &task.phase {
                    Phase::Running(running) => {
                        Some(millis(now.saturating_duration_since(running.since)))
                    }
                    _ => None,
                },
            })
            .collect()
    }
}
