//! Reading the outcome of a task that another client has submitted, or that this one has submitted twice.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Message;
use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};

use super::super::error::EngineError;
use super::super::wire::{Event, Failure, Names, Outcome};
use super::link::{Link, RETRY_PAUSE, envelope_of, header_of};
use super::tail::{Tail, TailItem};
use super::waiters::{Settled, Waiters};

/// How often it is checked whether somebody still waits for a task that was submitted twice.
const CHECK: Duration = Duration::from_secs(1);

/// Tells `outcome` what becomes of the last task that has the id `id`.
pub(super) async fn attach(link: Link, id: String, mut outcome: oneshot::Sender<Settled>) {
    let settled = tokio::select! {
        settled = settle(&link, &id) => settled,
        () = outcome.closed() => return,
    };
    let _ = outcome.send(settled);
}

/// Settles the tasks of `found`, whose outcome may be addressed to another client.
pub(super) async fn duplicates(
    link: Link,
    waiters: Arc<Waiters>,
    owner: String,
    mut found: mpsc::UnboundedReceiver<(String, u64)>,
) {
    while let Some((id, origin)) = found.recv().await {
        // An id that this client has made is that of its own task, which was sent twice.
        if id.starts_with(&owner) {
            continue;
        }
        let (link, waiters) = (link.clone(), waiters.clone());
        tokio::spawn(async move {
            tokio::select! {
                outcome = outcome_of(&link, &id, origin) => waiters.settle(&id, origin, outcome),
                () = abandoned(&waiters, &id) => {}
            }
        });
    }
}

/// Sends the progress of a task to `values`, until nobody reads it.
pub(super) async fn progress(link: Link, id: String, values: mpsc::Sender<Vec<u8>>) {
    let Ok(mut events) = link.client.subscribe(link.names.event("*", &id)).await else {
        return;
    };
    loop {
        let message = tokio::select! {
            message = events.next() => message,
            () = values.closed() => return,
        };
        let Some(message) = message else { return };
        if let Some(Event::Progress(value)) = Event::parse(header_of(&message), &message.payload) {
            let _ = values.try_send(value);
        }
    }
}

/// Reads a message of the result stream: id, origin and outcome of a task.
pub(super) fn outcome(names: &Names, message: &Message) -> Option<(String, u64, Outcome)> {
    let tokens = names.tokens("r", &message.subject)?;
    let [_, id, origin] = tokens.as_slice() else {
        return None;
    };
    let outcome = Outcome::parse(header_of(message), &message.payload)?;
    Some(((*id).to_owned(), origin.parse().ok()?, outcome))
}

async fn settle(link: &Link, id: &str) -> Settled {
    loop {
        match find(link, id).await {
            Ok(Some(origin)) => return Ok(outcome_of(link, id, origin).await),
            Ok(None) => return Ok(Outcome::Failed(Failure::NotFound)),
            Err(EngineError::Timeout) => tokio::time::sleep(RETRY_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}

/// Returns the origin of the last task with this id.
///
/// A task moves from the work stream to the delayed stream and back, and has its outcome before it leaves them.
async fn find(link: &Link, id: &str) -> Result<Option<u64>, EngineError> {
    let names = &link.names;
    for _ in 0..2 {
        if let Some(message) = link
            .last(&names.work_stream(), &names.work("*", id))
            .await?
        {
            let origin = envelope_of(&message).and_then(|envelope| envelope.origin);
            return Ok(Some(origin.unwrap_or(message.sequence)));
        }
        let subject = names.all(&format!("d.*.{id}"));
        if let Some(message) = link.last(&names.delayed_stream(), &subject).await? {
            let tokens = names.tokens("d", &message.subject);
            return Ok(tokens.and_then(|tokens| tokens.first()?.parse().ok()));
        }
    }
    let subject = names.all(&format!("r.*.{id}.*"));
    let result = link.last(&names.result_stream(), &subject).await?;
    Ok(result.and_then(|message| {
        let tokens = names.tokens("r", &message.subject)?;
        tokens.last()?.parse().ok()
    }))
}

/// Waits for the outcome of a task.
async fn outcome_of(link: &Link, id: &str, origin: u64) -> Outcome {
    let names = link.names.clone();
    let tail = Tail {
        link: link.clone(),
        stream: names.result_stream(),
        filter: names.all(&format!("r.*.{id}.{origin}")),
        from: 1,
    };
    let mut found = None;
    let read = |item| match item {
        TailItem::Message(message) => match outcome(&names, &message.message) {
            Some((_, _, outcome)) => {
                found = Some(outcome);
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
        },
        TailItem::CaughtUp => ControlFlow::Continue(()),
    };
    tail.run(read).await;
    found.unwrap_or(Outcome::Failed(Failure::NotFound))
}

async fn abandoned(waiters: &Waiters, id: &str) {
    while waiters.knows(id) {
        tokio::time::sleep(CHECK).await;
    }
}
