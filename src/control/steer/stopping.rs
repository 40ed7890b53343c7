use std::pin::pin;
use std::vec;

use futures_util::future::{join, select};

use super::super::protocol::{Refusal, RefusalKind, Reply};
use super::super::timer::Timer;
use super::Handler;
use super::groups::Group;
use super::reading::no_group;
use super::target::Copies;
use super::wait::{PATIENCE, wait_briefly_until};
use crate::{AbortError, AbortHandle, AioPool, TaskId, TaskState, coop};

/// Commands that stop tasks.
///
/// A task that was aborted before is skipped: it costs only a check of its state.
impl Handler {
    pub(super) async fn cancel(&self, ids: &[i64]) -> Result<Reply, Refusal> {
        let unknown =
            |id: &i64| Refusal::new(RefusalKind::NotFound, format!("there is no task {id}"));
        let ids = ids
            .iter()
            .map(|id| u64::try_from(*id).map_err(|_| unknown(id)))
            .collect::<Result<Vec<u64>, _>>()?;
        let active = self.find_active_of(&ids).await;
        let tasks = ids.into_iter().map(TaskId::from);
        self.target.pool.abort(tasks).map_err(refusal)?;
        self.await_end(active).await;
        Ok(Reply::Done)
    }

    pub(super) async fn cancel_group(&self, name: &str) -> Result<Reply, Refusal> {
        let known = self.records().groups.remove(name);
        let live = self.find(name);
        if known.is_none() && live.is_none() {
            return Err(no_group(name));
        }
        let own = known.as_ref().map(Group::ids).unwrap_or_default();
        let (mut waiting, mut active) = (Vec::new(), Vec::new());
        self.each_task(&self.target.pool, |task| {
            if own.has(task.id.get()) || task.group == Some(name) {
                match task.state {
                    TaskState::Active => active.push(task.handle()),
                    _ => waiting.push(task.handle()),
                }
            }
        })
        .await;
        if let Some(group) = known {
            group.abort();
        }
        let stop_group = async {
            if let Some(live) = live {
                stop_all(&live).await;
            }
        };
        let stop_others = async {
            // Waiting tasks are aborted first, so that none of them starts when an active task frees its permit.
            self.abort_all(&waiting).await;
            self.abort_all(&active).await;
            self.await_end(active).await;
        };
        join(stop_group, stop_others).await;
        Ok(Reply::Done)
    }

    pub(super) async fn cancel_all(&self) -> Reply {
        let forgotten = self.records().groups.take_all();
        match &self.target.copies {
            Some(copies) => {
                let (active, waiting) = by_state(copies.living());
                self.abort_all(&waiting).await;
                let aborted = self.abort_all(&active).await;
                self.await_end(aborted).await;
            }
            None => {
                let before = self.find_active(|_| true).await;
                for group in forgotten {
                    group.abort();
                }
                self.note_stopping(&before);
                stop_all(&self.target.pool).await;
                self.num_cancelled();
            }
        }
        Reply::Done
    }

    /// Stops up to `count` active tasks of the function, the newest first.
    pub(super) async fn stop(&self, count: i64) -> Reply {
        let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
        let stopped = match &self.target.copies {
            Some(copies) => self.abort_newest(&**copies, count).await,
            None => Vec::new(),
        };
        let ids = stopped.iter().map(|task| task.id().get()).collect();
        self.await_end(stopped).await;
        Reply::Stopped(ids)
    }

    /// Aborts the newest `count` active copies that were not aborted before. Returns them, the newest first.
    ///
    /// It looks at no copies that are older than the last of them.
    async fn abort_newest(&self, copies: &dyn Copies, count: usize) -> Vec<AbortHandle> {
        let _one_at_a_time = self.searching.lock().await;
        let mut newest = NewestFirst::new(copies);
        let mut aborted = Vec::new();
        coop::in_parts_while(|| {
            if aborted.len() == count {
                return false;
            }
            let Some(task) = newest.next() else {
                return false;
            };
            if is_active(&task) && task.abort() {
                aborted.push(task);
            }
            true
        })
        .await;
        aborted
    }

    /// Aborts these tasks, beginning with the last. Returns those that were not aborted before, in this order.
    async fn abort_all(&self, tasks: &[AbortHandle]) -> Vec<AbortHandle> {
        let _one_at_a_time = self.searching.lock().await;
        let mut aborted = Vec::new();
        let abort = |step: usize| {
            let task = &tasks[tasks.len() - 1 - step];
            if task.abort() {
                aborted.push(task.clone());
            }
        };
        coop::in_parts(tasks.len(), abort).await;
        aborted
    }

    /// Waits for a short time until these tasks, which were active, have ended. Tasks that are still active after it
    /// count as cancelled.
    async fn await_end(&self, tasks: Vec<AbortHandle>) {
        self.note_stopping(&tasks);
        wait_briefly_until(|| tasks.iter().all(|task| !is_active(task))).await;
        self.num_cancelled();
    }

    fn note_stopping(&self, tasks: &[AbortHandle]) {
        let tasks = tasks.iter().map(|task| (task.id(), task.clone()));
        self.records().stopping.extend(tasks);
    }

    /// Returns the number of tasks that were aborted and are still active.
    pub(super) fn num_cancelled(&self) -> u64 {
        let mut records = self.records();
        records.stopping.retain(|_, task| is_active(task));
        records.stopping.len() as u64
    }
}

/// The copies, the newest first. It takes them from the pool of copies in parts, as few of them may be wanted.
struct NewestFirst<'c> {
    copies: &'c dyn Copies,
    part: vec::IntoIter<AbortHandle>,
    last: Option<TaskId>,
}

/// Number of copies that are taken at once.
const PART: usize = 1000;

impl<'c> NewestFirst<'c> {
    fn new(copies: &'c dyn Copies) -> Self {
        Self {
            copies,
            part: Vec::new().into_iter(),
            last: None,
        }
    }
}

impl Iterator for NewestFirst<'_> {
    type Item = AbortHandle;

    fn next(&mut self) -> Option<AbortHandle> {
        if self.part.len() == 0 {
            self.part = self.copies.newest(self.last, PART).into_iter();
        }
        let task = self.part.next()?;
        self.last = Some(task.id());
        Some(task)
    }
}

/// Stops all tasks of a pool or group, and waits for a short time until they have ended.
async fn stop_all(pool: &AioPool) {
    select(pin!(pool.cancel_all()), Timer::after(PATIENCE)).await;
}

/// Splits tasks into the active ones and the others.
fn by_state(tasks: Vec<AbortHandle>) -> (Vec<AbortHandle>, Vec<AbortHandle>) {
    tasks.into_iter().partition(is_active)
}

fn is_active(task: &AbortHandle) -> bool {
    task.state() == TaskState::Active
}

fn refusal(error: AbortError) -> Refusal {
    let kind = match error {
        AbortError::NotFound(_) => RefusalKind::NotFound,
        AbortError::AlreadyFinished(_) => RefusalKind::Finished,
        AbortError::AlreadyAborted(_) => RefusalKind::Cancelled,
    };
    Refusal::new(kind, error.to_string())
}
