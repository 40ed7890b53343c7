use super::super::protocol::{
    GroupLine, Refusal, RefusalKind, Reply, StatsLine, TaskLine, TaskList,
};
use super::Handler;
use super::group_ids::GroupIds;
use super::groups::Group;
use super::ids::Ids;
use super::search::Lowest;
use crate::{AioPool, Stats, TaskInfo, TaskState};

/// Commands that read, and commands that change a pool or group but no task.
impl Handler {
    pub(super) fn num_running(&self) -> u64 {
        let active = match &self.target.copies {
            Some(copies) => copies.running(),
            None => self.target.pool.active(),
        };
        (active as u64).saturating_sub(self.num_cancelled())
    }

    pub(super) fn num_ended(&self) -> u64 {
        let flushed = self.records().flushed;
        self.ended().saturating_sub(flushed)
    }

    /// Returns the number of tasks that have started and ended. A task that never started is not counted.
    fn ended(&self) -> u64 {
        let pool = &self.target.pool;
        let (stats, active) = (pool.stats(), pool.active() as u64);
        stats.started.saturating_sub(active).min(all_ended(stats))
    }

    pub(super) fn flush(&self) -> Reply {
        let ended = self.ended();
        let mut records = self.records();
        records.flushed = ended;
        let left = records.groups.tidy();
        drop(records);
        drop(left);
        Reply::Done
    }

    pub(super) async fn group_ids(&self, names: &[String]) -> Result<Reply, Refusal> {
        let mut found = GroupIds::new(names);
        for name in names {
            found.record(&self.recorded_ids(name)?)?;
        }
        if !names.is_empty() {
            self.each_task(&self.target.pool, |task| found.correct(task))
                .await;
        }
        found.into_sets().map(Reply::Ids)
    }

    /// Returns the recorded tasks of a group that a client has started. A group that the program itself has made has
    /// none.
    fn recorded_ids(&self, name: &str) -> Result<Ids, Refusal> {
        let group = self.records().groups.get(name).map(Group::ids);
        match group {
            Some(group) => Ok(group),
            None if self.find(name).is_some() => Ok(Ids::default()),
            None => Err(no_group(name)),
        }
    }

    pub(super) fn lock(&self) -> Reply {
        self.target.pool.close();
        Reply::Done
    }

    pub(super) fn unlock(&self) -> Reply {
        self.target.pool.reopen();
        Reply::Done
    }

    pub(super) fn pause(&self, group: Option<String>) -> Result<Reply, Refusal> {
        let pool = self.pool_of(group.as_deref())?;
        pool.pause();
        // Dropping a handle may start tasks: none is dropped while the records are locked.
        let earlier = group.and_then(|name| self.records().paused.insert(name, pool));
        drop(earlier);
        Ok(Reply::Done)
    }

    pub(super) fn resume(&self, group: Option<&str>) -> Result<Reply, Refusal> {
        self.pool_of(group)?.resume();
        let paused = group.and_then(|name| self.records().paused.remove(name));
        drop(paused);
        Ok(Reply::Done)
    }

    pub(super) fn resize(&self, size: i64, group: Option<&str>) -> Result<Reply, Refusal> {
        let pool = self.pool_of(group)?;
        let size = usize::try_from(size).map_err(|_| {
            Refusal::new(RefusalKind::Size, format!("no pool has a size of {size}"))
        })?;
        match pool.resize(size) {
            Ok(()) => Ok(Reply::Done),
            Err(error) => Err(Refusal::new(RefusalKind::Size, error.to_string())),
        }
    }

    pub(super) fn stats(&self, group: Option<&str>) -> Result<Reply, Refusal> {
        let pool = self.pool_of(group)?;
        Ok(Reply::Stats(Box::new(stats_line(&pool))))
    }

