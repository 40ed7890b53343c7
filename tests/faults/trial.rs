//! One await point, one fault, and what has to be so afterwards.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use aiopool::AioPool;

use crate::faults::{Event, Fault};
use crate::hand::{Hand, Mood};
use crate::points::{Awaiting, End, Gives, Point, Stage, Where, end};
use crate::work::Work;

/// Where the point is awaited.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum From {
    Outside,
    Task,
    TaskOfGroup,
}

impl From {
    pub(crate) fn suits(self, point: &Point) -> bool {
        self == Self::Outside || point.from == Where::Anywhere
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outside => "outside",
            Self::Task => "in a task",
            Self::TaskOfGroup => "in a task of a group",
        })
    }
}

/// How often the runtime and the future are polled, with a millisecond between.
const ROUNDS: usize = 20;

struct Trial {
    hand: Hand,
    pool: AioPool,
    work: Work,
    awaiting: Option<Awaiting>,
    waker: Arc<Flag>,
    polls: usize,
    given: Option<Vec<End>>,
}

/// A waker that notes that it was woken, and may panic.
struct Flag {
    woken: AtomicBool,
    panics: bool,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        assert!(!self.panics, "on purpose, in a waker");
    }
}

/// Lets the fault happen at the point.
///
/// # Errors
///
/// Says what is not as it should be.
pub(crate) fn run(point: &Point, fault: &Fault, from: From) -> Result<(), String> {
    let mut trial = Trial::new(point, fault, from);
    trial.let_it_happen(fault.event);
    trial.go_on();
    if trial.awaiting.is_some() {
        trial.expect_the_end(point, fault)?;
    }
    trial.check_ends(point, fault, from)?;
    trial.clean_up();
    trial.check_rest()
}

impl Trial {
    fn new(point: &Point, fault: &Fault, from: From) -> Self {
        let hand = Hand::new();
        if let Event::Mood(mood) = fault.event {
            hand.set_mood(mood);
        }
        let pool = AioPool::with_spawner(3, hand.clone());
        let work = Work::new(fault.conduct);
        let stage = |pool: &AioPool| Stage {
            pool: pool.clone(),
            work: work.clone(),
        };
        let make = point.make;
        let awaiting: Awaiting = match from {
            From::Outside => make(stage(&pool)),
            From::Task => in_a_task(&pool, stage(&pool), make),
            From::TaskOfGroup => {
                let group = pool.keyed("around", 2);
                in_a_task(&group, stage(&group), make)
            }
        };
        let waker = Arc::new(Flag {
            woken: AtomicBool::new(true),
            panics: fault.event == Event::WakerPanics,
        });
        Self {
            hand,
            pool,
            work,
            awaiting: Some(awaiting),
            waker,
            polls: 0,
            given: None,
        }
    }

