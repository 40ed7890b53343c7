use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::lock::Lock;

/// A handle to tasks that wait until the test tells them to end, and that can be watched meanwhile.
///
/// [`task`](Self::task) makes the future of a task. One probe may have any number of tasks, which are told the same, and
/// clones are the same probe. Dropping a probe leaves its tasks waiting.
///
/// # Examples
///
/// ```
/// use aiopool::AioPool;
/// use aiopool::testing::Probe;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = AioPool::new(1);                      // on any runtime
/// let probe = Probe::new();
/// let handle = pool.spawn_n(probe.task(7));
/// probe.started().await;
/// assert_eq!(pool.active(), 1);
/// probe.end();
/// assert_eq!(handle.await.unwrap(), 7);
/// assert!(probe.is_dropped());
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Probe {
    state: Arc<Lock<State>>,
}

#[derive(Default)]
struct State {
    has_started: bool,
    is_dropped: bool,
    polls: usize,
    told: Option<Told>,
    /// The wakers of tasks, which wait to be told.
    tasks: Vec<Waker>,
    /// The wakers of those who wait for the start of a task.
    watchers: Vec<Waker>,
}

#[derive(Clone, Copy)]
enum Told {
    End,
    Panic,
}

impl Probe {
    /// Makes a probe. Its tasks wait.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes so many probes.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Probe};
    ///
    /// let (spawner, pool) = ManualSpawner::pool(2);
    /// let probes = Probe::several(3);
    /// let handles = pool.map_n(&probes, |probe| probe.task(()));
    /// spawner.run();
    /// let started = probes.iter().map(|probe| probe.has_started());
    /// assert!(started.eq([true, true, false]));
    /// # drop(handles);
    /// ```
    pub fn several(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new()).collect()
    }

    /// Returns the future of a task. It is ready, with `value`, when it is told to [`end`](Self::end).
    pub fn task<T: Send + 'static>(&self, value: T) -> impl Future<Output = T> + Send + use<T> {
        let watched = Watched(self.clone());
        async move {
            poll_fn(|cx| watched.0.poll_told(cx)).await;
            value
        }
    }

    /// Tells the tasks to end. A task that has not started ends at its first poll.
    pub fn end(&self) {
        self.tell(Told::End);
    }

    /// Tells the tasks to panic, with a text that names the probe as its cause.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Probe};
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let probe = Probe::new();
    /// let handle = pool.spawn_n(probe.task(()));
    /// probe.panic();
    /// assert!(spawner.run_until(handle).unwrap_err().is_panic());
    /// assert_eq!(pool.stats().panicked, 1);
    /// ```
    pub fn panic(&self) {
        self.tell(Told::Panic);
    }

    /// Returns `true` if a task has been polled.
    pub fn has_started(&self) -> bool {
        self.state.lock().has_started
    }

    /// Returns `true` if the future of a task has been dropped, at its end or before.
    pub fn is_dropped(&self) -> bool {
        self.state.lock().is_dropped
    }

    /// Returns how many times the tasks have been polled.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Probe};
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let probe = Probe::new();
    /// pool.spawn_n(probe.task(()));
    /// assert_eq!(probe.polls(), 0);
    /// spawner.run();
    /// spawner.run();
    /// assert_eq!(probe.polls(), 1);                // nothing has woken it
    /// ```
    pub fn polls(&self) -> usize {
        self.state.lock().polls
    }

    /// Waits until a task has started.
    ///
    /// # Cancel safety
    ///
    /// Dropping this future has no effect.
    pub async fn started(&self) {
        poll_fn(|cx| self.poll_started(cx)).await;
    }

    fn tell(&self, told: Told) {
        let mut state = self.state.lock();
        state.told = Some(told);
        let tasks = std::mem::take(&mut state.tasks);
        drop(state);
        tasks.into_iter().for_each(Waker::wake);
    }

    fn poll_told(&self, cx: &Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.state.lock();
        state.has_started = true;
        state.polls += 1;
        let watchers = std::mem::take(&mut state.watchers);
        let told = state.told;
        let unused = match told {
            None => keep(&mut state.tasks, waker),
            Some(_) => Some(waker),
        };
        drop(state);
        drop(unused);
        watchers.into_iter().for_each(Waker::wake);
        match told {
            None => Poll::Pending,
            Some(Told::End) => Poll::Ready(()),
            Some(Told::Panic) => panic!("a probe has told its task to panic"),
        }
    }

    fn poll_started(&self, cx: &Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.state.lock();
        let has_started = state.has_started;
        let unused = match has_started {
            false => keep(&mut state.watchers, waker),
            true => Some(waker),
        };
        drop(state);
        drop(unused);
        if has_started {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Keeps a waker, unless it is the same as the last one. Returns it then.
fn keep(wakers: &mut Vec<Waker>, waker: Waker) -> Option<Waker> {
    if wakers.last().is_some_and(|last| last.will_wake(&waker)) {
        return Some(waker);
    }
    wakers.push(waker);
    None
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("has_started", &self.has_started())
            .field("is_dropped", &self.is_dropped())
            .field("polls", &self.polls())
            .finish()
    }
}

/// Notes that the future that owns it has been dropped.
struct Watched(Probe);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.state.lock().is_dropped = true;
    }
}
