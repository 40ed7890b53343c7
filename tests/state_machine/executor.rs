//! A runtime without a thread: it polls when it is told to, and its clock is moved by hand.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use aiopool::{Spawner, Worker};

/// Polls that one step may take. One that takes more goes on for ever.
const POLLS: usize = 100_000;

#[derive(Clone)]
pub(crate) struct Hand(Arc<Shared>);

struct Shared {
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    now: Duration,
    next: u64,
    /// The workers that are not being polled.
    workers: BTreeMap<u64, Worker>,
    /// The workers that were woken, in this order.
    woken: VecDeque<u64>,
    /// The wakers of the timers, by the times when they end.
    timers: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl Hand {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            begun: Instant::now(),
            state: Mutex::default(),
        }))
    }

    /// The time on the clock.
    pub(crate) fn time(&self) -> Duration {
        self.0.state.lock().unwrap().now
    }

    /// Polls the workers that are woken, until none is.
    pub(crate) fn run(&self) {
        for _ in 0..POLLS {
            let Some((number, mut worker)) = self.take_woken() else {
                return;
            };
            let waker = Waker::from(Arc::new(Woken(self.clone(), number)));
            let polled = Pin::new(&mut worker).poll(&mut Context::from_waker(&waker));
            if polled.is_pending() {
                self.0.state.lock().unwrap().workers.insert(number, worker);
            }
        }
        panic!("the workers wake each other for ever");
    }

    fn take_woken(&self) -> Option<(u64, Worker)> {
        let mut state = self.0.state.lock().unwrap();
        loop {
            let number = state.woken.pop_front()?;
            if let Some(worker) = state.workers.remove(&number) {
                return Some((number, worker));
            }
        }
    }

    /// Ends the first timer up to this time, and polls the workers. Without one, it is this time now.
    pub(crate) fn step_to(&self, time: Duration) -> Ended {
        let (waker, ended) = match self.end_first_timer(time) {
            Some(waker) => (waker, Ended::One),
            None => {
                self.0.state.lock().unwrap().now = time;
                (None, Ended::All)
            }
        };
        waker.into_iter().for_each(Waker::wake);
        self.run();
        ended
    }

    fn end_first_timer(&self, until: Duration) -> Option<Option<Waker>> {
        let mut state = self.0.state.lock().unwrap();
        let first = state.timers.first_entry()?;
        if first.key().0 > until {
            return None;
        }
        let ((end, _), waker) = first.remove_entry();
        state.now = state.now.max(end);
        Some(waker)
    }
}

/// The timers that have ended.
#[derive(PartialEq)]
pub(crate) enum Ended {
    One,
    All,
}

struct Woken(Hand, u64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let mut state = self.0.0.state.lock().unwrap();
        if !state.woken.contains(&self.1) {
            state.woken.push_back(self.1);
        }
    }
}

impl Spawner for Hand {
    fn spawn(&self, worker: Worker) {
        let mut state = self.0.state.lock().unwrap();
        state.next += 1;
        let number = state.next;
        state.workers.insert(number, worker);
        state.woken.push_back(number);
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let mut state = self.0.state.lock().unwrap();
        state.next += 1;
        let key = (state.now + duration, state.next);
        state.timers.insert(key, None);
        Some(Box::pin(Timer(self.clone(), key)))
    }

    fn now(&self) -> Instant {
        self.0.begun + self.time()
    }
}

struct Timer(Hand, (Duration, u64));

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.0.state.lock().unwrap();
        match state.timers.get_mut(&self.1) {
            None => Poll::Ready(()),
            Some(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let left = self.0.0.state.lock().unwrap().timers.remove(&self.1);
        drop(left);
    }
}
