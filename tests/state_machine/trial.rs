//! A pool and its model, to which the same happens.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use aiopool::{AioPool, Feed, JoinHandle, Permit};

use crate::executor::{Ended, Hand};
use crate::model::{At, INTERVAL, Kind, Model, Node, Outcome};
use crate::puppet::Puppet;
use crate::step::{AROUND, Setup, Step};

/// What was submitted to the pool, by its number in the model.
#[derive(Default)]
pub(crate) struct Real {
    pub(crate) puppets: BTreeMap<usize, Puppet>,
    pub(crate) handles: BTreeMap<usize, JoinHandle<usize>>,
    /// What was read from handles already.
    pub(crate) outcomes: BTreeMap<usize, Outcome>,
    pub(crate) feeds: BTreeMap<usize, Feed>,
    pub(crate) spawns: BTreeMap<usize, Waiting<Option<JoinHandle<usize>>>>,
    pub(crate) acquires: BTreeMap<usize, Waiting<Permit>>,
    pub(crate) permits: BTreeMap<usize, Permit>,
    pub(crate) joins: Vec<(At, Waiting<()>)>,
}

pub(crate) struct Trial {
    pub(crate) hand: Hand,
    pub(crate) pools: Vec<AioPool>,
    pub(crate) model: Model,
    pub(crate) real: Real,
}

/// A future outside of the pool, which is polled when it is woken.
pub(crate) struct Waiting<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    woken: Arc<Flag>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl<T> Waiting<T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'static) -> Self {
        Self {
            future: Box::pin(future),
            woken: Arc::new(Flag(AtomicBool::new(true))),
        }
    }

    pub(crate) fn poll(&mut self) -> Option<T> {
        while self.woken.0.swap(false, SeqCst) {
            let waker = Waker::from(self.woken.clone());
            if let Poll::Ready(output) = self.future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return Some(output);
            }
        }
        None
    }
}

impl Trial {
    pub(crate) fn new(setup: &Setup) -> Self {
        let hand = Hand::new();
        let [rules, ..] = setup.nodes;
        let mut builder = AioPool::builder().spawner(hand.clone()).size(rules.size);
        if let Some(rate) = rules.rate {
            builder = builder.rate(rate as u32, INTERVAL);
        }
        if let Some(waiting) = rules.max_waiting {
            builder = builder.max_waiting(waiting);
        }
        let mut pools = vec![builder.build().unwrap()];
        for (at, rules) in setup.nodes.iter().enumerate().skip(1) {
            let around = &pools[AROUND[at].unwrap()];
            let group = around.group_with(format!("group {at}"), |mut group| {
                group = group.size(rules.size);
                if let Some(rate) = rules.rate {
                    group = group.rate(rate as u32, INTERVAL);
                }
                match rules.max_waiting {
                    Some(waiting) => group.max_waiting(waiting),
                    None => group,
                }
            });
            pools.push(group.unwrap());
        }
        let node = |(at, around): (usize, &Option<usize>)| Node {
            around: *around,
            size: setup.nodes[at].size,
            max_waiting: setup.nodes[at].max_waiting,
            rate: setup.nodes[at].rate,
            ..Node::default()
        };
        let model = Model::new(AROUND.iter().enumerate().map(node).collect());
        Self {
            hand,
            pools,
            model,
            real: Real::default(),
        }
    }

