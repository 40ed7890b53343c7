use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot, watch};

use super::admin;
use super::attach;
use super::connect::Nats;
use super::link::{Link, StoreError, header_of, message};
use super::outcomes;
use super::patience::patiently;
use super::publisher::{Inputs, Publisher, Submission};
use super::setup::{self, PoolFacts, PoolSettings};
use super::thread::Thread;
use super::waiters::{Settled, Waiters};
use crate::fleet::error::EngineError;
use crate::fleet::info::{FleetStats, TaskInfo, WorkerInfo};
use crate::fleet::wire::headers::EVENT;
use crate::fleet::wire::{Control, Event, Fence, FenceKey, Names};

/// What the server adds to a message on its way, in bytes, at most.
const OVERHEAD: usize = 512;

/// A client's connection to one pool.
#[derive(Debug)]
pub(crate) struct Client {
    thread: Thread,
    link: Link,
    submissions: mpsc::UnboundedSender<Submission>,
    waiters: Arc<Waiters>,
    owner: String,
    next: AtomicU64,
    patience: Duration,
}

/// A task that was handed over for submission.
#[derive(Debug)]
pub(crate) struct Subscribed {
    pub(crate) outcome: oneshot::Receiver<Settled>,
    pub(crate) started: Option<oneshot::Receiver<()>>,
}

impl Client {
    pub(crate) async fn connect(
        nats: Nats,
        names: Names,
        settings: PoolSettings,
        patience: Duration,
    ) -> Result<(Self, PoolFacts), EngineError> {
        let thread = Thread::start()?;
        let opened = thread
            .run(async move {
                let (client, connections) = nats.connect().await?;
                let link = Link::new(client, names);
                let facts = setup::open(&link, &settings).await?;
                let from = admin::last_sequence(&link, &link.names.result_stream()).await? + 1;
                Ok::<_, EngineError>((link, connections, facts, from))
            })
            .await?;
        let (link, connections, facts, from) = opened?;
        let (submissions, submitted) = mpsc::unbounded_channel();
        let client = Self {
            thread,
            link,
            submissions,
            waiters: Arc::default(),
            owner: new_owner(),
            next: AtomicU64::new(0),
            patience,
        };
        client.publish(submitted, connections.clone()).await?;
        client.listen().await?;
        let (waiters, owner) = (client.waiters.clone(), client.owner.clone());
        let outcomes = outcomes::read(client.link.clone(), waiters, owner, from, connections);
        client.thread.spawn_service(outcomes);
        Ok((client, facts))
    }

