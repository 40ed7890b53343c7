use std::collections::BTreeSet;
use std::pin::pin;

use async_io::Timer;
use futures_util::future::select;

use super::super::wire::{Failure, Kind, Reply};
use super::Desk;
use super::groups::Group;
use super::looking::no_group;
use super::settled::{PATIENCE, settled};
use crate::{AbortError, TaskId, TaskInfo};

/// Stopping tasks.
impl Desk {
    pub(super) async fn cancel(&self, ids: &[i64]) -> Result<Reply, Failure> {
        let unknown = |id: &i64| Failure::new(Kind::NotFound, format!("there is no task {id}"));
        let ids = ids
            .iter()
            .map(|id| u64::try_from(*id).map_err(|_| unknown(id)))
            .collect::<Result<Vec<u64>, _>>()?;
        let active = self.active_ids();
        let tasks = ids.iter().copied().map(TaskId::from);
        self.target.pool.abort(tasks).map_err(refusal)?;
        self.await_end(active.into_iter().filter(|id| ids.contains(id)))
            .await;
        Ok(Reply::Done)
    }

    pub(super) async fn cancel_group(&self, name: &str) -> Result<Reply, Failure> {
        let known = self.books().groups.remove(name);
        let live = self.find(name);
        if known.is_none() && live.is_none() {
            return Err(no_group(name));
        }
        let own = known.as_ref().map(Group::ids).unwrap_or_default();
        let is_inside = |task: &TaskInfo| task.group.as_deref() == Some(name);
        let mut tasks = self.target.pool.tasks();
        tasks.retain(|task| own.has(task.id.get()) || is_inside(task));
        let mut ids: BTreeSet<u64> = tasks.iter().map(|task| task.id.get()).collect();
        if let Some(group) = known {
            group.abort();
        }
        if let Some(live) = live {
            live.abort_all();
            tasks.retain(|task| !is_inside(task));
        }
        let left = tasks.iter().map(|task| task.id.get()).collect();
        self.abort_newest(left, usize::MAX);
        let active = self.active_ids();
        ids.retain(|id| active.contains(id));
        self.await_end(ids).await;
        Ok(Reply::Done)
    }

    pub(super) async fn cancel_all(&self) -> Reply {
        let forgotten = self.books().groups.take_all();
        let before = self.active_ids();
        for group in forgotten {
            group.abort();
        }
        match &self.target.copies {
            Some(copies) => {
                let asked = copies.stop_all();
                let asked: BTreeSet<u64> = asked.into_iter().map(TaskId::get).collect();
                self.await_end(before.into_iter().filter(|id| asked.contains(id)))
                    .await;
            }
            None => {
                self.books().stopping.extend(before);
                let all = pin!(self.target.pool.cancel_all());
                select(all, Timer::after(PATIENCE)).await;
                self.num_cancelled();
            }
        }
        Reply::Done
    }

    /// Stops so many of those that run, the newest first.
    pub(super) async fn stop(&self, count: i64) -> Reply {
        let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
        let own: BTreeSet<u64> = match &self.target.copies {
            Some(copies) => copies.ids().into_iter().map(TaskId::get).collect(),
            None => BTreeSet::new(),
        };
        let mut running = self.active_ids();
        running.retain(|id| own.contains(id));
        let stopped = self.abort_newest(running, count);
        self.await_end(stopped.iter().copied()).await;
        Reply::Stopped(stopped)
    }

    /// Aborts the last `count` of them that can be. Returns which, the newest first.
    fn abort_newest(&self, mut ids: Vec<u64>, count: usize) -> Vec<u64> {
        ids.sort_unstable_by(|one, other| other.cmp(one));
        loop {
            let chosen: Vec<u64> = ids.iter().copied().take(count).collect();
            match self
                .target
                .pool
                .abort(chosen.iter().copied().map(TaskId::from))
            {
                Ok(_) => return chosen,
                Err(error) => {
                    let odd = culprit(&error);
                    ids.retain(|id| *id != odd);
                }
            }
        }
    }

    /// Waits until these, which were active, have ended, but not for long: then they count as cancelled.
    async fn await_end(&self, ids: impl IntoIterator<Item = u64>) {
        let ids: BTreeSet<u64> = ids.into_iter().collect();
        if ids.is_empty() {
            return;
        }
        self.books().stopping.extend(&ids);
        settled(|| {
            self.num_cancelled();
            self.books().stopping.is_disjoint(&ids)
        })
        .await;
    }
}

fn culprit(error: &AbortError) -> u64 {
    match error {
        AbortError::NotFound(id)
        | AbortError::AlreadyFinished(id)
        | AbortError::AlreadyAborted(id) => id.get(),
    }
}

fn refusal(error: AbortError) -> Failure {
    let kind = match error {
        AbortError::NotFound(_) => Kind::NotFound,
        AbortError::AlreadyFinished(_) => Kind::Finished,
        AbortError::AlreadyAborted(_) => Kind::Cancelled,
    };
    Failure::new(kind, error.to_string())
}
