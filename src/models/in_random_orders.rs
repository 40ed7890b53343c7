//! Tries models by shuttle, in random orders.
//!
//! Without a seed, the orders are the same each time. The environment variable `SHUTTLE_RANDOM_SEED` is the seed of the
//! first order, and those of the others follow from it. A model that fails tells the seed of the order in which it does.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::RandomScheduler;
use shuttle::{Config, FailurePersistence, Runner};

/// Number of orders that each model is tried in. `AIOPOOL_SCHEDULES` sets another number.
const SCHEDULES: usize = 1000;

/// Size in bytes of the stack of each thread.
const STACK: usize = 1024 * 1024;

/// Tries a model in random orders.
pub(super) fn check(model: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("AIOPOOL_SCHEDULES").map_or(SCHEDULES, |number| {
        number.parse().expect("AIOPOOL_SCHEDULES is a number")
    });
    let mut config = Config::new();
    config.stack_size = STACK;
    // The seed says the same in one line.
    config.failure_persistence = FailurePersistence::None;
    Runner::new(RandomScheduler::new_from_seed(0, schedules), config).run(model);
}

/// Returns a number below `end`, which the seed decides as it does the order.
pub(super) fn choose(end: usize) -> usize {
    thread_rng().gen_range(0..end)
}

/// Runs a future to its end on this thread. Polls it after each wake, and sometimes without one, as executors may.
// Shuttle's own `block_on` polls a future twice after each wake. Of two tasks that have lent their permits, each is then
// polled by the second of these polls, asks for its permit, and gets it before the task that it waits for.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut asleep: Option<Arc<Sleeper>> = None;
    let polled = poll_fn(|cx| {
        let is_woken = asleep
            .as_ref()
            .is_none_or(|sleeper| sleeper.woken.swap(false, SeqCst));
        if !is_woken && choose(8) > 0 {
            return Poll::Pending;
        }
        let sleeper = asleep.get_or_insert_with(|| Arc::new(Sleeper::new(cx)));
        let waker = Waker::from(sleeper.clone());
        future.as_mut().poll(&mut Context::from_waker(&waker))
    });
    shuttle::future::block_on(polled)
}

/// A thread in [`block_on`].
struct Sleeper {
    thread: Waker,
    woken: AtomicBool,
}

impl Sleeper {
    fn new(cx: &Context<'_>) -> Self {
        let thread = cx.waker().clone();
        let woken = AtomicBool::new(false);
        Self { thread, woken }
    }
}

impl Wake for Sleeper {
    // No other thread goes on inside of this: a package that wakes under a lock of std would block all of them.
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        self.thread.wake_by_ref();
    }
}
