use std::cmp::Reverse;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};

use pin_project_lite::pin_project;

use crate::coop;
use crate::lock::Lock;
use crate::pool::AioPool;
use crate::task::{End, Extras, JoinError, JoinHandle, PoolRef, Start, TaskId};
use crate::unwind::discard;
use crate::wakes::{Wakes, wake};

/// Tasks whose results are read in the order in which they end, or in that of their submission.
///
/// Each task says at its end which one it was, so that reading a result costs
/// the same however many are on their way. Dropping it aborts the tasks.
pub(super) struct Completion<T> {
    pool_ref: Arc<dyn PoolRef>,
    ended: Arc<Ended>,
    tasks: Vec<Option<JoinHandle<T>>>,
    vacant: Vec<usize>,
    /// Said to have ended, and not quite settled when it was last polled.
    current: Option<usize>,
    /// The places of all tasks in the order of their submission, if they are read in that.
    order: Option<VecDeque<usize>>,
}

/// What the tasks say to their reader.
#[derive(Default)]
pub(super) struct Ended(Lock<Places>);

#[derive(Default)]
struct Places {
    arrived: Arrived,
    /// The one that the reader waits for, unless any will do.
    wanted: Option<usize>,
    waker: Option<Waker>,
    /// Somebody had something to say when there was no waker.
    stirred: bool,
    /// How many wait in a queue that has a bound.
    queued: usize,
    /// The reader has more items, for which there is no room.
    wants_room: bool,
}

/// The places of the tasks that have ended, and were not read.
enum Arrived {
    InTurn(VecDeque<usize>),
    /// Marks, by place.
    Marked(Vec<bool>),
}

/// Says that a task is about to end.
#[derive(Default)]
struct Notifier(Option<(Arc<Ended>, usize)>);

pin_project! {
    /// A future that says when it does not wait in the queue any more.
    struct Queued<F> {
        mark: Option<QueueMark>,
        #[pin]
        future: F,
    }
}

/// Counts as one that waits in the queue.
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

    /// How many are on their way or not read.
    pub(super) fn len(&self) -> usize {
        self.tasks.len() - self.vacant.len()
    }

    /// Wakes whoever reads.
    pub(super) fn reader(&self) -> &Arc<Ended> {
        &self.ended
    }

    /// Reads results in the order of their submission from now on.
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

    /// Whether the next task finds room in the queue, or nothing of this is there: one stands even in a full one.
    ///
    /// If not, the reader is woken when one of its tasks leaves the queue.
    pub(super) fn finds_room(&self, pool: &AioPool) -> bool {
        if !pool.is_bounded() {
            return true;
        }
        let has_room = pool.has_room();
        let mut places = self.ended.0.lock();
        places.wants_room = !has_room && places.queued > 0;
        !places.wants_room
    }

    /// Parks a task, and reads its result later.
    pub(super) fn spawn<F>(&mut self, pool: &AioPool, future: F)
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let place = self.vacant.last().copied().unwrap_or(self.tasks.len());
        let notifier = Notifier(Some((self.ended.clone(), place)));
        let handle = match pool.is_bounded() {
            true => notifier.submit(pool, Queued::new(future, &self.ended)),
            false => notifier.submit(pool, future),
        };
        // Only now is the place taken: a pool without a runtime has panicked before.
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

    /// Whose result is the next.
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
    /// Its tasks keep the place where its waker lies, and nobody waits there any more.
    fn drop(&mut self) {
        let stale = self.ended.0.lock().waker.take();
        discard(stale);
        let mut tasks: Vec<_> = self.tasks.drain(..).flatten().collect();
        // From the last on, so that none of those that wait starts in the place of one that ran.
        tasks.sort_unstable_by_key(|task| Reverse(task.id()));
        for task in &tasks {
            task.abort();
        }
        tasks.into_iter().for_each(discard);
    }
}

impl Ended {
    /// The place that is wanted, or any, once its task has ended.
    fn poll(
        &self,
        wanted: Option<usize>,
        cx: &mut Context<'_>,
        pool_ref: &dyn PoolRef,
    ) -> Poll<usize> {
        if let Some(place) = self.0.lock().arrived.take(wanted) {
            return Poll::Ready(place);
        }
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
        let stale = places.waker.replace(waker);
        drop(places);
        discard(stale);
        Poll::Pending
    }

    /// Has the reader look again at what it may do.
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
    /// Lets the tasks be read in another order, with what has arrived until now.
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
        match pool.takes_bare_futures() {
            true => pool.line_up(future, self),
            false => pool
                .task(future)
                .on_end(|_| self.tell())
                .line_up(Start::Silent),
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
