use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::DriverOptions;
use super::address::Inbox;
use super::inbox::server_of;
use super::reading::Reading;
use super::steps::Step;
use super::tasks::Task;
use crate::fleet::admission::Admission;
use crate::fleet::clock::ServerClock;
use crate::fleet::demand::Demand;
use crate::fleet::echo::Echoes;
use crate::fleet::fence::Fences;
use crate::fleet::lease::{LeaseRules, Leases};
use crate::fleet::majority::Majority;
use crate::fleet::nats::link::Link;
use crate::fleet::nats::setup::PoolFacts;
use crate::fleet::repeats::Repeats;
use crate::fleet::ticket::Start;

/// Time after which the server ends a request for tasks.
pub(super) const PULL_EXPIRES: Duration = Duration::from_secs(5);

/// More tasks than a worker asks for at a time, however many its local pool may run.
const MOST_SLOTS: usize = 65_536;

/// Everything that a worker knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) link: Link,
    pub(super) id: String,
    pub(super) options: DriverOptions,
    pub(super) lease: Duration,
    pub(super) rules: LeaseRules,
    pub(super) leases: Leases,
    pub(super) majority: Majority,
    pub(super) admission: Admission,
    pub(super) demand: Demand,
    pub(super) echoes: Echoes,
    /// The server that there is a connection to, by the id that it has got at its start.
    pub(super) server: String,
    /// When the server was heard of last.
    pub(super) heard: Instant,
    /// While there is no connection: what arrived before is in the server's files.
    pub(super) stored_until: Option<Instant>,
    /// `None` until the server has told its time on this connection.
    pub(super) clock: Option<ServerClock>,
    pub(super) fences: Fences,
    pub(super) repeats: Repeats,
    /// By the number that this worker gives a task at its delivery.
    pub(super) tasks: HashMap<u64, Task>,
    /// The task that was last delivered as a message, by the sequence number of the message.
    pub(super) keys: HashMap<u64, u64>,
    pub(super) next_key: u64,
    /// When running tasks expire.
    pub(super) deadlines: BTreeSet<(Instant, u64)>,
    /// When it is looked for what has to be sent again.
    pub(super) next_repeat: Instant,
    /// When the server may be asked about the permits. `None` while it is.
    pub(super) next_permits: Option<Instant>,
    pub(super) figures: Figures,
    pub(super) since: Instant,
    pub(super) inbox: Inbox,
    pub(super) controls: Reading,
    /// When the control stream is read anew, unless something comes from there before.
    pub(super) control_due: Option<Instant>,
    pub(super) stopping: Option<Stopping>,
    pub(super) starts: Option<mpsc::UnboundedSender<Start>>,
    pub(super) steps: mpsc::UnboundedSender<Step>,
    pub(super) stepped: Option<mpsc::UnboundedReceiver<Step>>,
}

/// What a worker has done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) started: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) retried: u64,
    pub(super) given_back: u64,
    pub(super) lost: u64,
    pub(super) refused: u64,
}

/// A worker that is stopping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    /// When running tasks are given back.
    pub(super) grace_ends: Instant,
    /// `true` once they are.
    pub(super) grace_is_over: bool,
    /// When no more is waited for.
    pub(super) ends: Instant,
    /// `true` once the worker does not listen for deliveries any more.
    pub(super) leaving: bool,
    /// `true` if no delivery can arrive any more.
    pub(super) drained: bool,
}

impl State {
    pub(super) fn new(
        link: Link,
        facts: PoolFacts,
        id: String,
        options: DriverOptions,
        starts: mpsc::UnboundedSender<Start>,
    ) -> Self {
        let now = Instant::now();
        let lease = facts.lease;
        let rules = LeaseRules::new(lease);
        let (steps, stepped) = mpsc::unbounded_channel();
        Self {
            inbox: Inbox::new(&link.client),
            server: server_of(&link),
            link,
            id,
            options,
            lease,
            rules,
            leases: Leases::new(rules),
            majority: Majority::new(facts.replicas, lease),
            admission: Admission::default(),
            demand: Demand::new(PULL_EXPIRES, now),
            echoes: Echoes::new(),
            heard: now,
            stored_until: None,
            clock: None,
            fences: Fences::default(),
            repeats: Repeats::default(),
            tasks: HashMap::new(),
            keys: HashMap::new(),
            next_key: 0,
            deadlines: BTreeSet::new(),
            next_repeat: now,
            next_permits: Some(now),
            figures: Figures::default(),
            since: now,
            controls: Reading::Behind,
            control_due: None,
            stopping: None,
            starts: Some(starts),
            steps,
            stepped: Some(stepped),
        }
    }

    /// Number of tasks that may run here at a time. It is that of the local pool, which may be resized.
    pub(super) fn slots(&self) -> usize {
        self.options.pool.size().min(MOST_SLOTS)
    }

    /// Removes a task and all that is known of it. The permit is whose it was.
    pub(super) fn remove(&mut self, key: u64) -> Option<Task> {
        self.leases.remove(key);
        self.admission.withdraw(key);
        let task = self.tasks.remove(&key)?;
        if self.keys.get(&task.sequence) == Some(&key) {
            self.keys.remove(&task.sequence);
        }
        Some(task)
    }

    /// Runs `helper` for a task, and then takes the step that it returns. It is dropped with the task.
    pub(super) fn help<F>(&mut self, key: u64, helper: F)
    where
        F: Future<Output = Step> + Send + 'static,
    {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        let steps = self.steps.clone();
        let running = tokio::spawn(async move {
            let _ = steps.send(helper.await);
        });
        if let Some(earlier) = task.helper.replace(running.abort_handle()) {
            earlier.abort();
        }
    }
}
