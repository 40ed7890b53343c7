//! Reading the outcome of a task that another client has submitted, or that this one has submitted twice.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Message;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::link::{Link, RETRY_PAUSE, envelope_of, header_in, header_of};
use super::tail::{Tail, TailItem};
use super::waiters::Waiters;
use crate::fleet::error::EngineError;
use crate::fleet::wire::headers::{EVENT, OUTCOME};
use crate::fleet::wire::{Event, Failure, Names, Outcome};

/// The origin of a task that does not exist: sequence numbers begin with 1.
const NOWHERE: u64 = 0;

/// How often it is checked whether somebody still waits for a task.
const CHECK: Duration = Duration::from_secs(1);

/// Settles the task `id` for those who wait for it, until nobody does: the last one that has this id.
pub(super) async fn attach(link: Link, waiters: Arc<Waiters>, id: String) {
    tokio::select! {
        () = settle(&link, &waiters, &id) => {}
        () = listen(&link, &waiters, &id) => {}
        () = abandoned(&waiters, &id) => {}
    }
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

/// Reads a message of the result stream: id, origin and outcome of a task.
pub(super) fn outcome(names: &Names, message: &Message) -> Option<(String, u64, Outcome)> {
    let tokens = names.tokens("r", &message.subject)?;
    let [_, id, origin] = tokens.as_slice() else {
        return None;
    };
    let outcome = Outcome::parse(header_of(message, OUTCOME), &message.payload)?;
    Some(((*id).to_owned(), origin.parse().ok()?, outcome))
}

/// Returns the outcome of a task that is over, if the server still has it.
async fn outcome_so_far(link: &Link, subject: &str) -> Option<Outcome> {
    let found = link.last(&link.names.result_stream(), subject).await;
    let message = found.ok().flatten()?;
    Outcome::parse(header_in(&message.headers, OUTCOME), &message.payload)
}

async fn settle(link: &Link, waiters: &Waiters, id: &str) {
    loop {
        match find(link, id).await {
            Ok(Some(origin)) => {
                waiters.accepted(id, origin);
                let outcome = outcome_of(link, id, origin).await;
                return waiters.settle(id, origin, outcome);
            }
            Ok(None) => {
                waiters.accepted(id, NOWHERE);
                return waiters.settle(id, NOWHERE, Outcome::Failed(Failure::NotFound));
            }
            Err(EngineError::Timeout) => tokio::time::sleep(RETRY_PAUSE).await,
            Err(error) => return waiters.refused(id, &error),
        }
    }
}

/// Reads what the task tells while it runs, for as long as it is polled.
async fn listen(link: &Link, waiters: &Waiters, id: &str) {
    let events = link.client.subscribe(link.names.event("*", id)).await;
    if let Ok(mut events) = events {
        while let Some(message) = events.next().await {
            if let Some(event) = Event::parse(header_of(&message, EVENT), &message.payload) {
                waiters.event(id, event);
            }
        }
    }
    std::future::pending::<()>().await;
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
            let origin = envelope_of(link, &message).and_then(|envelope| envelope.origin);
            return Ok(Some(origin.unwrap_or(message.sequence)));
        }
        let subject = names.all(&format!("d.*.*.{id}"));
        if let Some(message) = link.last(&names.delayed_stream(), &subject).await? {
            let place = names.place(&message.subject);
            return Ok(place.and_then(|place| place.origin));
        }
    }
    let subject = names.all(&format!("r.*.{id}.*"));
    let result = link.last(&names.result_stream(), &subject).await?;
    Ok(result.and_then(|message| {
        let tokens = names.tokens("r", &message.subject)?;
        tokens.last()?.parse().ok()
    }))
}

/// Waits for the outcome of a task. A task that is over needs no consumer, which costs the server more than a look.
async fn outcome_of(link: &Link, id: &str, origin: u64) -> Outcome {
    let names = link.names.clone();
    let filter = names.all(&format!("r.*.{id}.{origin}"));
    if let Some(outcome) = outcome_so_far(link, &filter).await {
        return outcome;
    }
    let tail = Tail {
        link: link.clone(),
        stream: names.result_stream(),
        filter,
        from: 1,
    };
    let mut found = None;
    let read = |item| match item {
        TailItem::Message { message, .. } => match outcome(&names, &message.message) {
            Some((_, _, outcome)) => {
                found = Some(outcome);
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
        },
        TailItem::CaughtUp | TailItem::Interrupted => ControlFlow::Continue(()),
    };
    tail.run(read).await;
    found.unwrap_or(Outcome::Failed(Failure::NotFound))
}

async fn abandoned(waiters: &Waiters, id: &str) {
    while waiters.knows(id) {
        tokio::time::sleep(CHECK).await;
    }
}
