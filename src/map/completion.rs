use std::cmp::Reverse;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, ready};

use pin_project_lite::pin_project;

use crate::coop;
use crate::lock::Lock;
use crate::pool::AioPool;
use crate::task::{End, Extras, JoinError, JoinHandle, PoolRef, Start, TaskId};
use crate::unwind::discard;
use crate::waker_slot::WakerSlot;
use crate::wakes::{Wakes, wake};

/// Tasks whose results are read in the order in which they end, or in the order in which they were submitted.
///
/// Each task reports its place when it ends, so reading a result costs the same for any number of tasks. Dropping this
/// aborts the tasks.
pub(super) struct Completion<T> {
    pool_ref: Arc<dyn PoolRef>,
    ended: Arc<Ended>,
    tasks: Vec<Option<JoinHandle<T>>>,
    vacant: Vec<usize>,
    /// The place of a task that has reported its end, but whose handle did not have the result yet at the last poll.
    current: Option<usize>,
    /// The places of all tasks in the order of submission, if the results are read in that order.
    order: Option<VecDeque<usize>>,
}

/// The state that the tasks share with their reader.
#[derive(Default)]
pub(super) struct Ended(Lock<Places>);

#[derive(Default)]
struct Places {
    arrived: Arrived,
    /// The place for whose task the reader waits. `None` if it waits for any task.
    wanted: Option<usize>,
    waker: WakerSlot,
    /// Whether there was something to tell the reader when no waker was there.
    stirred: bool,
    /// Number of tasks that wait in a queue that has a bound.
    queued: usize,
    /// Whether the reader has more items, for which the queue had no room.
    wants_room: bool,
}

/// The places of the tasks that have ended and were not read.
enum Arrived {
    InTurn(VecDeque<usize>),
    /// One mark for each place.
    Marked(Vec<bool>),
}

/// Reports that a task is about to end.
#[derive(Default)]
struct Notifier(Option<(Arc<Ended>, usize)>);

pin_project! {
    /// A future that notes when its task leaves the queue.
    struct Queued<F> {
        mark: Option<QueueMark>,
        #[pin]
        future: F,
    }
}

/// Counts its task as waiting in the queue, until it is dropped.
struct QueueMark(Arc<Ended>);

impl<T> Completion<T> {
    pub(super) fn new(pool: &AioPool) -> Self {
        Self {
            pool_ref: pool.pool_ref(),
            ended: Arc::default(),
            tasks: Vec::new(),
            vacant: Vec::new(),
            current: None,
            order: None,
        }
    }

    /// Returns the number of tasks that run, wait, or have a result that was not read.
    pub(super) fn len(&self) -> usize {
        self.tasks.len() - self.vacant.len()
    }

    /// Returns the state whose waker wakes the reader.
    pub(super) fn reader(&self) -> &Arc<Ended> {
        &self.ended
    }

    /// Reads the results in the order of submission from now on.
    pub(super) fn put_in_order(&mut self) {
        if self.order.is_some() {
            return;
        }
        let id = |place: &usize| Some(self.tasks[*place].as_ref()?.id());
        let all = 0..self.tasks.len();
        let mut places: Vec<usize> = all.filter(|place| id(place).is_some()).collect();
        places.sort_unstable_by_key(id);
        self.order = Some(places.into());
        self.ended.0.lock().mark(self.current.take());
    }

    /// Returns `true` if the queue has room for the next task, or if no task of this reader waits in it: one such task
    /// may wait even in a full queue.
    ///
    /// Otherwise the reader is woken when one of its tasks leaves the queue.
    pub(super) fn finds_room(&self, pool: &AioPool) -> bool {
        if !pool.is_bounded() {
            return true;
        }
        let has_room = pool.has_room();
        let mut places = self.ended.0.lock();
        places.wants_room = !has_room && places.queued > 0;
        !places.wants_room
    }

    /// Submits a task. Its result is read later.
    pub(super) fn spawn<F>(&mut self, pool: &AioPool, future: F)
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let place = self.vacant.last().copied().unwrap_or(self.tasks.len());
        let notifier = Notifier(Some((self.ended.clone(), place)));
        let handle = if pool.is_bounded() {
            notifier.submit(pool, Queued::new(future, &self.ended))
        } else {
            notifier.submit(pool, future)
        };
        // The place is taken only now, since submitting to a pool without a runtime panics.
        match self.vacant.pop() {
            Some(place) => self.tasks[place] = Some(handle),
            None => self.tasks.push(Some(handle)),
        }
        if let Some(order) = &mut self.order {
            order.push_back(place);
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        if self.len() == 0 {
            return Poll::Ready(None);
        }
        let place = ready!(self.poll_place(cx));
        self.current = Some(place);
        let Some(task) = &mut self.tasks[place] else {
            return Poll::Ready(None);
        };
        let result = ready!(coop::poll_as_one(|| Pin::new(task).poll(cx)));
        self.finish_last(place);
        Poll::Ready(Some(result))
    }

