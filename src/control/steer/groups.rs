use std::collections::BTreeMap;
use std::sync::Arc;

use super::ids::Ids;
use crate::lock::Lock;
use crate::{AioPool, Feed};

/// The groups that were started from outside, as long as they are remembered.
#[derive(Default)]
pub(super) struct Groups {
    named: BTreeMap<String, Group>,
    begun: u64,
}

/// Of more groups than this, those that were begun first and have ended are forgotten.
const REMEMBERED: usize = 1_000;

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

    /// Which of them a task was started in.
    pub(super) fn of(&self, id: u64) -> Option<String> {
        let mut named = self.named.iter();
        let found = named.find(|(_, group)| group.ids.lock().has(id));
        found.map(|(name, _)| name.clone())
    }

    /// All of them, by the order in which they were begun.
    pub(super) fn all(&self) -> Vec<(String, Ids)> {
        let mut all: Vec<_> = self.named.iter().collect();
        all.sort_unstable_by_key(|(_, group)| group.begun);
        let all = all.into_iter();
        all.map(|(name, group)| (name.clone(), group.ids()))
            .collect()
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Group> {
        self.named.remove(name)
    }

    pub(super) fn take_all(&mut self) -> Vec<Group> {
        std::mem::take(&mut self.named).into_values().collect()
    }

    /// The first of `{begin}-group-0`, `{begin}-group-1` … that is not given yet.
    pub(super) fn free_name(&self, begin: &str) -> String {
        let names = (0..).map(|n: u64| format!("{begin}-group-{n}"));
        let mut free = names.filter(|name| !self.has(name));
        free.next().expect("there are fewer groups than numbers")
    }

    /// Remembers a group. Too many of them, it forgets those that have ended: for these, `lives` says no.
    ///
    /// Returns what it has forgotten: a pool that is let go may start tasks.
    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn add(
        &mut self,
        name: String,
        ids: Arc<Lock<Ids>>,
        feeding: Option<Feeding>,
        lives: impl Fn(&Group) -> bool,
    ) -> Vec<Group> {
        let begun = self.begun;
        self.begun += 1;
        let group = Group {
            begun,
            ids,
            feeding,
        };
        let mut gone = Vec::from_iter(self.named.insert(name, group));
        if self.named.len() > REMEMBERED {
            gone.extend(self.forget_half(lives));
        }
        gone
    }

    /// So that this is done once for many.
    fn forget_half(&mut self, lives: impl Fn(&Group) -> bool) -> impl Iterator<Item = Group> {
        let newest = self.begun.saturating_sub(REMEMBERED as u64 / 2);
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.named)
            .into_iter()
            .partition(|(_, group)| group.begun >= newest || lives(group));
        self.named = kept;
        gone.into_values()
    }

    /// Takes out the pools of those groups that have nothing left to do.
    #[must_use = "to be dropped once nothing is locked"]
    pub(super) fn tidy(&mut self) -> Vec<Feeding> {
        let ended = |feeding: &mut Feeding| feeding.feed.is_finished();
        let groups = self.named.values_mut();
        groups
            .filter_map(|group| group.feeding.take_if(ended))
            .collect()
    }
}

impl Group {
    pub(super) fn ids(&self) -> Ids {
        self.ids.lock().clone()
    }

    pub(super) fn is_fed(&self) -> bool {
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
