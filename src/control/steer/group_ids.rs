use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::protocol::{Refusal, RefusalKind};
use super::ids::Ids;
use crate::TaskState;
use crate::pool::Surveyed;

/// The numbers of the tasks that were started in some groups: the answer to `get-group-ids`.
pub(super) struct GroupIds<'n> {
    sets: Vec<BTreeSet<u64>>,
    /// Index of each group in `sets`.
    indexes: HashMap<&'n str, usize>,
    /// All recorded numbers, of all groups.
    recorded: HashSet<u64>,
    /// The recorded numbers of tasks that still wait. The answer leaves them out.
    waiting: HashSet<u64>,
    count: u64,
}

/// Maximum number of task numbers in an answer.
const MOST: u64 = 100_000;

impl<'n> GroupIds<'n> {
    pub(super) fn new(names: &'n [String]) -> Self {
        Self {
            sets: Vec::new(),
            indexes: names.iter().map(String::as_str).zip(0..).collect(),
            recorded: HashSet::new(),
            waiting: HashSet::new(),
            count: 0,
        }
    }

    /// Adds the recorded numbers of the next group.
    ///
    /// # Errors
    ///
    /// Returns an error if there are too many numbers for an answer.
    pub(super) fn record(&mut self, ids: &Ids) -> Result<(), Refusal> {
        self.count += ids.len();
        self.check()?;
        let mut set = BTreeSet::new();
        ids.collect_into(&mut set);
        self.recorded.extend(&set);
        self.sets.push(set);
        Ok(())
    }

    /// Adds or marks a task that is now in the pool: an active task belongs to the set of its group, and a waiting task
    /// is left out.
    pub(super) fn correct(&mut self, task: &Surveyed<'_>) {
        let id = task.id.get();
        if task.state == TaskState::Waiting {
            if self.recorded.contains(&id) {
                self.waiting.insert(id);
            }
        } else if let Some(index) = task.group.and_then(|name| self.indexes.get(name)) {
            let is_new = self.count <= MOST && self.sets[*index].insert(id);
            self.count += u64::from(is_new);
        }
    }

    /// Returns the numbers of each group.
    ///
    /// # Errors
    ///
    /// Returns an error if there are too many numbers for an answer.
    pub(super) fn into_sets(mut self) -> Result<Vec<BTreeSet<u64>>, Refusal> {
        self.check()?;
        for set in &mut self.sets {
            set.retain(|id| !self.waiting.contains(id));
        }
        Ok(self.sets)
    }

    fn check(&self) -> Result<(), Refusal> {
        match self.count > MOST {
            false => Ok(()),
            true => {
                let message = format!("these are more than {MOST} tasks: ask for fewer groups");
                Err(Refusal::new(RefusalKind::TooMany, message))
            }
        }
    }
}
