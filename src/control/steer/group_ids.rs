use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::wire::{Failure, Kind};
use super::ids::Ids;
use crate::TaskState;
use crate::pool::Surveyed;

/// The numbers of the tasks that were started in some groups.
pub(super) struct GroupIds<'n> {
    sets: Vec<BTreeSet<u64>>,
    /// The place of each group in `sets`.
    places: HashMap<&'n str, usize>,
    /// All that was recorded.
    recorded: HashSet<u64>,
    /// Those of it that wait yet.
    waiting: HashSet<u64>,
    count: u64,
}

/// No answer has more numbers.
const MOST: u64 = 100_000;

impl<'n> GroupIds<'n> {
    pub(super) fn new(names: &'n [String]) -> Self {
        Self {
            sets: Vec::new(),
            places: names.iter().map(String::as_str).zip(0..).collect(),
            recorded: HashSet::new(),
            waiting: HashSet::new(),
            count: 0,
        }
    }

    /// Takes what is recorded for the next group.
    ///
    /// # Errors
    ///
    /// If there are too many numbers for an answer.
    pub(super) fn record(&mut self, ids: &Ids) -> Result<(), Failure> {
        self.count += ids.len();
        self.check()?;
        let mut set = BTreeSet::new();
        ids.collect_into(&mut set);
        self.recorded.extend(&set);
        self.sets.push(set);
        Ok(())
    }

    /// Takes a task into account that is in the pool.
    pub(super) fn correct(&mut self, task: &Surveyed<'_>) {
        let id = task.id.get();
        if task.state == TaskState::Waiting {
            if self.recorded.contains(&id) {
                self.waiting.insert(id);
            }
        } else if let Some(place) = task.group.and_then(|name| self.places.get(name)) {
            let is_new = self.count <= MOST && self.sets[*place].insert(id);
            self.count += u64::from(is_new);
        }
    }

    /// Returns the numbers of each group.
    ///
    /// # Errors
    ///
    /// If there are too many of them for an answer.
    pub(super) fn into_sets(mut self) -> Result<Vec<BTreeSet<u64>>, Failure> {
        self.check()?;
        for set in &mut self.sets {
            set.retain(|id| !self.waiting.contains(id));
        }
        Ok(self.sets)
    }

    fn check(&self) -> Result<(), Failure> {
        match self.count > MOST {
            false => Ok(()),
            true => {
                let message = format!("these are more than {MOST} tasks: ask for fewer groups");
                Err(Failure::new(Kind::TooMany, message))
            }
        }
    }
}
