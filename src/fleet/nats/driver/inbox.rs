use std::time::{Duration, Instant};

use async_nats::message::OutboundMessage;
use async_nats::{HeaderMap, Message, StatusCode};
use tokio::sync::mpsc::UnboundedSender;

use super::address::Part;
use super::clock;
use super::reading::Reading;
use super::state::{PULL_EXPIRES, State};
use super::steps::Step;
use crate::fleet::nats::admin::consumer;
use crate::fleet::nats::link::{Link, RETRY_PAUSE, outbound};
use crate::fleet::nats::setup::WORKERS;

/// Header of a message that a worker sends to itself.
const ECHO: &str = "Aiop-Echo";

/// Header of the end of a request: how many tasks it did not bring.
const REST: &str = "Nats-Pending-Messages";

/// How often the server says that it still knows of a request.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Time without a word of the server after which requests are taken to be gone.
const SILENCE: Duration = Duration::from_millis(2500);

/// Time after which a server has written to its files what it has delivered. It does so ten times a second.
const STORED: Duration = Duration::from_millis(300);

/// Time before a request is repeated that the server has refused.
const PAUSE: Duration = Duration::from_millis(250);

impl State {
    /// The server has answered.
    pub(super) fn answer_arrived(&mut self, message: &Message, now: Instant) {
        self.heard = now;
        match Part::of(&message.subject) {
            // A status says that nobody has read the message.
            Some((Part::Claim, key)) if message.status.is_none() => self.claimed(key),
            Some((Part::Claim, _)) => {}
            Some((part, key)) => self.answered(key, part, message),
            None => {}
        }
    }

    /// Something has arrived at the address of deliveries.
    pub(super) fn arrived(&mut self, message: Message, now: Instant) {
        self.heard = now;
        // A delivery has the subject of its stream, whatever its headers say.
        if message.subject != self.inbox.tasks {
            self.demand.delivered(now);
            return self.take(message, now);
        }
        if let Some(status) = message.status {
            return self.status(status, message.headers.as_ref(), now);
        }
        let echo = message
            .headers
            .as_ref()
            .and_then(|headers| headers.get(ECHO));
        if let Some(number) = echo.and_then(|number| number.as_str().parse().ok()) {
            self.echoes.arrived(number);
        }
    }

    /// Asks for as many tasks as there are free slots.
    pub(super) fn ask(&mut self, now: Instant) {
        if self.controls != Reading::CaughtUp || !self.echoes.is_fresh() || self.stopping.is_some()
        {
            return;
        }
        let room = self.admission.room(self.slots());
        if let Some(batch) = self.demand.ask(room, now) {
            self.pull(batch);
        }
    }

    /// Sends an echo, if the connection takes it.
    pub(super) fn send_echo(&mut self, now: Instant) {
        let Some(number) = self.echoes.send(now) else {
            return;
        };
        let mut headers = HeaderMap::new();
        headers.insert(ECHO, number.to_string().as_str());
        self.link.post(OutboundMessage {
            headers: Some(headers),
            ..outbound(self.inbox.tasks.clone(), Vec::new())
        });
    }

    /// A connection is lost, or there is a new one.
    pub(super) fn connection_changed(&mut self, connected: bool, now: Instant) {
        self.echoes.connection_lost();
        self.majority.connection_lost();
        self.controls = Reading::Behind;
        self.clock = None;
        self.give_up_unclaimed();
        let heard = self.heard;
        let until = *self
            .stored_until
            .get_or_insert_with(|| heard.checked_sub(STORED).unwrap_or(heard));
        if connected {
            self.stored_until = None;
            let before = std::mem::replace(&mut self.server, server_of(&self.link));
            if before != self.server {
                self.give_up_not_stored(until);
                tokio::spawn(count_deliveries(self.link.clone(), self.steps.clone(), now));
            }
            tokio::spawn(clock::read(self.link.clone(), self.steps.clone()));
            self.begin_anew(now);
        }
    }

    /// Nothing is known about the requests that were sent until now.
    fn begin_anew(&mut self, now: Instant) {
        self.demand.reset(Duration::ZERO, now);
        self.echoes.invalidate();
        // A pool may have been paused meanwhile, and tasks cancelled.
        self.controls = Reading::Anew;
        // A server that was restarted may have forgotten the last renewals.
        self.renew_all(now);
        self.repeat_all_conclusions(now);
        self.send_echo(now);
    }

    /// Notices that requests are gone.
    pub(super) fn check_silence(&mut self, now: Instant) {
        if self.demand.is_silent(SILENCE, now) {
            self.begin_anew(now);
        }
    }

    fn status(&mut self, status: StatusCode, headers: Option<&HeaderMap>, now: Instant) {
        let rest = headers
            .and_then(|headers| headers.get(REST))
            .and_then(|rest| rest.as_str().parse().ok());
        match (status, rest) {
            (StatusCode::IDLE_HEARTBEAT, _) => self.demand.heard(now),
            (_, Some(rest)) => self.demand.returned(rest, now),
            // A request has ended, and the server does not say with which rest: it is forgotten when it would have ended.
            (StatusCode::TIMEOUT | StatusCode::NOT_FOUND, None) => self.demand.heard(now),
            _ => self.demand.reset(PAUSE, now),
        }
    }

    fn pull(&mut self, batch: usize) {
        let names = &self.link.names;
        let subject = format!(
            "$JS.API.CONSUMER.MSG.NEXT.{}.{WORKERS}",
            names.work_stream()
        );
        let request = format!(
            "{{\"batch\":{batch},\"expires\":{},\"idle_heartbeat\":{}}}",
            PULL_EXPIRES.as_nanos(),
            HEARTBEAT.as_nanos()
        );
        self.link.post(OutboundMessage {
            reply: Some(self.inbox.tasks.clone()),
            ..outbound(subject, request.into())
        });
    }
}

/// Returns the id of the server, which is another one after each of its starts.
pub(super) fn server_of(link: &Link) -> String {
    link.client.server_info().server_id
}

/// Asks the server which delivery was its last one, until it says so.
async fn count_deliveries(link: Link, steps: UnboundedSender<Step>, connected: Instant) {
    while !steps.is_closed() {
        if let Ok(info) = consumer(&link, &link.names.work_stream(), WORKERS).await {
            let last = info.delivered.consumer_sequence;
            let _ = steps.send(Step::Deliveries { last, connected });
            return;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}
