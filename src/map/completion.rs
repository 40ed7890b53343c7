use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::lock::Lock;
use crate::pool::AioPool;
use crate::task::{AbortOnDrop, End, Extras, JoinError, JoinHandle, Keeper, Start, TaskId};
use crate::unwind::discard;
use crate::wakes::{Wakes, wake};

/// Tasks whose results are read in the order in which they end.
///
/// Each task says at its end which one it was, so that reading a result costs
/// the same however many are on their way. Dropping it aborts the tasks.
pub(super) struct Completion<T> {
    keeper: Arc<dyn Keeper>,
    ended: Arc<Ended>,
    tasks: Vec<Option<AbortOnDrop<T>>>,
    vacant: Vec<usize>,
    /// Said to have ended, and not quite settled when it was last polled.
    current: Option<usize>,
}

/// The places of the tasks that have ended, and were not read.
#[derive(Default)]
struct Ended(Lock<Places>);

#[derive(Default)]
struct Places {
    ended: VecDeque<usize>,
    waker: Option<Waker>,
}

/// Says that a task is about to end.
#[derive(Default)]
struct Told(Option<(Arc<Ended>, usize)>);

impl<T> Completion<T> {
    pub(super) fn new(pool: &AioPool) -> Self {
        Self {
            keeper: pool.keeper(),
            ended: Arc::default(),
            tasks: Vec::new(),
            vacant: Vec::new(),
            current: None,
        }
    }

    /// How many are on their way or not read.
    pub(super) fn len(&self) -> usize {
        self.tasks.len() - self.vacant.len()
    }

    /// Parks a task, and reads its result later.
    pub(super) fn spawn<F>(&mut self, pool: &AioPool, future: F)
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let place = self.vacant.last().copied().unwrap_or(self.tasks.len());
        let told = Told(Some((self.ended.clone(), place)));
        let handle = match pool.is_plain() {
            true => pool.submit_plain(future, told),
            false => pool.task(future).on_end(|_| told.tell()).spawn_n(),
        };
        // Only now is the place taken: a pool without a runtime has panicked before.
        let task = Some(handle.abort_on_drop());
        match self.vacant.pop() {
            Some(place) => self.tasks[place] = task,
            None => self.tasks.push(task),
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let place = match self.current {
            Some(place) => place,
            None if self.len() == 0 => return Poll::Ready(None),
            None => match self.ended.poll(cx, &*self.keeper) {
                Poll::Ready(place) => place,
                Poll::Pending => return Poll::Pending,
            },
        };
        self.current = Some(place);
        let Some(task) = &mut self.tasks[place] else {
            return Poll::Ready(None);
        };
        let Poll::Ready(result) = Pin::new(task).poll(cx) else {
            return Poll::Pending;
        };
        self.tasks[place] = None;
        self.current = None;
        self.vacant.push(place);
        Poll::Ready(Some(result))
    }

    /// The tasks that are left, in the order of their submission.
    pub(super) fn into_handles(mut self) -> Vec<JoinHandle<T>> {
        let tasks = std::mem::take(&mut self.tasks).into_iter().flatten();
        let mut handles: Vec<_> = tasks.map(AbortOnDrop::detach).collect();
        handles.sort_by_key(JoinHandle::id);
        handles
    }
}

impl Ended {
    fn poll(&self, cx: &mut Context<'_>, keeper: &dyn Keeper) -> Poll<usize> {
        if let Some(place) = self.0.lock().ended.pop_front() {
            return Poll::Ready(place);
        }
        let waker = keeper.waker(cx);
        let mut places = self.0.lock();
        if let Some(place) = places.ended.pop_front() {
            drop(places);
            return Poll::Ready(place);
        }
        let stale = places.waker.replace(waker);
        drop(places);
        discard(stale);
        Poll::Pending
    }
}

impl<T> Drop for Completion<T> {
    /// Its tasks keep the place where its waker lies, and nobody waits there any more.
    fn drop(&mut self) {
        let stale = self.ended.0.lock().waker.take();
        discard(stale);
        // From the last on, so that none of those that wait starts in the place of one that ran.
        while let Some(task) = self.tasks.pop() {
            discard(task);
        }
    }
}

impl Told {
    fn tell(self) {
        let Some((ended, place)) = self.0 else { return };
        let mut places = ended.0.lock();
        places.ended.push_back(place);
        let waker = places.waker.take();
        drop(places);
        wake(waker);
    }
}

impl Extras for Told {
    fn admitted(&self, _: &mut Wakes) -> Start {
        Start::Silent
    }

    fn ended(self, _: TaskId, _: End) {
        self.tell();
    }
}