    /// The token of this client, to which outcomes are addressed.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns an id that no other task has.
    pub(crate) fn new_id(&self) -> String {
        format!(
            "{}-{}",
            self.owner,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// Hands a task over. Tasks reach the server in the order of these calls.
    ///
    /// # Errors
    ///
    /// [`EngineError::TooLarge`], and [`EngineError::Disconnected`] if the thread has ended.
    pub(crate) fn submit(&self, submission: Submission) -> Result<Subscribed, EngineError> {
        self.check_size(&submission)?;
        let id = submission.envelope.id.clone();
        let notify = submission.envelope.notify;
        let subscription = self.waiters.wait_for(&id);
        let started = notify.then(|| self.waiters.wait_for_start(&id));
        if subscription.known {
            submission.receipt.tell(Ok(()));
        } else if self.submissions.send(submission).is_err() {
            drop(subscription);
            self.waiters.forget(&id);
            return Err(EngineError::Disconnected);
        }
        Ok(Subscribed {
            outcome: subscription.outcome,
            started,
        })
    }

    /// Cancels the tasks of `key` that the server has accepted. Resolves when the fence is stored.
    pub(crate) async fn cancel(&self, key: FenceKey) -> Result<(), EngineError> {
        let (link, patience) = (self.link.clone(), self.patience);
        self.thread
            .run(async move { fence(&link, key, patience).await })
            .await?
    }

    /// Cancels the tasks of `keys`, once none of them is under way to the server any more: `arrived` resolves then.
    /// Returns at once.
    pub(crate) fn abandon(
        &self,
        keys: Vec<FenceKey>,
        arrived: impl Future<Output = ()> + Send + 'static,
    ) {
        let (link, patience) = (self.link.clone(), self.patience);
        self.thread.spawn(async move {
            arrived.await;
            for key in keys {
                let _ = fence(&link, key, patience).await;
            }
        });
    }

    /// Returns `true` if the server is known to have the task that a handle waits for.
    pub(crate) fn is_accepted(&self, id: &str) -> bool {
        self.waiters.is_accepted(id)
    }

    /// Waits for a task that another client has submitted.
    pub(crate) fn attach(&self, id: String) -> oneshot::Receiver<Settled> {
        let subscription = self.waiters.wait_for(&id);
        if !subscription.known {
            let (link, waiters) = (self.link.clone(), self.waiters.clone());
            self.thread.spawn_service(attach::attach(link, waiters, id));
        }
        subscription.outcome
    }

    /// Reads the progress of a task from now on.
    pub(crate) fn progress(&self, id: &str) -> mpsc::Receiver<Vec<u8>> {
        self.waiters.progress_of(id)
    }

    pub(crate) fn forget(&self, id: &str) {
        self.waiters.forget(id);
    }

    /// Waits until no handle waits for an outcome, and `condition` is true.
    pub(crate) async fn idle(&self, condition: impl Fn() -> bool) {
        self.waiters.idle(condition).await;
    }

    /// Makes [`idle`](Self::idle) look at its condition again.
    pub(crate) fn look_again(&self) {
        self.waiters.look_again();
    }

    pub(crate) async fn set_paused(&self, paused: bool) -> Result<(), EngineError> {
        let (link, patience) = (self.link.clone(), self.patience);
        self.thread
            .run(async move { send(&link, &Control::Paused(paused), patience).await })
            .await?
    }

    pub(crate) async fn resize(&self, size: usize) -> Result<(), EngineError> {
        let resize = move |link: Link| async move { setup::resize(&link, size).await };
        self.ask(resize).await
    }

    pub(crate) async fn stats(&self) -> Result<FleetStats, EngineError> {
        self.ask(|link: Link| async move { admin::stats(&link).await })
            .await
    }

    pub(crate) async fn join(&self) -> Result<(), EngineError> {
        let (link, patience) = (self.link.clone(), self.patience);
        self.thread
            .run(async move { admin::join(&link, patience).await })
            .await?
    }

    pub(crate) async fn workers(&self, answers: Duration) -> Result<Vec<WorkerInfo>, EngineError> {
        let workers = move |link: Link| async move { admin::workers(&link, answers).await };
        self.ask(workers).await
    }

    pub(crate) async fn tasks(
        &self,
        limit: usize,
        answers: Duration,
    ) -> Result<Vec<TaskInfo>, EngineError> {
        let tasks = move |link: Link| async move { admin::tasks(&link, limit, answers).await };
        self.ask(tasks).await
    }

    /// Asks the server until it answers, for at most as long as calls may take.
    async fn ask<T, F>(
        &self,
        question: impl Fn(Link) -> F + Send + 'static,
    ) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, EngineError>> + Send + 'static,
    {
        let (link, patience) = (self.link.clone(), self.patience);
        self.thread
            .run(async move { patiently(patience, move || question(link.clone())).await })
            .await?
    }

    fn check_size(&self, submission: &Submission) -> Result<(), EngineError> {
        let limit = self.link.client.max_payload();
        let bytes = submission.arguments.len() + OVERHEAD;
        if limit > 0 && bytes > limit {
            return Err(EngineError::TooLarge { bytes, limit });
        }
        Ok(())
    }

    /// Sends the tasks that are submitted.
    async fn publish(
        &self,
        submissions: mpsc::UnboundedReceiver<Submission>,
        connections: watch::Receiver<bool>,
    ) -> Result<(), EngineError> {
        let (link, waiters, owner) = (self.link.clone(), self.waiters.clone(), self.owner.clone());
        let (duplicates, found) = mpsc::unbounded_channel();
        let publisher = Publisher::new(link.clone(), waiters.clone(), duplicates, self.patience);
        let answers = self.subscribe(publisher.answers()).await?;
        self.thread.spawn_service(publisher.run(Inputs {
            submissions,
            answers,
            connections,
        }));
        self.thread
            .spawn_service(attach::duplicates(link, waiters, owner, found));
        Ok(())
    }

    async fn subscribe(&self, subject: String) -> Result<Subscriber, EngineError> {
        let client = self.link.client.clone();
        let subscribed = self
            .thread
            .run(async move { client.subscribe(subject).await });
        subscribed
            .await?
            .map_err(|error| EngineError::Rejected(error.to_string()))
    }

    /// Reads what this client's tasks tell while they run.
    async fn listen(&self) -> Result<(), EngineError> {
        let (link, waiters) = (self.link.clone(), self.waiters.clone());
        let mut events = self.subscribe(link.names.event(&self.owner, "*")).await?;
        self.thread.spawn_service(async move {
            while let Some(message) = events.next().await {
                let tokens = link.names.tokens("e", &message.subject);
                let event = Event::parse(header_of(&message, EVENT), &message.payload);
                if let (Some([_, id]), Some(event)) = (tokens.as_deref(), event) {
                    waiters.event(id, event);
                }
            }
        });
        Ok(())
    }
}

/// Returns a token of 64 random bits. It is in each message of the client, several times, so that a longer one would cost
/// time.
fn new_owner() -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = RandomState::new().hash_one(Instant::now());
    let digit = || {
        let digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
        char::from(digit)
    };
    // 62 to the power of 11 is more than 2 to the power of 64.
    std::iter::repeat_with(digit).take(11).collect()
}

/// Stores a fence that covers all tasks of `key` that the server has now.
async fn fence(link: &Link, key: FenceKey, patience: Duration) -> Result<(), EngineError> {
    let asked = Instant::now();
    let stream = link.names.work_stream();
    let last = || admin::last_sequence(link, &stream);
    let upto = patiently(patience, last).await?;
    let left = patience.saturating_sub(asked.elapsed());
    send(link, &Control::Fence(Fence { key, upto }), left).await
}

async fn send(link: &Link, control: &Control, patience: Duration) -> Result<(), EngineError> {
    let (subject, payload) = control.message(&link.names);
    let message = message(None, payload);
    match link.store_patiently(&subject, &message, patience).await {
        Ok(_) => Ok(()),
        Err(StoreError::Unknown(error) | StoreError::Refused(error)) => Err(error),
        Err(StoreError::Exists) => Err(EngineError::Rejected("wrong sequence".to_owned())),
    }
}