    /// Waits for the place of the task whose result is the next.
    fn poll_place(&self, cx: &mut Context<'_>) -> Poll<usize> {
        match self.current {
            Some(place) => Poll::Ready(place),
            None => {
                let wanted = self.order.as_ref().and_then(|order| order.front().copied());
                self.ended.poll(wanted, cx, &*self.pool_ref)
            }
        }
    }

    fn finish_last(&mut self, place: usize) {
        self.tasks[place] = None;
        self.current = None;
        self.vacant.push(place);
        if let Some(order) = &mut self.order {
            order.pop_front();
        }
    }
}

impl<T> Drop for Completion<T> {
    /// The tasks keep the state in which the waker is. The waker is taken out first, since nothing waits there any
    /// more.
    fn drop(&mut self) {
        WakerSlot::clear(self.ended.0.lock(), |places| &mut places.waker);
        let mut tasks: Vec<_> = self.tasks.drain(..).flatten().collect();
        // The newest task comes first. Otherwise a waiting task could start in the place of a running one.
        tasks.sort_unstable_by_key(|task| Reverse(task.id()));
        for task in &tasks {
            task.abort();
        }
        tasks.into_iter().for_each(discard);
    }
}

impl Ended {
    /// Waits until the task at the place that is wanted has ended, or any task. Returns its place.
    fn poll(
        &self,
        wanted: Option<usize>,
        cx: &mut Context<'_>,
        pool_ref: &dyn PoolRef,
    ) -> Poll<usize> {
        if let Some(place) = self.0.lock().arrived.take(wanted) {
            return Poll::Ready(place);
        }
        // The waker is made while no lock is held, since cloning it runs user code. A task may have ended meanwhile.
        let waker = pool_ref.waker(cx);
        let mut places = self.0.lock();
        if let Some(place) = places.arrived.take(wanted) {
            drop(places);
            return Poll::Ready(place);
        }
        if std::mem::take(&mut places.stirred) {
            drop(places);
            wake(Some(waker));
            return Poll::Pending;
        }
        places.wanted = wanted;
        WakerSlot::leave(places, |places| &mut places.waker, waker);
        Poll::Pending
    }

    /// Applies a change, and wakes the reader if the change concerns it.
    fn stir(&self, change: impl FnOnce(&mut Places) -> bool) {
        let mut places = self.0.lock();
        if !change(&mut places) {
            return;
        }
        let waker = places.waker.take();
        places.stirred = waker.is_none();
        drop(places);
        wake(waker);
    }
}

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.stir(|_| true);
    }
}

impl Places {
    /// Goes over from the order of ends to marks, with the places that have arrived until now.
    fn mark(&mut self, current: Option<usize>) {
        let arrived = std::mem::replace(&mut self.arrived, Arrived::Marked(Vec::new()));
        if let Arrived::InTurn(places) = arrived {
            let places = places.into_iter().chain(current);
            places.for_each(|place| self.arrived.add(place));
        }
    }
}

impl Arrived {
    fn add(&mut self, place: usize) {
        match self {
            Self::InTurn(places) => places.push_back(place),
            Self::Marked(marks) => {
                marks.resize(marks.len().max(place + 1), false);
                marks[place] = true;
            }
        }
    }

    fn take(&mut self, wanted: Option<usize>) -> Option<usize> {
        match self {
            Self::InTurn(places) => places.pop_front(),
            Self::Marked(marks) => {
                let place = wanted?;
                std::mem::take(marks.get_mut(place)?).then_some(place)
            }
        }
    }
}

impl Default for Arrived {
    fn default() -> Self {
        Self::InTurn(VecDeque::new())
    }
}

impl Notifier {
    fn submit<F>(self, pool: &AioPool, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if pool.takes_bare_futures() {
            pool.line_up(future, self)
        } else {
            pool.task(future)
                .on_end(|_| self.tell())
                .line_up(Start::Silent)
        }
    }

    fn tell(self) {
        let Some((ended, place)) = self.0 else { return };
        let mut places = ended.0.lock();
        places.arrived.add(place);
        let waker = match places.wanted {
            Some(wanted) if wanted != place => None,
            _ => places.waker.take(),
        };
        drop(places);
        wake(waker);
    }
}

impl Extras for Notifier {
    fn admitted(&self, _: &mut Wakes) -> Start {
        Start::Silent
    }

    fn ended(self, _: TaskId, _: End) {
        self.tell();
    }
}

impl<F> Queued<F> {
    fn new(future: F, ended: &Arc<Ended>) -> Self {
        ended.0.lock().queued += 1;
        let mark = Some(QueueMark(ended.clone()));
        Self { mark, future }
    }
}

impl<F: Future> Future for Queued<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        drop(this.mark.take());
        this.future.poll(cx)
    }
}

impl Drop for QueueMark {
    fn drop(&mut self) {
        self.0.stir(|places| {
            places.queued -= 1;
            places.wants_room
        });
    }
}
