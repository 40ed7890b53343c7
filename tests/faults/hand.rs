use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use aiopool::{Blocking, Spawner, Worker};

/// A runtime without a thread, to which faults happen. It polls, and its time passes, when a test says so.
#[derive(Clone)]
pub(crate) struct Hand(Arc<(Instant, Mutex<State>)>);

/// What the runtime does with a worker that it gets.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mood {
    Takes,
    /// It drops the worker.
    Refuses,
    Panics,
}

struct State {
    mood: Mood,
    now: Duration,
    next: u64,
    workers: BTreeMap<u64, Worker>,
    woken: VecDeque<u64>,
    blocking: VecDeque<Blocking>,
    timers: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl Hand {
    pub(crate) fn new() -> Self {
        let state = State {
            mood: Mood::Takes,
            now: Duration::ZERO,
            next: 0,
            workers: BTreeMap::new(),
            woken: VecDeque::new(),
            blocking: VecDeque::new(),
            timers: BTreeMap::new(),
        };
        Self(Arc::new((Instant::now(), Mutex::new(state))))
    }

    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.0.1.lock().unwrap())
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.with(|state| state.mood = mood);
    }

    /// Polls what is woken, until nothing is, and runs the blocking work.
    pub(crate) fn run(&self) {
        for _ in 0..10_000 {
            if let Some(work) = self.with(|state| state.blocking.pop_front()) {
                work.run();
                continue;
            }
            let Some((number, worker)) = self.with(State::take_woken) else {
                return;
            };
            self.poll(number, worker);
        }
        panic!("the workers wake each other for ever");
    }

    fn poll(&self, number: u64, mut worker: Worker) {
        let waker = Waker::from(Arc::new(Woken(self.clone(), number)));
        if Pin::new(&mut worker)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            self.with(|state| state.workers.insert(number, worker));
        }
    }

    /// Polls each worker that is woken once.
    pub(crate) fn poll_each(&self) {
        for _ in 0..self.with(|state| state.woken.len()) {
            let Some((number, worker)) = self.with(State::take_woken) else {
                return;
            };
            self.poll(number, worker);
        }
    }

    /// Lets the time pass.
    pub(crate) fn pass(&self, time: Duration) {
        let ended = self.with(|state| {
            state.now += time;
            let later = state
                .timers
                .split_off(&(state.now + Duration::from_nanos(1), 0));
            std::mem::replace(&mut state.timers, later)
        });
        ended.into_values().flatten().for_each(Waker::wake);
    }

    /// Drops one worker, as a runtime may that runs out of something.
    pub(crate) fn drop_one(&self) {
        let first = self.with(|state| state.workers.pop_first());
        drop(first);
    }

    /// Ends: it drops what it has, and takes nothing more. Its timers never end.
    pub(crate) fn end(&self) {
        self.set_mood(Mood::Refuses);
        while let Some(one) = self.with(|state| state.workers.pop_first()) {
            drop(one);
        }
        let blocking = self.with(|state| std::mem::take(&mut state.blocking));
        drop(blocking);
    }
}

impl State {
    fn take_woken(&mut self) -> Option<(u64, Worker)> {
        loop {
            let number = self.woken.pop_front()?;
            if let Some(worker) = self.workers.remove(&number) {
                return Some((number, worker));
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

struct Woken(Hand, u64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.with(|state| state.woken.push_back(self.1));
    }
}

impl Spawner for Hand {
    fn spawn(&self, worker: Worker) {
        let mood = self.with(|state| state.mood);
        match mood {
            Mood::Takes => self.with(|state| {
                let number = state.number();
                state.workers.insert(number, worker);
                state.woken.push_back(number);
            }),
            Mood::Refuses => drop(worker),
            Mood::Panics => panic!("it has no room"),
        }
    }

    fn spawn_blocking(&self, work: Blocking) {
        match self.with(|state| state.mood) {
            Mood::Takes => self.with(|state| state.blocking.push_back(work)),
            Mood::Refuses => drop(work),
            Mood::Panics => panic!("it has no thread"),
        }
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let key = self.with(|state| {
            let key = (state.now + duration, state.number());
            state.timers.insert(key, None);
            key
        });
        Some(Box::pin(Timer(self.clone(), key)))
    }

    fn now(&self) -> Instant {
        self.0.0 + self.with(|state| state.now)
    }
}

struct Timer(Hand, (Duration, u64));

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.with(|state| match state.timers.get_mut(&self.1) {
            None => Poll::Ready(()),
            Some(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let left = self.0.with(|state| state.timers.remove(&self.1));
        drop(left);
    }
}
