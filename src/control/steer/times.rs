use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::super::protocol::{Refusal, Reply, Times};
use super::Handler;
use super::spread::Spread;
use crate::pool::{Line, Surveyed};
use crate::{TaskId, coop};

/// Maximum number of tasks in each list, whatever number a client asks for.
const MOST: usize = 1000;

impl Handler {
    /// Goes through all tasks once, in parts, and tells how long they have waited and run until now.
    ///
    /// The longest tasks are told as they were when it met them: the tasks at the head of a long queue may have ended when it
    /// comes to the end.
    pub(super) async fn times(&self, group: Option<&str>, most: usize) -> Result<Reply, Refusal> {
        let (pool, started) = self.pool_and_ids(group)?;
        let mut waiting = Ages::new(most.min(MOST));
        let mut running = Ages::new(most.min(MOST));
        let is_ours = |task: &Surveyed<'_>| {
            let ids = started.as_ref();
            ids.is_none_or(|ids| ids.has(task.id.get()))
        };
        let _turn = self.searching.lock().await;
        let mut survey = pool.survey();
        loop {
            let is_more = survey.visit_part(|task| match task.has_started() {
                _ if !is_ours(task) => {}
                true => running.add(task),
                false => waiting.add(task),
            });
            running.drop_younger();
            waiting.drop_younger();
            if !is_more {
                break;
            }
            coop::yield_once().await;
        }
        let holders = survey.holders();
        let (running, running_spread) = running.into_parts();
        let (waiting, waiting_spread) = waiting.into_parts();
        let running_count = running.len();
        // Together, so that both lists fit into an answer.
        let longest = running.into_iter().chain(waiting);
        let mut longest_running = self.task_lines(longest.map(|line| survey.describe(line)));
        let cut = running_count.min(longest_running.len());
        let longest_waiting = longest_running.split_off(cut);
        Ok(Reply::Times(Box::new(Times {
            timed: survey.is_timed(),
            lacks_permits: holders.are_awaited,
            in_place: holders.in_place,
            waiting: waiting_spread.summary(),
            running: running_spread.summary(),
            longest_waiting,
            longest_running,
        })))
    }
}

/// The ages of tasks, and the oldest of them.
struct Ages {
    spread: Spread,
    most: usize,
    /// By age. Of the same age, or without known ages, the task with the lowest number counts as the oldest.
    oldest: BTreeMap<(Option<Duration>, Reverse<TaskId>), Line>,
    /// Tasks that are not among the oldest any more. They may have values of the user, whose destructors must not run while
    /// the pool is locked.
    younger: Vec<Line>,
}

impl Ages {
    fn new(most: usize) -> Self {
        Self {
            spread: Spread::new(),
            most,
            oldest: BTreeMap::new(),
            younger: Vec::new(),
        }
    }

    fn add(&mut self, task: &Surveyed<'_>) {
        let age = task.age();
        self.spread.add(age);
        let rank = (age, Reverse(task.id));
        let is_full = self.oldest.len() >= self.most;
        let youngest = self.oldest.first_key_value().map(|(rank, _)| *rank);
        if is_full && youngest.is_none_or(|youngest| rank < youngest) {
            return;
        }
        self.oldest.extend(task.line().map(|line| (rank, line)));
        if self.oldest.len() > self.most {
            let youngest = self.oldest.pop_first();
            self.younger.extend(youngest.map(|(_, line)| line));
        }
    }

    fn drop_younger(&mut self) {
        self.younger.clear();
    }

    /// Returns the oldest tasks, the oldest first, and the ages of all.
    fn into_parts(self) -> (Vec<Line>, Spread) {
        (self.oldest.into_values().rev().collect(), self.spread)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::AioPool;
    use crate::spawner::FnSpawner;

    /// A value of the user that counts how many of its sort have been dropped.
    struct Tag(Arc<AtomicUsize>);

    impl Drop for Tag {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn values_of_the_user_are_not_dropped_while_the_pool_is_locked() {
        const PART: usize = 1024;
        let pool = AioPool::with_spawner(1, FnSpawner(std::mem::forget));
        let early: Vec<_> = (0..2 * PART).map(|_| pool.spawn_n(async {})).collect();
        let dropped = Arc::new(AtomicUsize::new(0));
        // Later tasks, in the slots of early ones, so that the survey meets them in its first part.
        early[1..PART].iter().for_each(|task| _ = task.abort());
        let tagged = |_| {
            let task = pool.task(async {}).tag(Tag(dropped.clone()));
            task.spawn_n().id()
        };
        let tagged: Vec<_> = (1..PART).map(tagged).collect();
        let mut ages = Ages::new(5);
        let mut survey = pool.survey();
        assert!(survey.visit_part(|task| ages.add(task)));
        ages.drop_younger();
        let count = tagged.len();
        pool.abort(tagged).unwrap();
        let before = dropped.load(Relaxed);
        assert_eq!(
            before,
            count - 4,
            "four and the first task are the oldest so far"
        );
        while survey.visit_part(|task| ages.add(task)) {}
        assert_eq!(dropped.load(Relaxed), before, "the pool was locked");
        ages.drop_younger();
        assert_eq!(dropped.load(Relaxed), count);
    }
}
