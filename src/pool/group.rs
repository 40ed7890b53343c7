use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, OnceLock};

use super::node_data::NodeData;
use super::state::State;
use super::{AioPool, Core, Inner};
use crate::error::GroupError;
use crate::gate::NodeId;
use crate::task::TaskLabel;

/// Maximum number of groups that are looked at under one lock.
const AT_ONCE: usize = 256;

/// Groups: pools inside of this pool.
///
/// A group is an [`AioPool`] with all its verbs. Its tasks need a permit of the
/// group and of each pool around it, and count in all of them: the pool's
/// `join`, `cancel_all`, `stats` and `tasks` cover its groups. A group that is
/// full holds up nobody else.
///
/// A group lives as long as somebody holds it, or a task or a group is in it.
/// Then its name is free again, and nothing of it is left.
impl AioPool {
    /// Makes a group of this name, in which `size` tasks run at once.
    ///
    /// Names are unique among the groups of one pool. See [`keyed`](Self::keyed) to find or make one.
    ///
    /// # Errors
    ///
    /// [`GroupError::AlreadyExists`] or [`GroupError::ZeroSize`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(10);
    /// let uploads = pool.group("uploads", 2).unwrap();
    /// let handle = uploads.spawn_n(async { "sent" });     // runs while fewer than 2 uploads and 10 tasks do
    /// assert_eq!(handle.await.unwrap(), "sent");
    /// assert_eq!(pool.stats().completed, 1);
    /// # });
    /// ```
    pub fn group(&self, name: impl Into<String>, size: usize) -> Result<AioPool, GroupError> {
        if size == 0 {
            return Err(GroupError::ZeroSize);
        }
        let name = name.into();
        let mut state = self.core().lock();
        if state.gate.data(self.node()).groups.contains_key(&*name) {
            return Err(GroupError::AlreadyExists(name));
        }
        Ok(self
            .core()
            .make_group(&mut state, self.node(), name.into(), size))
    }

    /// Returns the group of this name, if there is one.
    ///
    /// It looks among the groups of this pool, and not of those groups.
    pub fn find_group(&self, name: &str) -> Option<AioPool> {
        let mut state = self.core().lock();
        let group = *state.gate.data(self.node()).groups.get(name)?;
        Some(self.core().handle(&mut state, group))
    }

    /// Returns the group of this name, and makes it if there is none: a cap for each host, tenant, account …
    ///
    /// A group that is there keeps its size. Any number of keys may come and go: a key costs
    /// something only as long as its group lives.
    ///
    /// To go through pages of many hosts, submit each with [`spawn_n`](Self::spawn_n), and let
    /// [`below`](Self::below) of the pool bound how many wait, as in the example. A loop that
    /// awaits [`spawn`](Self::spawn) of the group stops at the first page whose host is full, although other hosts
    /// could go on: with few busy hosts among many it takes several times as long. Tasks that wait are cheap, so let many
    /// of them wait: the loop stops only when so many pages wait for hosts that are full.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(100);
    /// for (host, page) in [("a.example", 1), ("b.example", 1), ("a.example", 2)] {
    ///     pool.below(10_000).await;                           // at most 10,000 wait, whatever their hosts
    ///     pool.keyed(host, 4).spawn_n(async move { page });   // at most 4 at once for each host
    /// }
    /// pool.join().await;
    /// assert!(pool.groups().is_empty());
    /// # });
    /// ```
    #[track_caller]
    pub fn keyed(&self, name: impl Into<String>, size: usize) -> AioPool {
        assert!(size > 0, "{}", GroupError::ZeroSize);
        let name = name.into();
        let mut state = self.core().lock();
        match state.gate.data(self.node()).groups.get(&*name) {
            Some(&group) => self.core().handle(&mut state, group),
            None => self
                .core()
                .make_group(&mut state, self.node(), name.into(), size),
        }
    }

    /// Returns the groups of this pool, by name; not those inside of them.
    pub fn groups(&self) -> Vec<AioPool> {
        self.first_groups(usize::MAX)
    }

    /// Returns the first groups of this pool by name, no more than `most`.
    pub(crate) fn first_groups(&self, most: usize) -> Vec<AioPool> {
        let (core, mut groups) = (self.core(), Vec::new());
        let mut state = core.lock();
        loop {
            let last = groups.last().map(AioPool::name);
            let after = (last.map_or(Unbounded, Excluded), Unbounded);
            let named = state.gate.data(self.node()).groups.range::<str, _>(after);
            let next = named.take(AT_ONCE.min(most - groups.len()));
            let next: Vec<NodeId> = next.map(|(_, id)| *id).collect();
            if next.is_empty() {
                return groups;
            }
            let handle = |id| core.handle(&mut state, id);
            groups.extend(next.into_iter().map(handle));
            state = core.give_way(state);
        }
    }

    /// The group that tasks submitted here are said to be in.
    pub(super) fn group_name(&self) -> Option<Arc<str>> {
        self.core().lock().gate.data(self.node()).group.clone()
    }

    /// Makes a group that is in no list, and has its end with its last handle and task.
    pub(crate) fn nameless_group(&self) -> AioPool {
        let mut state = self.core().lock();
        let around = state.gate.data(self.node());
        let data = NodeData::new(around.name.clone(), around.group.clone());
        let group = state.gate.add_node(self.node(), Self::UNBOUNDED, data);
        self.core().handle(&mut state, group)
    }
}

impl Core {
    fn make_group(
        &self,
        state: &mut State,
        around: NodeId,
        name: Arc<str>,
        size: usize,
    ) -> AioPool {
        let data = NodeData::new(name.clone(), Some(name.clone()));
        let group = state.gate.add_node(around, size, data);
        state.gate.data_mut(around).groups.insert(name, group);
        self.handle(state, group)
    }

    /// The handle of a pool or group: the one that its users have, or a new one.
    pub(super) fn handle(&self, state: &mut State, node: NodeId) -> AioPool {
        let data = state.gate.data_mut(node);
        if let Some(inner) = data.handle.upgrade() {
            return AioPool { inner };
        }
        let core = self.me();
        let label = Arc::new(TaskLabel::new(core.clone(), data.name.clone()));
        let inner = Arc::new(Inner {
            core,
            label,
            node,
            subject: OnceLock::new(),
        });
        data.handle = Arc::downgrade(&inner);
        data.handles += 1;
        AioPool { inner }
    }

    /// The last of its users has gone: nobody could resume it any more.
    pub(super) fn drop_handle(&self, node: NodeId) {
        let mut state = self.lock();
        let data = state.gate.data_mut(node);
        data.handles -= 1;
        if data.handles == 0 {
            state.gate.set_paused(node, false);
            state.end_group(node);
        }
        self.dispatch(state);
    }

    /// The pool or group of the task that is being polled on this thread, if it is one of this pool.
    pub(super) fn home_here(&self) -> Option<AioPool> {
        let worker = self.running_here()?;
        let mut state = self.lock();
        let home = state.gate.home(worker.slot());
        Some(self.handle(&mut state, home))
    }
}