    /// Polls the future, if it is woken.
    fn poll(&mut self) {
        let Some(awaiting) = &mut self.awaiting else {
            return;
        };
        if !self.waker.woken.swap(false, SeqCst) {
            return;
        }
        self.polls += 1;
        let waker = Waker::from(self.waker.clone());
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| awaiting.as_mut().poll(&mut cx)));
        match polled {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(ends)) => self.given = Some(ends),
            // The future has woken its own task, so that the panic comes to the task.
            Err(payload) if message(payload.as_ref()).contains("in a waker") => {}
            // That of code in place comes to the caller.
            Err(payload) if message(payload.as_ref()).contains("on purpose") => {
                self.given = Some(vec![End::Panic]);
            }
            Err(payload) => std::panic::resume_unwind(payload),
        }
        self.drop_future();
    }

    fn drop_future(&mut self) {
        let awaiting = self.awaiting.take();
        // What it owns may panic when it is dropped.
        drop(catch_unwind(AssertUnwindSafe(|| drop(awaiting))));
    }

    fn let_it_happen(&mut self, event: Event) {
        match event {
            Event::Nothing | Event::Mood(_) | Event::WakerPanics => {}
            Event::Dropped(polls) => {
                for _ in 0..polls {
                    self.waker.woken.store(true, SeqCst);
                    self.poll();
                    self.hand.run();
                }
                self.drop_future();
            }
            Event::RuntimeEnds => {
                self.poll();
                self.hand.end();
            }
            Event::RuntimeEndsLater => {
                self.poll();
                self.hand.run();
                self.poll();
                self.hand.end();
            }
            Event::WorkerDropped => {
                self.poll();
                self.hand.drop_one();
            }
            Event::WorkerDroppedLater => {
                self.poll();
                self.hand.poll_each();
                self.hand.drop_one();
            }
        }
    }

    fn go_on(&mut self) {
        for _ in 0..ROUNDS {
            self.poll();
            self.hand.run();
            self.poll();
            self.hand.pass(Duration::from_millis(1));
        }
    }

    /// What waits for tasks that never end has its end when they are stopped.
    fn expect_the_end(&mut self, point: &Point, fault: &Fault) -> Result<(), String> {
        if !fault.conduct.is_endless() {
            return Err(format!("it is still pending, after {} polls", self.polls));
        }
        self.pool.abort_all();
        self.go_on();
        if let Gives::InPlace(_) = point.gives {
            self.drop_future();
        } else if self.given.is_none() {
            return Err("it is still pending, although all tasks were stopped".to_owned());
        }
        Ok(())
    }

    fn check_ends(&self, point: &Point, fault: &Fault, from: From) -> Result<(), String> {
        let Some(given) = &self.given else {
            return Ok(());
        };
        let (most, stops) = match point.gives {
            Gives::Ends(most) => (most, false),
            Gives::FromATask => (1, false),
            // What waits outside of tasks is not stopped with them, and a panic comes to the caller.
            Gives::InPlace(most) => (most.max(1), true),
            Gives::Stops(most) => (most.max(1), true),
        };
        // The task around may be stopped itself, or lost with its runtime.
        let is_around = from != From::Outside || point.gives == Gives::FromATask;
        let is_end_of_around = |end: &End| {
            let is_lost = fault
                .ends
                .iter()
                .any(|end| matches!(end, End::Cancelled | End::Rejected));
            let is_endless = fault.conduct.is_endless();
            is_around && (is_endless && *end == End::Cancelled || is_lost && *end == End::Rejected)
        };
        let most = if from == From::Outside {
            most
        } else {
            most.max(1)
        };
        let is_lost = |end: &End| matches!(end, End::Cancelled | End::TimedOut | End::Value);
        let is_right =
            |end: &&End| fault.ends.contains(end) || stops && is_lost(end) || is_end_of_around(end);
        let wrong: Vec<&End> = given.iter().filter(|end| !is_right(end)).collect();
        if given.len() > most || !wrong.is_empty() {
            return Err(format!("it gave {given:?}"));
        }
        Ok(())
    }

    /// Stops what is left, as a user would.
    fn clean_up(&mut self) {
        self.drop_future();
        self.hand.set_mood(Mood::Takes);
        self.pool.resume();
        self.pool.abort_all();
        for _ in 0..ROUNDS {
            self.hand.run();
            self.hand.pass(Duration::from_millis(1));
        }
    }

    fn check_rest(&self) -> Result<(), String> {
        let (pool, stats) = (&self.pool, self.pool.stats());
        let what = |what: &str| Err(format!("{what}: {stats:?}, {:?}", pool.tasks()));
        let ended = stats.completed + stats.panicked + stats.cancelled + stats.timed_out;
        if !pool.is_empty() || pool.is_full() || !pool.tasks().is_empty() {
            return what("the pool is not idle");
        }
        if stats.submitted != ended + stats.rejected {
            return what("the counters do not add up");
        }
        if self.work.alive() > 0 {
            return what(&format!("{} futures are left", self.work.alive()));
        }
        if !pool.groups().is_empty() {
            return what(&format!("{:?} are left", pool.groups()));
        }
        let mut task = pool.spawn_n(async {});
        self.hand.run();
        match task.try_join().map(end) {
            Some(End::Value) => Ok(()),
            other => what(&format!("a new task has ended as {other:?}")),
        }
    }
}

/// Awaits the point in a task, and gives what it gave, or how the task has ended.
fn in_a_task(pool: &AioPool, stage: Stage, make: fn(Stage) -> Awaiting) -> Awaiting {
    let task = pool
        .spawn_n(async move { make(stage).await })
        .abort_on_drop();
    Box::pin(async move {
        let outcome = task.await;
        outcome.unwrap_or_else(|error| vec![end::<()>(Err(error))])
    })
}

pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}