    pub(super) async fn tasks(
        &self,
        group: Option<&str>,
        state: Option<TaskState>,
        most: usize,
    ) -> Result<Reply, Refusal> {
        let (pool, started) = self.pool_and_ids(group)?;
        let mut lowest = Lowest::new(most.min(MOST_LINES));
        self.each_task(&pool, |task| {
            let is_wanted = state.is_none_or(|state| state == task.state);
            if is_wanted && started.as_ref().is_none_or(|ids| ids.has(task.id.get())) {
                lowest.offer(task);
            }
        })
        .await;
        let (chosen, offered) = lowest.into_parts();
        let tasks = self.task_lines(pool.describe(&chosen));
        let more = offered - tasks.len();
        Ok(Reply::Tasks(TaskList { tasks, more }))
    }

    /// Returns the lines of as many of these tasks as fit into an answer.
    pub(super) fn task_lines(&self, tasks: impl Iterator<Item = TaskInfo>) -> Vec<TaskLine> {
        let group = |task: &TaskInfo| task.group.as_ref().map_or(0, String::len);
        let mut tasks = lines_that_fit(tasks, |task| task.name.len() + group(task));
        let records = self.records();
        for task in tasks.iter_mut().filter(|task| task.group.is_none()) {
            task.group = records.groups.of(task.id.get());
        }
        drop(records);
        tasks.into_iter().map(TaskLine::from).collect()
    }

    /// Returns the pool that contains the tasks of a group, and the numbers of these tasks if the pool contains others,
    /// too.
    pub(super) fn pool_and_ids(
        &self,
        group: Option<&str>,
    ) -> Result<(AioPool, Option<Ids>), Refusal> {
        let Some(name) = group else {
            return Ok((self.target.pool.clone(), None));
        };
        if let Some(group) = self.find(name) {
            return Ok((group, None));
        }
        let group = self.records().groups.get(name).map(Group::ids);
        let ids = group.ok_or_else(|| no_group(name))?;
        Ok((self.target.pool.clone(), Some(ids)))
    }

    /// Returns the group with this name, or the whole pool without a name.
    pub(super) fn pool_of(&self, group: Option<&str>) -> Result<AioPool, Refusal> {
        match group {
            None => Ok(self.target.pool.clone()),
            Some(name) => self.find(name).ok_or_else(|| no_group(name)),
        }
    }

    /// Returns the group with this name, at any depth, if it exists in the pool.
    pub(super) fn find(&self, name: &str) -> Option<AioPool> {
        self.target.pool.find_group_below(name)
    }
}

/// Maximum number of lines in a list, whatever number a client asks for.
pub(super) const MOST_LINES: usize = 10_000;

/// Approximate maximum size of a list of tasks, in bytes.
const MOST_BYTES: usize = 3 << 19;

/// Takes lines as long as their total size is within `MOST_BYTES`: names of tasks and groups may be long. `names` returns the
/// bytes of all names in a line.
pub(super) fn lines_that_fit<L>(
    lines: impl IntoIterator<Item = L>,
    names: impl Fn(&L) -> usize,
) -> Vec<L> {
    // Estimated bytes of a line without its names.
    const FIGURES: usize = 100;
    let mut room = MOST_BYTES;
    let fits = |line: &L| {
        let bytes = FIGURES + names(line);
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    };
    lines.into_iter().take_while(fits).collect()
}

pub(super) fn no_group(name: &str) -> Refusal {
    Refusal::new(
        RefusalKind::NotFound,
        format!("there is no group named {name:?}"),
    )
}

/// Describes a pool. A task that a feed has yet to put into the queue counts as waiting, too.
pub(super) fn group_line(pool: &AioPool) -> GroupLine {
    GroupLine {
        name: pool.name().to_owned(),
        size: pool.size(),
        active: pool.active(),
        waiting: pool.waiting_and_unpulled(),
        paused: pool.is_paused(),
        locked: pool.is_closed(),
    }
}

fn stats_line(pool: &AioPool) -> StatsLine {
    let counts = pool.stats();
    StatsLine {
        pool: group_line(pool),
        full: pool.is_full(),
        submitted: counts.submitted,
        started: counts.started,
        completed: counts.completed,
        panicked: counts.panicked,
        cancelled: counts.cancelled,
        timed_out: counts.timed_out,
        rejected: counts.rejected,
        refused: counts.refused,
        retries: counts.retries,
    }
}

fn all_ended(stats: Stats) -> u64 {
    stats.completed + stats.panicked + stats.cancelled + stats.timed_out
}
