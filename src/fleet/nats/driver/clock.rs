use std::time::{Instant, SystemTime};

use async_nats::datetime::parse_rfc3339;
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedSender;

use super::steps::Step;
use crate::fleet::clock::ServerClock;
use crate::fleet::nats::link::Link;

/// The part of an answer that says when it was given. Servers before 2.10 do not say it.
#[derive(Deserialize)]
struct Answer {
    ts: String,
}

/// Asks the server that stores the tasks for its time.
pub(super) async fn read(link: Link, steps: UnboundedSender<Step>) {
    if let Some(clock) = ask(&link).await {
        let _ = steps.send(Step::Clock(clock));
    }
}

async fn ask(link: &Link) -> Option<ServerClock> {
    let asked = Instant::now();
    let subject = format!("$JS.API.STREAM.INFO.{}", link.names.work_stream());
    let message = link.client.request(subject, "".into()).await.ok()?;
    let answer: Answer = serde_json::from_slice(&message.payload).ok()?;
    let time = SystemTime::from(parse_rfc3339(&answer.ts).ok()?);
    Some(ServerClock::new(asked, time))
}
