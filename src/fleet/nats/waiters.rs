use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot};

use crate::fleet::error::EngineError;
use crate::fleet::wire::{Event, Outcome};

/// What a handle waits for.
pub(crate) type Settled = Result<Outcome, EngineError>;

/// Progress values that wait at a handle until they are read. A newer one that does not fit is lost.
const PROGRESS: usize = 64;

/// Outcomes that may arrive before the server has said which of them belongs to a task that is just submitted.
const EARLY: usize = 8;

/// The tasks whose outcome somebody in this process waits for, by id.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    tasks: Mutex<HashMap<String, Waiter>>,
    /// Notified when a task is taken out.
    fewer: Notify,
}

#[derive(Debug, Default)]
struct Waiter {
    /// `None` until the server has accepted the task.
    origin: Option<u64>,
    early: Vec<(u64, Outcome)>,
    outcome: Vec<oneshot::Sender<Settled>>,
    started: Vec<oneshot::Sender<()>>,
    has_started: bool,
    progress: Vec<mpsc::Sender<Vec<u8>>>,
}

/// What somebody who waits for a task gets.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(super) outcome: oneshot::Receiver<Settled>,
    /// `true` if somebody waits for the task already, so that it must not be submitted again.
    pub(super) known: bool,
}

impl Waiters {
    /// Waits for the outcome of the task `id`.
    pub(super) fn wait_for(&self, id: &str) -> Subscription {
        let (send, outcome) = oneshot::channel();
        let mut tasks = self.lock();
        let known = tasks.contains_key(id);
        let waiter = tasks.entry(id.to_owned()).or_default();
        waiter.outcome.push(send);
        Subscription { outcome, known }
    }

    /// Waits for the start of a task. The sender is dropped with its outcome.
    pub(super) fn wait_for_start(&self, id: &str) -> oneshot::Receiver<()> {
        let (send, started) = oneshot::channel();
        if let Some(waiter) = self.lock().get_mut(id) {
            if !waiter.has_started {
                waiter.started.push(send);
            }
        }
        started
    }

    /// Reads the progress of a task from now on, to its end.
    pub(super) fn progress_of(&self, id: &str) -> mpsc::Receiver<Vec<u8>> {
        let (send, progress) = mpsc::channel(PROGRESS);
        if let Some(waiter) = self.lock().get_mut(id) {
            waiter.progress.push(send);
        }
        progress
    }

    /// The server has accepted the task, or has had it before.
    pub(super) fn accepted(&self, id: &str, origin: u64) {
        let outcome = {
            let mut tasks = self.lock();
            let Some(waiter) = tasks.get_mut(id) else {
                return;
            };
            waiter.origin = Some(origin);
            let early = std::mem::take(&mut waiter.early);
            early.into_iter().find(|(of, _)| *of == origin)
        };
        if let Some((_, outcome)) = outcome {
            self.settle(id, origin, outcome);
        }
    }

    /// The task will not be run, as it was not accepted.
    pub(super) fn refused(&self, id: &str, error: &EngineError) {
        let waiter = self.lock().remove(id);
        tell(waiter, &Err(error.clone()));
        self.fewer.notify_waiters();
    }

    /// An outcome has arrived.
    pub(super) fn settle(&self, id: &str, origin: u64, outcome: Outcome) {
        let waiter = {
            let mut tasks = self.lock();
            let Entry::Occupied(mut entry) = tasks.entry(id.to_owned()) else {
                return;
            };
            match entry.get().origin {
                Some(expected) if expected == origin => Some(entry.remove()),
                Some(_) => None,
                None => {
                    let early = &mut entry.get_mut().early;
                    early.truncate(EARLY - 1);
                    early.insert(0, (origin, outcome.clone()));
                    None
                }
            }
        };
        tell(waiter, &Ok(outcome));
        self.fewer.notify_waiters();
    }

