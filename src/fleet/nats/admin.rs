//! Looking at a pool.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::message::StreamMessage;
use futures_util::StreamExt;

use super::link::{Link, envelope_of};
use super::patience::{consumer_error, message_error, patiently, request_error};
use super::setup::{TIMERS, WORKERS};
use crate::fleet::error::EngineError;
use crate::fleet::info::{FleetStats, TaskInfo, TaskState, WorkerInfo};
use crate::fleet::wire::{Control, Envelope, Question, RunningTask, WorkerReply};

/// How often `join` looks.
const JOIN_PAUSE: Duration = Duration::from_millis(20);

/// Longest time between two looks of `join`.
const LONGEST_JOIN_PAUSE: Duration = Duration::from_millis(500);

/// Returns the sequence number of the last message of a stream.
pub(super) async fn last_sequence(link: &Link, stream: &str) -> Result<u64, EngineError> {
    Ok(stream_state(link, stream).await?.last_sequence)
}

/// Messages of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamState {
    pub(super) messages: u64,
    pub(super) first_sequence: u64,
    pub(super) last_sequence: u64,
}

impl StreamState {
    /// Returns the number of messages that are gone, from the first that is there to the last.
    pub(super) fn removed(&self) -> u64 {
        let numbers = (self.last_sequence + 1).saturating_sub(self.first_sequence);
        numbers.saturating_sub(self.messages)
    }
}

pub(super) async fn stream_state(link: &Link, stream: &str) -> Result<StreamState, EngineError> {
    let info = link
        .stream(stream)
        .await?
        .get_info()
        .await
        .map_err(|error| request_error(&error))?;
    Ok(StreamState {
        messages: info.state.messages,
        first_sequence: info.state.first_sequence,
        last_sequence: info.state.last_sequence,
    })
}

pub(super) async fn stats(link: &Link) -> Result<FleetStats, EngineError> {
    let names = &link.names;
    let workers = consumer(link, &names.work_stream(), WORKERS).await?;
    let delayed = stream_state(link, &names.delayed_stream()).await?;
    let refused = stream_state(link, &names.refused_stream()).await?;
    let results = stream_state(link, &names.result_stream()).await?;
    Ok(FleetStats {
        size: usize::try_from(workers.config.max_ack_pending).unwrap_or(usize::MAX),
        waiting: workers.num_pending,
        active: workers.num_ack_pending as u64,
        delayed: delayed.messages,
        submitted: last_sequence(link, &names.work_stream()).await?,
        finished: results.last_sequence,
        refused: refused.last_sequence,
        is_paused: is_paused(link).await?,
    })
}

pub(super) async fn is_paused(link: &Link) -> Result<bool, EngineError> {
    let names = &link.names;
    let message = link.last(&names.control_stream(), &names.state()).await?;
    Ok(message.is_some_and(|message| {
        Control::parse(names, &message.subject, &message.payload) == Ok(Control::Paused(true))
    }))
}

/// Waits until no task waits, runs, or is between two tries.
///
/// A task that moves between the streams might be seen in neither. It leaves a trace in the number of messages that
/// the streams have ever had: if that is the same before and after, nothing has moved.
pub(super) async fn join(link: &Link, patience: Duration) -> Result<(), EngineError> {
    let mut pause = JOIN_PAUSE;
    let mut before = None;
    loop {
        let now = patiently(patience, || rest(link)).await?;
        if now.is_some() && now == before {
            return Ok(());
        }
        if now.is_none() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_JOIN_PAUSE);
        }
        before = now;
    }
}

/// Returns how many messages the streams have ever had, if there is no task.
async fn rest(link: &Link) -> Result<Option<(u64, u64)>, EngineError> {
    let names = &link.names;
    let workers = consumer(link, &names.work_stream(), WORKERS).await?;
    let timers = consumer(link, &names.delayed_stream(), TIMERS).await?;
    let open = |info: &Info| info.num_pending > 0 || info.num_ack_pending > 0;
    if open(&workers) || open(&timers) {
        return Ok(None);
    }
    let work = last_sequence(link, &names.work_stream()).await?;
    let delayed = last_sequence(link, &names.delayed_stream()).await?;
    Ok(Some((work, delayed)))
}

