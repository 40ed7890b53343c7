use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::ids::Ids;
use super::names::FreeNames;
use crate::lock::Lock;
use crate::{AioPool, Feed, TaskState};

/// The groups that were started from outside, as long as they are remembered.
///
/// What a command does here takes no longer for many groups than for few, or is done once for as many commands.
#[derive(Default)]
pub(super) struct Groups {
    named: BTreeMap<String, Group>,
    begun: u64,
    /// The next time that there are so many, those that have ended are forgotten.
    too_many: Threshold,
    /// When so many have been begun, the pools of those that have ended are looked for.
    tidy_at: u64,
    names: FreeNames,
    /// Where the numbers of copies lie, by the first of each run.
    runs: BTreeMap<u64, Run>,
}

/// Of more groups than this, those that were begun first and have ended are forgotten.
const REMEMBERED: usize = 1_000;

struct Threshold(usize);

impl Default for Threshold {
    fn default() -> Self {
        Self(REMEMBERED)
    }
}

/// Numbers of copies without a gap, all of one group.
struct Run {
    last: u64,
    begun: u64,
    group: Arc<str>,
}

/// Tasks that one command has started.
pub(super) struct Group {
    begun: u64,
    ids: Arc<Lock<Ids>>,
    /// What is left to be done for it, in an [`AioPool`].
    feeding: Option<Feeding>,
}

/// A group of the pool that is being fed.
pub(super) struct Feeding {
    pub(super) pool: AioPool,
    pub(super) feed: Feed,
    /// How many tasks it is to be.
    pub(super) count: u64,
}

impl Groups {
    pub(super) fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Group> {
        self.named.get(name)
    }

    /// The group in which a copy was started.
    pub(super) fn of(&self, id: u64) -> Option<String> {
        self.run(id).map(|run| run.group.as_ref().to_owned())
    }

    /// How many of these copies are active and how many wait in each group, in the order in which the groups were begun.
    pub(super) fn count(&self, copies: &[(u64, TaskState)]) -> Vec<(String, usize, usize)> {
        let mut counts = BTreeMap::new();
        for (id, state) in copies {
            let Some(run) = self.run(*id) else { continue };
            let name = || (run.group.as_ref().to_owned(), 0, 0);
            let (_, active, waiting) = counts.entry(run.begun).or_insert_with(name);
            match state {
                TaskState::Active => *active += 1,
                TaskState::Waiting => *waiting += 1,
                TaskState::Finished => {}
            }
        }
        counts.retain(|_, (_, active, waiting)| *active + *waiting > 0);
        counts.into_values().collect()
    }

    fn run(&self, id: u64) -> Option<&Run> {
        let (_, run) = self.runs.range(..=id).next_back()?;
        (id <= run.last).then_some(run)
    }

    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn remove(&mut self, name: &str) -> Option<Group> {
        let group = self.named.remove(name)?;
        self.let_go(name, &group);
        Some(group)
    }

    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn take_all(&mut self) -> Vec<Group> {
        self.runs.clear();
        self.names = FreeNames::default();
        std::mem::take(&mut self.named).into_values().collect()
    }

    /// The first of `{begin}-group-0`, `{begin}-group-1` … that is not given yet.
    pub(super) fn free_name(&mut self, begin: &str) -> String {
        let named = &self.named;
        self.names.first(begin, |name| named.contains_key(name))
    }

    /// Remembers copies that were started.
    pub(super) fn add_copies(&mut self, name: String, ids: Ids) {
        let group: Arc<str> = name.as_str().into();
        for (first, last) in ids.runs() {
            let (begun, group) = (self.begun, group.clone());
            self.runs.insert(first, Run { last, begun, group });
        }
        self.add(name, Arc::new(Lock::new(ids)), None);
    }

    /// Remembers a group that is fed.
    pub(super) fn add_fed(&mut self, name: String, ids: Arc<Lock<Ids>>, feeding: Feeding) {
        self.add(name, ids, Some(feeding));
    }

    fn add(&mut self, name: String, ids: Arc<Lock<Ids>>, feeding: Option<Feeding>) {
        self.names.take(&name);
        let group = Group {
            begun: self.begun,
            ids,
            feeding,
        };
        self.begun += 1;
        self.named.insert(name, group);
    }

    /// Whether some should be forgotten.
    pub(super) fn are_too_many(&self) -> bool {
        self.named.len() >= self.too_many.0
    }

    /// Forgets the older groups of which nothing lives: neither one of these copies, nor a feed.
    ///
    /// It does so once for half as many groups as it leaves. Returns what it has forgotten: a pool that is let go may start
    /// tasks.
    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn forget(&mut self, living: &[u64]) -> Vec<Group> {
        let newest = self.begun.saturating_sub(REMEMBERED as u64 / 2);
        let runs = living.iter().filter_map(|id| self.run(*id));
        let living: HashSet<u64> = runs.map(|run| run.begun).collect();
        let lives = |group: &Group| {
            group.begun >= newest || group.is_fed() || living.contains(&group.begun)
        };
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.named)
            .into_iter()
            .partition(|(_, group)| lives(group));
        self.too_many = Threshold(REMEMBERED.max(kept.len() / 2 * 3));
        self.named = kept;
        gone.iter()
            .for_each(|(name, group)| self.let_go(name, group));
        gone.into_values().collect()
    }

    /// A group is named no longer.
    fn let_go(&mut self, name: &str, group: &Group) {
        self.names.free(name);
        if group.feeding.is_none() {
            for (first, _) in group.ids.lock().runs() {
                self.runs.remove(&first);
            }
        }
    }

    /// Takes out the pools of those groups that have nothing left to do, once for as many commands as there are groups.
    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn tidy_now_and_then(&mut self) -> Vec<Feeding> {
        match self.begun >= self.tidy_at {
            true => self.tidy(),
            false => Vec::new(),
        }
    }

    /// Takes out the pools of those groups that have nothing left to do.
    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn tidy(&mut self) -> Vec<Feeding> {
        let ended = |feeding: &mut Feeding| feeding.feed.is_finished();
        let groups = self.named.values_mut();
        let ended: Vec<Feeding> = groups
            .filter_map(|group| group.feeding.take_if(ended))
            .collect();
        self.tidy_at = self.begun + self.named.len() as u64 / 2;
        ended
    }
}

impl Group {
    pub(super) fn ids(&self) -> Ids {
        self.ids.lock().clone()
    }

    fn is_fed(&self) -> bool {
        self.feeding
            .as_ref()
            .is_some_and(|feeding| !feeding.feed.is_finished())
    }

    /// Whether as much of it has started as can for now, and its tasks have noted their numbers.
    pub(super) fn rests(&self, around: &AioPool) -> bool {
        let Some(feeding) = &self.feeding else {
            return true;
        };
        let noted = self.ids.lock().len();
        let blocked = |pool: &AioPool| pool.is_full() || pool.is_paused();
        let rests = blocked(&feeding.pool) || blocked(around);
        feeding.feed.is_finished()
            || noted >= feeding.count
            || rests && noted >= feeding.pool.active() as u64
    }

    /// Starts no more of it, and stops what runs.
    pub(super) fn abort(&self) {
        if let Some(feeding) = &self.feeding {
            feeding.feed.abort();
        }
    }
}