    /// A task tells something.
    pub(super) fn event(&self, id: &str, event: Event) {
        let started = {
            let mut tasks = self.lock();
            let Some(waiter) = tasks.get_mut(id) else {
                return;
            };
            match event {
                Event::Started => {
                    waiter.has_started = true;
                    std::mem::take(&mut waiter.started)
                }
                Event::Progress(value) => {
                    let readers = waiter.progress.clone();
                    drop(tasks);
                    for reader in readers {
                        let _ = reader.try_send(value.clone());
                    }
                    return;
                }
            }
        };
        for waiting in started {
            let _ = waiting.send(());
        }
    }

    /// A handle was dropped. Nothing is kept of a task that nobody waits for.
    pub(super) fn forget(&self, id: &str) {
        let gone = {
            let mut tasks = self.lock();
            let Entry::Occupied(mut entry) = tasks.entry(id.to_owned()) else {
                return;
            };
            let waiter = entry.get_mut();
            waiter.outcome.retain(|outcome| !outcome.is_closed());
            waiter.outcome.is_empty().then(|| entry.remove())
        };
        drop(gone);
        self.fewer.notify_waiters();
    }

    /// Waits until nobody waits for a task any more, and `condition` is true.
    pub(super) async fn idle(&self, condition: impl Fn() -> bool) {
        loop {
            let mut fewer = pin!(self.fewer.notified());
            fewer.as_mut().enable();
            if condition() && self.len() == 0 {
                return;
            }
            fewer.await;
        }
    }

    /// Makes [`idle`](Self::idle) look again.
    pub(super) fn look_again(&self) {
        self.fewer.notify_waiters();
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    /// Returns `true` if the server is known to have the task, or if nobody waits for it any more.
    pub(super) fn is_accepted(&self, id: &str) -> bool {
        let tasks = self.lock();
        tasks.get(id).is_none_or(|waiter| waiter.origin.is_some())
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiter>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever waits for the start finds the outcome when it learns that there will be none.
fn tell(waiter: Option<Waiter>, settled: &Settled) {
    let Some(Waiter {
        outcome, started, ..
    }) = waiter
    else {
        return;
    };
    for waiting in outcome {
        let _ = waiting.send(settled.clone());
    }
    drop(started);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(text: &str) -> Outcome {
        Outcome::Done(text.into())
    }

    #[test]
    fn an_outcome_that_is_faster_than_the_acknowledgement_is_not_lost() {
        let waiters = Waiters::default();
        let mut task = waiters.wait_for("a");
        waiters.settle("a", 3, done("old"));
        waiters.settle("a", 7, done("new"));
        assert!(task.outcome.try_recv().is_err());
        waiters.accepted("a", 7);
        assert_eq!(task.outcome.try_recv(), Ok(Ok(done("new"))));
        assert_eq!(waiters.len(), 0);
    }

    #[test]
    fn all_handles_of_a_task_get_its_outcome_and_it_is_submitted_once() {
        let waiters = Waiters::default();
        let mut first = waiters.wait_for("a");
        let mut second = waiters.wait_for("a");
        assert_eq!((first.known, second.known), (false, true));
        waiters.accepted("a", 1);
        waiters.settle("a", 2, done("of another"));
        waiters.settle("a", 1, done("x"));
        assert_eq!(first.outcome.try_recv(), second.outcome.try_recv());
    }

    #[test]
    fn a_task_whose_handles_are_dropped_is_forgotten() {
        let waiters = Waiters::default();
        let (first, second) = (waiters.wait_for("a"), waiters.wait_for("a"));
        drop(first);
        waiters.forget("a");
        assert_eq!(waiters.len(), 1);
        drop(second);
        waiters.forget("a");
        assert_eq!(waiters.len(), 0);
    }

    #[test]
    fn a_start_that_is_known_before_somebody_asks_ends_the_wait() {
        let waiters = Waiters::default();
        let _task = waiters.wait_for("a");
        waiters.event("a", Event::Started);
        let mut started = waiters.wait_for_start("a");
        assert_eq!(
            started.try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        );
    }
}