pub(super) async fn consumer(link: &Link, stream: &str, name: &str) -> Result<Info, EngineError> {
    link.stream(stream)
        .await?
        .consumer_info(name)
        .await
        .map_err(|error| consumer_error(&error))
}

pub(super) async fn workers(
    link: &Link,
    patience: Duration,
) -> Result<Vec<WorkerInfo>, EngineError> {
    let replies = ask(link, Question::Workers, patience).await?;
    let mut workers: Vec<WorkerInfo> = replies.into_iter().map(|reply| reply.worker).collect();
    workers.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(workers)
}

/// Returns the tasks that workers have, then those that wait, in their order, then those between two tries.
pub(super) async fn tasks(
    link: &Link,
    limit: usize,
    patience: Duration,
) -> Result<Vec<TaskInfo>, EngineError> {
    let names = &link.names;
    let mut tasks = Vec::new();
    let mut held = HashSet::new();
    for reply in ask(link, Question::Tasks { limit }, patience).await? {
        for task in reply.tasks {
            held.insert(task.id.clone());
            tasks.push(of_worker(&reply.worker.id, task));
        }
    }
    // A server that was killed may have kept messages that it has handled: they are below the floor of the consumer.
    let handled = consumer(link, &names.work_stream(), WORKERS).await?;
    for (stream, state, handled) in [
        (
            names.work_stream(),
            TaskState::Waiting,
            handled.ack_floor.stream_sequence,
        ),
        (names.delayed_stream(), TaskState::Delayed, 0),
    ] {
        let mut from = handled + 1;
        while tasks.len() < limit {
            let Some(message) = next_message(link, &stream, from).await? else {
                break;
            };
            from = message.sequence + 1;
            let envelope = envelope_of(link, &message);
            if let Some(envelope) = envelope.filter(|envelope| !held.contains(&envelope.id)) {
                tasks.push(of_stream(envelope, state));
            }
        }
    }
    tasks.truncate(limit);
    Ok(tasks)
}

fn of_worker(worker: &str, task: RunningTask) -> TaskInfo {
    TaskInfo {
        id: task.id,
        group: task.group,
        job: task.job,
        state: match task.running {
            Some(_) => TaskState::Active,
            None => TaskState::Held,
        },
        worker: Some(worker.to_owned()),
        attempt: task.attempt,
        running: task.running.map(Duration::from_millis),
    }
}

fn of_stream(envelope: Envelope, state: TaskState) -> TaskInfo {
    TaskInfo {
        attempt: envelope.tries.saturating_add(1),
        id: envelope.id,
        group: envelope.group,
        job: envelope.job,
        state,
        worker: None,
        running: None,
    }
}

/// Returns the next message of `stream` from the sequence number `from` on, if there is one.
pub(super) async fn next_message(
    link: &Link,
    stream: &str,
    from: u64,
) -> Result<Option<StreamMessage>, EngineError> {
    let subject = if stream == link.names.work_stream() {
        link.names.all("w.*.*")
    } else {
        link.names.all("d.*.*.*")
    };
    let stream = link.stream(stream).await?;
    let message = stream
        .raw_message_builder()
        .sequence(from)
        .next_by_subject(subject)
        .send()
        .await;
    match message {
        Ok(message) => Ok(Some(message)),
        Err(error) => message_error(&error).map_or(Ok(None), Err),
    }
}

/// Asks all workers, and returns what arrives within `patience`.
async fn ask(
    link: &Link,
    question: Question,
    patience: Duration,
) -> Result<Vec<WorkerReply>, EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Rejected(error.to_string());
    let inbox = link.client.new_inbox();
    let mut replies = link
        .client
        .subscribe(inbox.clone())
        .await
        .map_err(|error| failed(&error))?;
    let payload = serde_json::to_vec(&question).unwrap_or_default();
    link.client
        .publish_with_reply(link.names.question(), inbox, payload.into())
        .await
        .map_err(|error| failed(&error))?;
    let mut found = Vec::new();
    let read = async {
        while let Some(message) = replies.next().await {
            if let Ok(reply) = serde_json::from_slice(&message.payload) {
                found.push(reply);
            }
        }
    };
    let _ = tokio::time::timeout(patience, read).await;
    Ok(found)
}
