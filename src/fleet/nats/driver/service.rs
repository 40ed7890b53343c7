use std::time::{Duration, Instant};

use async_nats::{Subject, Subscriber};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::PROGRESS;
use super::clock;
use super::control::moment;
use super::reading::Controls;
use super::state::State;
use super::steps::Step;
use super::sweep::Sweeper;
use super::timers;
use crate::fleet::error::EngineError;
use crate::fleet::floor::FloorFinder;
use crate::fleet::info::WorkerReport;
use crate::fleet::nats::link::Link;
use crate::fleet::ticket::End;
use crate::fleet::wire::Event;

/// How often it is found out which fences and leases are still needed, and what the server's clock says.
const COLLECT: Duration = Duration::from_secs(10);

/// How many more of what has come are looked at, before it is looked at what is due.
const BATCH: usize = 32;

/// What comes from outside.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) connections: watch::Receiver<bool>,
    pub(super) ended: mpsc::UnboundedReceiver<(u64, End)>,
    pub(super) values: mpsc::Receiver<(u64, Vec<u8>)>,
    pub(super) stops: mpsc::UnboundedReceiver<Duration>,
    pub(super) report: oneshot::Sender<WorkerReport>,
}

/// What comes from the server.
struct Subscriptions {
    inbox: Subscriber,
    answers: Subscriber,
    questions: Subscriber,
    control: Controls,
    /// What is published for the control stream.
    published: Subscriber,
    steps: mpsc::UnboundedReceiver<Step>,
    ticks: Interval,
    echoes: Interval,
}

/// Subscribes. What is returned does all the rest, until the worker has stopped.
pub(super) async fn start(
    mut state: State,
    inputs: Inputs,
) -> Result<impl Future<Output = ()> + Send + 'static, EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Rejected(error.to_string());
    let client = state.link.client.clone();
    let subscribe = async |subject: Subject| {
        let subscribed = client.subscribe(subject).await;
        subscribed.map_err(|error| failed(&error))
    };
    let inbox = subscribe(state.inbox.tasks.clone()).await?;
    let answers = subscribe(state.inbox.answers().into()).await?;
    let questions = subscribe(state.link.names.question().into()).await?;
    let published = subscribe(state.link.names.all("c.>").into()).await?;
    let control = Controls::read(&state);
    let steps = state.stepped.take().ok_or(EngineError::Disconnected)?;
    tokio::spawn(timers::run(state.link.clone(), state.steps.clone()));
    tokio::spawn(collect(state.link.clone(), state.steps.clone()));
    let subscriptions = Subscriptions {
        inbox,
        answers,
        questions,
        control,
        published,
        steps,
        ticks: every(state.rules.granularity()),
        echoes: every(state.lease / 10),
    };
    Ok(run(state, inputs, subscriptions))
}

/// Does everything, one thing after the other, until the worker has stopped.
async fn run(mut state: State, mut inputs: Inputs, mut from: Subscriptions) {
    loop {
        tokio::select! {
            // In this order: what has come from a connection is looked at after its end is known, and what a user can
            // send much of comes last.
            biased;
            Ok(()) = inputs.connections.changed() => {
                let connected = *inputs.connections.borrow_and_update();
                state.connection_changed(connected, Instant::now());
            }
            _ = from.echoes.tick() => state.send_echo(Instant::now()),
            Some(item) = from.control.items.recv() => state.control_item(item),
            Some(_) = from.published.next() => state.control_published(Instant::now()),
            message = from.inbox.next(), if !state.is_drained() => {
                let now = Instant::now();
                let more = std::iter::from_fn(|| from.inbox.next().now_or_never()).take(BATCH);
                std::iter::once(message).chain(more).for_each(|message| match message {
                    Some(message) => state.arrived(message, now),
                    None => state.drained(),
                });
            }
            Some(message) = from.answers.next() => {
                let more = std::iter::from_fn(|| from.answers.next().now_or_never()?).take(BATCH);
                let now = Instant::now();
                std::iter::once(message).chain(more).for_each(|message| state.answer_arrived(&message, now));
            }
            Some((key, end)) = inputs.ended.recv() => {
                // What a task has told before its end comes before its outcome.
                let told = std::iter::from_fn(|| inputs.values.try_recv().ok()).take(PROGRESS);
                told.for_each(|(key, value)| state.tell(key, Event::Progress(value)));
                state.ended(key, end);
                let more = std::iter::from_fn(|| inputs.ended.try_recv().ok()).take(BATCH);
                more.for_each(|(key, end)| state.ended(key, end));
            }
            Some(step) = from.steps.recv() => state.step(step, Instant::now()),
            Some(grace) = inputs.stops.recv() => state.begin_stop(grace, Instant::now()),
            Some(message) = from.questions.next() => state.answer(&message, Instant::now()),
            Some((key, value)) = inputs.values.recv() => state.tell(key, Event::Progress(value)),
            _ = from.ticks.tick() => {}
        }
        let now = Instant::now();
        if state.takes_controls_anew(now) {
            from.control = Controls::read(&state);
        }
        state.look_after(now);
        if state.leaves() {
            let _ = from.inbox.drain().await;
        }
        if state.continue_stop(now) {
            break;
        }
    }
    state.abandon();
    let _ = inputs.report.send(state.report());
}

