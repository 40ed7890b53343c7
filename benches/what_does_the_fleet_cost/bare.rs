//! The same by hand, with the client of NATS.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull, push};
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self, Context, Message};
use async_nats::{Client, Subscriber};
use futures::StreamExt;
use tokio::time::timeout;

use crate::Contender;
use crate::server::Server;

/// What the server says about a message that it was to store.
type Stored = Result<PublishAck, PublishError>;

/// Time until a worker says again that it waits for the word.
const AGAIN: Duration = Duration::from_millis(20);

/// Acknowledgements that are under way, as in the fleet.
const WINDOW: usize = 512;

pub(crate) struct Bare {
    client: Client,
    js: Context,
    results: push::Ordered,
    next: usize,
    awaited: usize,
    /// What workers say that wait for the word.
    ready: Subscriber,
}

impl Contender for Bare {
    const ROLE: &'static str = "bare";

    async fn new(server: &Server, size: usize) -> Self {
        let client = async_nats::connect(server.url()).await.expect("a server");
        let js = jetstream::new(client.clone());
        let work = Config {
            name: "W".to_owned(),
            subjects: vec!["w.*.*".to_owned()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            ..Config::default()
        };
        let work = js.create_stream(work).await.expect("a stream");
        let consumer = pull::Config {
            durable_name: Some("workers".to_owned()),
            ack_policy: AckPolicy::Explicit,
            max_ack_pending: size as i64,
            ..pull::Config::default()
        };
        work.create_consumer(consumer).await.expect("a consumer");
        let results = Config {
            name: "R".to_owned(),
            subjects: vec!["r.*.*".to_owned()],
            max_age: Duration::from_secs(3600),
            ..Config::default()
        };
        let results = js.create_stream(results).await.expect("a stream");
        let ordered = push::OrderedConfig {
            deliver_subject: client.new_inbox(),
            filter_subject: "r.me.*".to_owned(),
            ..push::OrderedConfig::default()
        };
        let ordered = results.create_consumer(ordered).await.expect("a consumer");
        Self {
            ready: client.subscribe("ready").await.expect("a subscription"),
            results: ordered.messages().await.expect("messages"),
            client,
            js,
            next: 0,
            awaited: 0,
        }
    }

    async fn park(&mut self, tasks: usize, sleep: u64) {
        let first = self.next;
        self.next += tasks;
        self.awaited += tasks;
        let js = &self.js;
        futures::stream::iter(first..first + tasks)
            .then(async |id| publish(js, id, sleep).await)
            .buffered(WINDOW)
            .for_each(async |stored| drop(stored.expect("a stored task")))
            .await;
    }

    async fn results(&mut self) -> Duration {
        let mut ran = 0;
        for _ in 0..std::mem::take(&mut self.awaited) {
            let result = self.results.next().await.expect("a result");
            ran += number(&result.expect("a result").payload);
        }
        Duration::from_micros(ran)
    }

    async fn exec(&mut self) {
        let id = self.next;
        self.next += 1;
        let stored = publish(&self.js, id, 0).await;
        let result = self.results.next();
        let (stored, result) = futures::join!(stored, result);
        stored.expect("a stored task");
        result.expect("a result").expect("a result");
    }

    async fn ready(&mut self, workers: usize) {
        let mut known = HashSet::new();
        while known.len() < workers {
            known.insert(self.ready.next().await.expect("a worker").payload);
        }
    }

    async fn go(&mut self) {
        let told = self.client.publish("go", "go".into()).await;
        told.expect("a message sent");
    }
}

/// Sends a task. What it returns waits for the server.
async fn publish(js: &Context, id: usize, sleep: u64) -> impl Future<Output = Stored> {
    let message = PublishMessage::build()
        .message_id(format!("me-{id}"))
        .payload(sleep.to_string().into());
    let sent = js.send_publish(format!("w.me.{id}"), message).await;
    sent.expect("a task sent").into_future()
}

pub(crate) async fn work(url: &str, slots: usize) {
    let client = async_nats::connect(url).await.expect("a server");
    let js = jetstream::new(client.clone());
    let mut go = client.subscribe("go").await.expect("a subscription");
    let consumer: jetstream::consumer::PullConsumer = js
        .get_consumer_from_stream("workers", "W")
        .await
        .expect("a consumer");
    let name = std::process::id().to_string();
    while timeout(AGAIN, go.next()).await.is_err() {
        let told = client.publish("ready", name.clone().into()).await;
        told.expect("a message sent");
    }
    let pulled = consumer.stream().max_messages_per_batch(slots).messages();
    let messages = pulled.await.expect("messages");
    messages
        .for_each_concurrent(slots, async |message| {
            run(&js, &message.expect("a message")).await;
        })
        .await;
}

/// Runs a task, stores its result if there is none, and has the server confirm that the task is done.
async fn run(js: &Context, task: &Message) {
    let took = crate::sleep(number(&task.payload)).await;
    let id = task.subject.rsplit('.').next().expect("an id");
    let result = PublishMessage::build()
        .expected_last_subject_sequence(0)
        .payload(took.to_string().into());
    let sent = js.send_publish(format!("r.me.{id}"), result).await;
    sent.expect("a result sent").await.expect("a stored result");
    task.double_ack().await.expect("a confirmation");
}

fn number(payload: &[u8]) -> u64 {
    let text = std::str::from_utf8(payload).expect("a number");
    text.parse().expect("a number")
}
