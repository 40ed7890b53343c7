use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::ids::Ids;
use super::names::FreeNames;
use crate::lock::Lock;
use crate::{AioPool, Feed, TaskState};

/// Records of the groups that clients have started, as long as they are remembered.
///
/// The cost of a command here does not grow with the number of groups, or the work is done only once for as many
/// commands as there are groups.
#[derive(Default)]
pub(super) struct Groups {
    named: BTreeMap<String, Group>,
    begun: u64,
    /// Number of groups at which ended groups are forgotten next.
    too_many: Threshold,
    /// Value of `begun` at which the pools of ended groups are released next.
    tidy_at: u64,
    names: FreeNames,
    /// Runs of copies' numbers, by the first number of each run.
    runs: BTreeMap<u64, Run>,
}

/// Number of groups up to which nothing is forgotten. Beyond it, the oldest groups that have ended are forgotten.
const REMEMBERED: usize = 1_000;

struct Threshold(usize);

impl Default for Threshold {
    fn default() -> Self {
        Self(REMEMBERED)
    }
}

/// Consecutive numbers of copies, all of one group.
struct Run {
    last: u64,
    begun: u64,
    group: Arc<str>,
}

/// The tasks that one command has started.
pub(super) struct Group {
    begun: u64,
    ids: Arc<Lock<Ids>>,
    /// The feed that adds its tasks, in an [`AioPool`]. `None` for copies, and when the feed has finished and was
    /// released.
    feeding: Option<Feeding>,
}

/// A group of the pool, and the feed that adds its tasks.
pub(super) struct Feeding {
    pub(super) pool: AioPool,
    pub(super) feed: Feed,
    /// Number of tasks that the feed adds in total.
    pub(super) count: u64,
}

/// Names, and numbers of active and waiting copies, in the order in which the groups were begun.
pub(super) type GroupCounts = BTreeMap<u64, (String, usize, usize)>;

impl Groups {
    pub(super) fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Group> {
        self.named.get(name)
    }

    /// Returns the name of the group in which a copy was started.
    pub(super) fn of(&self, id: u64) -> Option<String> {
        self.run(id).map(|run| run.group.as_ref().to_owned())
    }

    /// Adds to `counts` how many of these copies are active in each group, and how many wait.
    pub(super) fn count(&self, copies: &[(u64, TaskState)], counts: &mut GroupCounts) {
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

    /// Returns the first of the names `{begin}-group-0`, `{begin}-group-1` … that is not in use.
    pub(super) fn free_name(&mut self, begin: &str) -> String {
        let named = &self.named;
        self.names.first(begin, |name| named.contains_key(name))
    }

    /// Records a group of copies.
    pub(super) fn add_copies(&mut self, name: String, ids: Ids) {
        let group: Arc<str> = name.as_str().into();
        for (first, last) in ids.runs() {
            let (begun, group) = (self.begun, group.clone());
            self.runs.insert(first, Run { last, begun, group });
        }
        self.add(name, Arc::new(Lock::new(ids)), None);
    }

    /// Records a group that a feed fills.
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

    /// Returns `true` if ended groups should be forgotten now.
    pub(super) fn are_too_many(&self) -> bool {
        self.named.len() >= self.too_many.0
    }

    /// Forgets the older groups that have ended: the groups without a copy in `living` and without a running feed. The
    /// newest half of [`REMEMBERED`] always stays.
    ///
    /// The next command is due when half as many new groups as are left have been added, so its cost per command stays
    /// constant. Returns the forgotten groups: dropping the handle of a pool may start tasks, which must not happen
    /// under the lock.
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

    /// Frees the name of a group, and forgets the numbers of its copies.
    fn let_go(&mut self, name: &str, group: &Group) {
        self.names.free(name);
        if group.feeding.is_none() {
            for (first, _) in group.ids.lock().runs() {
                self.runs.remove(&first);
            }
        }
    }

    /// Takes out the pools of groups whose feed has finished, but only once for about half as many commands as there
    /// are groups, so that the cost per command stays constant.
    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn tidy_now_and_then(&mut self) -> Vec<Feeding> {
        if self.begun >= self.tidy_at {
            self.tidy()
        } else {
            Vec::new()
        }
    }

    /// Takes out the pools of groups whose feed has finished.
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

    /// Returns `true` if the group has started as many tasks as it can for now, and these tasks have recorded their
    /// numbers.
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

    /// Aborts the feed: it adds no more tasks, and its tasks are aborted.
    pub(super) fn abort(&self) {
        if let Some(feeding) = &self.feeding {
            feeding.feed.abort();
        }
    }
}
