//! The least that a pool of parked tasks can be: a box for each future, a queue of them, and a place for each result.
//!
//! It has no numbers, counters, names, groups or priorities; nothing can be stopped or steered, a panic goes to the
//! runtime, and a runtime that drops a worker loses tasks. No pool that parks futures in boxes is cheaper.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::on_tokio::yield_five_times;
use super::tasks::{SIZE, keep_then_await};

/// No-op tasks.
pub(crate) async fn spawn_n(n: usize, spawn: impl Fn(Worker)) {
    let pool = Least::new(SIZE, spawn);
    keep_then_await(n, |i| pool.spawn_n(async move { i })).await;
}

/// Tasks on tokio that yield five times.
pub(crate) async fn spawn_n_yielding(n: usize) {
    let pool = Least::new(SIZE, |worker| drop(tokio::spawn(worker)));
    keep_then_await(n, |i| {
        pool.spawn_n(async move {
            yield_five_times().await;
            i
        })
    })
    .await;
}

/// So many permits, and who waits for one.
struct Least<S> {
    state: Arc<Mutex<State>>,
    spawn: S,
}

struct State {
    permits: usize,
    queue: VecDeque<Parked>,
}

type Parked = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<S: Fn(Worker)> Least<S> {
    fn new(size: usize, spawn: S) -> Self {
        let state = State {
            permits: size,
            queue: VecDeque::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            spawn,
        }
    }

    fn spawn_n<F>(&self, future: F) -> Handle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let place = Arc::new(Mutex::new(Place::Empty(None)));
        let task = Box::pin(Task {
            future,
            place: place.clone(),
        });
        let mut state = locked(&self.state);
        if state.permits == 0 {
            state.queue.push_back(task);
        } else {
            state.permits -= 1;
            drop(state);
            (self.spawn)(Worker {
                state: self.state.clone(),
                task: Some(task),
            });
        }
        Handle(place)
    }
}

/// Runs one task after the other, until none waits.
pub(crate) struct Worker {
    state: Arc<Mutex<State>>,
    task: Option<Parked>,
}

/// As many as our own worker may end within one poll.
const FUEL: u32 = 64;

impl Future for Worker {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..FUEL {
            let Some(task) = &mut self.task else {
                return Poll::Ready(());
            };
            if task.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.task = None;
            let mut state = locked(&self.state);
            let next = state.queue.pop_front();
            state.permits += usize::from(next.is_none());
            drop(state);
            self.task = next;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

pin_project! {
    struct Task<F: Future> {
        #[pin]
        future: F,
        place: Arc<Mutex<Place<F::Output>>>,
    }
}

impl<F: Future> Future for Task<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Poll::Ready(value) = this.future.poll(cx) else {
            return Poll::Pending;
        };
        let before = std::mem::replace(&mut *locked(this.place), Place::Full(value));
        if let Place::Empty(Some(waker)) = before {
            waker.wake();
        }
        Poll::Ready(())
    }
}

/// Where a result will lie, and who waits for it.
enum Place<T> {
    Empty(Option<Waker>),
    Full(T),
}

struct Handle<T>(Arc<Mutex<Place<T>>>);

impl<T> Future for Handle<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut place = locked(&self.0);
        match std::mem::replace(&mut *place, Place::Empty(None)) {
            Place::Full(value) => Poll::Ready(value),
            Place::Empty(_) => {
                *place = Place::Empty(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no task panics here")
}