impl State {
    /// What may be due after anything has happened.
    fn look_after(&mut self, now: Instant) {
        self.keep_leases(now);
        self.keep_deadlines(now);
        self.start_ready(now);
        self.repeat_conclusions(now);
        self.check_silence(now);
        self.ask_majority(now);
        self.ask(now);
    }

    fn step(&mut self, step: Step, now: Instant) {
        match step {
            Step::Renewed { key, sent } => self.renewed(key, sent, now),
            Step::Checked { key, starts } => self.checked(key, starts),
            Step::Elsewhere { key } => self.found_elsewhere(key),
            Step::Over { key } => self.acknowledge(key),
            Step::Recorded { key } => self.recorded(key, now),
            Step::Acknowledged { key } => self.acknowledged(key),
            Step::Returned { key } => drop(self.remove(key)),
            Step::Permits { asked, permits } => self.permits_told(asked, permits, now),
            Step::Stored { sent, is_stored } => self.presence_stored(sent, is_stored, now),
            Step::Deliveries { last, connected } => self.give_up_forgotten(last, connected),
            Step::Clock(clock) => self.clock = Some(clock),
            Step::Floor { floor } => self.forget_fences(floor),
            Step::Last { last, control } => self.forget_old_fences(last, control),
            Step::Delayed(delayed) => self.delayed(*delayed),
            Step::Refused => self.figures.refused += 1,
        }
    }

    /// The server has forgotten the message, so that its number of starts is not needed any more.
    pub(super) fn acknowledged(&mut self, key: u64) {
        let Some(task) = self.remove(key).filter(|task| task.redelivered) else {
            return;
        };
        let link = self.link.clone();
        let sequence = task.sequence;
        tokio::spawn(async move {
            if let Ok(stream) = link.stream(&link.names.starts_stream()).await {
                let subject = link.names.starts(sequence);
                let _ = stream.purge().filter(subject).await;
            }
        });
    }

    fn is_drained(&self) -> bool {
        self.stopping.is_some_and(|stopping| stopping.drained)
    }

    fn drained(&mut self) {
        if let Some(stopping) = &mut self.stopping {
            stopping.drained = true;
        }
    }
}

/// Finds out from time to time what time it is at the server, and which tasks are over, with a lease or without.
async fn collect(link: Link, steps: mpsc::UnboundedSender<Step>) {
    let mut finder = FloorFinder::default();
    let [mut work, mut delayed] = Sweeper::of(&link);
    while !steps.is_closed() {
        tokio::time::sleep(COLLECT).await;
        clock::read(link.clone(), steps.clone()).await;
        if let Some((last, control)) = work.last_task().await {
            let _ = steps.send(Step::Last { last, control });
        }
        work.sweep().await;
        delayed.sweep().await;
        let floor = moment(&link).await.and_then(|now| finder.observe(now));
        if let Some(floor) = floor {
            let _ = steps.send(Step::Floor { floor });
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}