    /// Does a step to the pool and to the model.
    pub(crate) fn take(&mut self, step: &Step) {
        // So that no two things are due at the same moment by chance.
        if !self.advance(Duration::from_nanos(1001)) {
            return;
        }
        match *step {
            Step::Submit {
                at,
                verb,
                demand,
                limits,
            } => self.submit(at, verb, demand, limits),
            Step::Feed { at, items } => self.feed(at, items),
            Step::Acquire { demand } => self.acquire(demand),
            Step::Release { which } => self.release(which),
            Step::End { which, panics } => self.end(which, panics),
            Step::Lend { which } => self.lend(which),
            Step::ComeBack { which } => self.come_back(which),
            Step::Await { which, other } => self.make_await(which, other),
            Step::Abort { which } => self.abort(which),
            Step::AbortFeed { which } => self.abort_feed(which),
            Step::AbortAll { at } => self.stop_all(at, false),
            Step::CancelAll { at } => self.stop_all(at, true),
            Step::Advance { time } => _ = self.advance(time),
            Step::Join { at } => {
                let pool = self.pools[at].clone();
                let join = Waiting::new(async move { pool.join().await });
                self.real.joins.push((at, join));
            }
            _ => self.change(step),
        }
        self.hand.run();
    }

    /// Changes a pool or group, unless it depends on the runtime what comes of that.
    fn change(&mut self, step: &Step) {
        let change = |model: &mut Model| {
            let now = model.now;
            match *step {
                Step::Resize { at, size } => model.nodes[at].size = size,
                Step::Pause { at } => model.nodes[at].paused = true,
                Step::Resume { at } => model.nodes[at].paused = false,
                Step::Hold { at, time } => {
                    let node = &mut model.nodes[at];
                    node.held_until = node.held_until.max(now + time);
                }
                Step::Close { at } => model.nodes[at].closed = true,
                Step::Reopen { at } => model.nodes[at].closed = false,
                _ => unreachable!("{step:?} changes no pool"),
            }
            model.admit_all();
        };
        if self.model.is_open(change) {
            return;
        }
        match *step {
            Step::Resize { at, size } => self.pools[at].resize(size).unwrap(),
            Step::Pause { at } => self.pools[at].pause(),
            Step::Resume { at } => self.pools[at].resume(),
            Step::Hold { at, time } => self.pools[at].hold(time),
            Step::Close { at } => self.pools[at].close(),
            Step::Reopen { at } => self.pools[at].reopen(),
            _ => {}
        }
        change(&mut self.model);
    }

    /// Lets time pass, unless it depends on the runtime what comes of that.
    fn advance(&mut self, time: Duration) -> bool {
        let until = self.hand.time() + time;
        if self.model.is_open(|model| model.advance_to(until)) {
            return false;
        }
        self.advance_real(time);
        self.model.advance_to(until);
        true
    }

    /// Stops everything. Nothing is left of it then, and a new task runs.
    pub(crate) fn end_all(&mut self) -> Result<(), String> {
        let pool = self.pools[0].clone();
        for pool in &self.pools {
            pool.resume();
            pool.reopen();
        }
        self.real.permits.clear();
        self.real.acquires.clear();
        self.real.spawns.clear();
        pool.abort_all();
        self.advance_real(Duration::from_secs(1));
        let task = pool.spawn_n(async { 1 });
        self.advance_real(Duration::from_secs(1));
        let stats = pool.stats();
        let ended = stats.completed + stats.panicked + stats.cancelled + stats.timed_out;
        if !task.is_finished() || !pool.is_empty() || stats.submitted != ended + stats.rejected {
            return Err(format!(
                "in the end: {pool:?}, {stats:?}, {:?}",
                pool.tasks()
            ));
        }
        // The future of an item was not made if the item was not pulled.
        let is_item = |number: usize| matches!(self.model.entries[number].kind, Kind::Item(_));
        let left = self
            .real
            .puppets
            .iter()
            .find(|(number, puppet)| match puppet.seen() {
                (0, 0) => !is_item(**number),
                (_, drops) => drops != 1,
            });
        let left = left.map(|(number, puppet)| format!("{number} in the end: {:?}", puppet.seen()));
        left.map_or(Ok(()), Err)
    }

    fn advance_real(&mut self, time: Duration) {
        self.hand.run();
        let until = self.hand.time() + time;
        let mut timers = 0;
        while self.hand.step_to(until) == Ended::One {
            // Code in place starts when it is polled.
            self.poll_acquires();
            timers += 1;
            assert!(timers < 10_000, "the timers never end");
        }
    }
}
