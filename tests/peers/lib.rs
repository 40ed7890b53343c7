//! What the page `docs::comparison` of aiopool says about other crates, as tests. The number before a test is that of the
//! check on that page.
//!
//! Check 4, futures that may not borrow and have to be `Send`, is what does not compile. `TaskTracker`:
//!
//! ```compile_fail,E0597
//! # let runtime = tokio::runtime::Runtime::new().unwrap();
//! # let _inside = runtime.enter();
//! let tracker = tokio_util::task::TaskTracker::new();
//! let words = vec!["borrowed"];
//! tracker.spawn(async { words.len() });
//! ```
//!
//! ```compile_fail,E0277
//! let tracker = tokio_util::task::TaskTracker::new();
//! let number = std::rc::Rc::new(1);
//! tracker.spawn(async move {
//!     tokio::task::yield_now().await;
//!     *number
//! });
//! ```
//!
//! `JoinSet` of `bounded_join_set`:
//!
//! ```compile_fail,E0597
//! let mut set = bounded_join_set::JoinSet::new(1);
//! let words = vec!["borrowed"];
//! set.spawn(async { words.len() });
//! ```
//!
//! ```compile_fail,E0277
//! let mut set = bounded_join_set::JoinSet::new(1);
//! let number = std::rc::Rc::new(1);
//! set.spawn(async move {
//!     tokio::task::yield_now().await;
//!     *number
//! });
//! ```
//!
//! Check 12, a job of a `bounded_join_set` that uses the set that it is in (note ³):
//!
//! ```compile_fail
//! let mut set = bounded_join_set::JoinSet::new(1);
//! set.spawn(async { set.spawn(async {}); });
//! ```

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use tokio::task::yield_now;

/// Jobs that count how many of them run at once.
#[derive(Clone, Default)]
pub struct Jobs(Arc<Counts>);

#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    most: AtomicUsize,
    ended: AtomicUsize,
}

impl Jobs {
    /// A job of some steps.
    pub async fn job(self) {
        let running = self.0.running.fetch_add(1, SeqCst) + 1;
        self.0.most.fetch_max(running, SeqCst);
        for _ in 0..10 {
            yield_now().await;
        }
        self.0.running.fetch_sub(1, SeqCst);
        self.0.ended.fetch_add(1, SeqCst);
    }

    /// How many jobs have run at once.
    pub fn most(&self) -> usize {
        self.0.most.load(SeqCst)
    }

    /// How many jobs have ended.
    pub fn ended(&self) -> usize {
        self.0.ended.load(SeqCst)
    }
}

/// Polls a future once, which nothing wakes then.
pub fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Gives the other tasks of the runtime many turns.
pub async fn let_others_run() {
    for _ in 0..100 {
        yield_now().await;
    }
}
