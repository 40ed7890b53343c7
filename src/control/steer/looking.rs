use std::collections::BTreeSet;

use super::super::wire::{Failure, GroupLine, Kind, Listing, Reply, StatsLine};
use super::Desk;
use super::groups::Group;
use crate::{AioPool, Stats, TaskInfo, TaskState};

/// Looking, and steering what is no task.
impl Desk {
    pub(super) fn num_running(&self) -> u64 {
        let active = match &self.target.copies {
            Some(copies) => copies.running(),
            None => self.target.pool.active(),
        };
        (active as u64).saturating_sub(self.num_cancelled())
    }

    pub(super) fn num_cancelled(&self) -> u64 {
        let stopping = self.books().stopping.clone();
        if stopping.is_empty() {
            return 0;
        }
        let living: BTreeSet<_> = self.active_ids().into_iter().collect();
        let mut books = self.books();
        books
            .stopping
            .retain(|id| living.contains(id) || !stopping.contains(id));
        books.stopping.len() as u64
    }

    pub(super) fn num_ended(&self) -> u64 {
        let flushed = self.books().flushed;
        self.ended().saturating_sub(flushed)
    }

    /// How many tasks have run and ended. One that never started is in none of the numbers.
    fn ended(&self) -> u64 {
        let pool = &self.target.pool;
        let (stats, active) = (pool.stats(), pool.active() as u64);
        stats.started.saturating_sub(active).min(all_ended(stats))
    }

    pub(super) fn flush(&self) -> Reply {
        let ended = self.ended();
        let mut books = self.books();
        books.flushed = ended;
        let left = books.groups.tidy();
        drop(books);
        drop(left);
        Reply::Done
    }

    /// The tasks that have started and not ended.
    pub(super) fn active_ids(&self) -> Vec<u64> {
        let tasks = self.target.pool.tasks().into_iter();
        let active = tasks.filter(|task| task.state == TaskState::Active);
        active.map(|task| task.id.get()).collect()
    }

    pub(super) fn group_ids(&self, names: &[String]) -> Result<Reply, Failure> {
        if names.is_empty() {
            return Ok(Reply::Ids(Vec::new()));
        }
        let tasks = self.target.pool.tasks();
        let ids = names.iter().map(|name| self.ids_of(name, &tasks));
        ids.collect::<Result<_, _>>().map(Reply::Ids)
    }

    /// The tasks of a group that have started, as far as they are known.
    fn ids_of(&self, name: &str, tasks: &[TaskInfo]) -> Result<BTreeSet<u64>, Failure> {
        let mut ids = BTreeSet::new();
        let group = self.books().groups.get(name).map(Group::ids);
        match group {
            Some(group) => group.collect_into(&mut ids),
            None if self.find(name).is_some() => {}
            None => return Err(no_group(name)),
        }
        for task in tasks {
            match task.state {
                TaskState::Waiting => _ = ids.remove(&task.id.get()),
                _ if task.group.as_deref() == Some(name) => _ = ids.insert(task.id.get()),
                _ => {}
            }
        }
        Ok(ids)
    }

    pub(super) fn lock(&self) -> Reply {
        self.target.pool.close();
        Reply::Done
    }

    pub(super) fn unlock(&self) -> Reply {
        self.target.pool.reopen();
        Reply::Done
    }

    pub(super) fn pause(&self, pool: &AioPool) -> Reply {
        pool.pause();
        Reply::Done
    }

    pub(super) fn resume(&self, pool: &AioPool) -> Reply {
        pool.resume();
        Reply::Done
    }

    pub(super) fn resize(&self, size: i64, group: Option<&str>) -> Result<Reply, Failure> {
        let pool = self.pool_of(group)?;
        let size = usize::try_from(size)
            .map_err(|_| Failure::new(Kind::Size, format!("no pool has a size of {size}")))?;
        match pool.resize(size) {
            Ok(()) => Ok(Reply::Done),
            Err(error) => Err(Failure::new(Kind::Size, error.to_string())),
        }
    }

    pub(super) fn stats(&self, group: Option<&str>) -> Result<Reply, Failure> {
        let pool = self.pool_of(group)?;
        Ok(Reply::Stats(Box::new(StatsLine {
            about: GroupLine::of(&pool),
            full: pool.is_full(),
            stats: pool.stats(),
        })))
    }

    pub(super) fn tasks(&self, group: Option<&str>, most: usize) -> Result<Reply, Failure> {
        let mut tasks = match group {
            Some(name) if self.find(name).is_none() => self.started_in(name)?,
            group => self.pool_of(group)?.tasks(),
        };
        let more = tasks.len().saturating_sub(most);
        tasks.truncate(most);
        let books = self.books();
        for task in tasks.iter_mut().filter(|task| task.group.is_none()) {
            task.group = books.groups.of(task.id.get());
        }
        Ok(Reply::Tasks(Listing { tasks, more }))
    }

    /// The tasks that there are of a group which is none of the pool's.
    fn started_in(&self, name: &str) -> Result<Vec<TaskInfo>, Failure> {
        let group = self.books().groups.get(name).map(Group::ids);
        let ids = group.ok_or_else(|| no_group(name))?;
        let mut tasks = self.target.pool.tasks();
        tasks.retain(|task| ids.has(task.id.get()));
        Ok(tasks)
    }

    pub(super) fn groups(&self) -> Reply {
        let mut lines = Vec::new();
        self.walk(&mut |group| {
            lines.push(GroupLine::of(group));
            false
        });
        if self.target.copies.is_some() {
            lines.extend(self.started_groups());
        }
        Reply::Groups(lines)
    }

    /// The groups of copies, as far as something is left of them.
    fn started_groups(&self) -> Vec<GroupLine> {
        let tasks = self.target.pool.tasks();
        let whole = GroupLine::of(&self.target.pool);
        let mut lines = Vec::new();
        for (name, ids) in self.books().groups.all() {
            let own = tasks.iter().filter(|task| ids.has(task.id.get()));
            let (waiting, active): (Vec<_>, Vec<_>) =
                own.partition(|task| task.state == TaskState::Waiting);
            if waiting.len() + active.len() > 0 {
                lines.push(GroupLine {
                    name,
                    size: AioPool::UNBOUNDED,
                    active: active.len(),
                    waiting: waiting.len(),
                    ..whole
                });
            }
        }
        lines
    }

    /// The whole pool, or a group of it.
    pub(super) fn pool_of(&self, group: Option<&str>) -> Result<AioPool, Failure> {
        match group {
            None => Ok(self.target.pool.clone()),
            Some(name) => self.find(name).ok_or_else(|| no_group(name)),
        }
    }

    /// Finds a group that lives, however deep it lies.
    pub(super) fn find(&self, name: &str) -> Option<AioPool> {
        let mut found = self.target.pool.find_group(name);
        if found.is_none() {
            self.walk(&mut |group| {
                if group.name() == name {
                    found = Some(group.clone());
                }
                found.is_some()
            });
        }
        found
    }

    /// Shows all groups, each before those inside of it, until `visit` says that it is enough.
    fn walk(&self, visit: &mut dyn FnMut(&AioPool) -> bool) {
        let mut left = self.target.pool.groups();
        left.reverse();
        while let Some(group) = left.pop() {
            if visit(&group) {
                return;
            }
            left.extend(group.groups().into_iter().rev());
        }
    }
}

pub(super) fn no_group(name: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("there is no group named {name:?}"))
}

fn all_ended(stats: Stats) -> u64 {
    stats.completed + stats.panicked + stats.cancelled + stats.timed_out
}
