use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, OnceLock};

use crate::error::GroupError;
use crate::gate::NodeId;
use crate::pool::core::state::State;
use crate::pool::lifecycle::group_builder::{GroupBuilder, GroupSettings};
use crate::pool::{AioPool, Core, Inner};
use crate::task::TaskLabel;

/// Maximum number of groups that are looked at under one lock.
const AT_ONCE: usize = 256;

/// Groups: pools inside of this pool.
///
/// A group is an [`AioPool`] with all its methods. Its tasks need a permit of the group and of each pool around it, and
/// count in all of them: the pool's `join`, `cancel_all`, `stats` and `tasks` cover its groups. A group that is full
/// does not hold up tasks of other groups or of the pool.
///
/// A group lives as long as a handle of it exists, or a task or a group is in it. After that its name is free again,
/// and nothing of it is left. A group with a [rate](crate::GroupBuilder::rate) lives on until the interval of its last
/// start is over.
impl AioPool {
    /// Creates a group with this name, in which `size` tasks run at once.
    ///
    /// Names are unique among the groups of one pool. See [`keyed`](Self::keyed) to find or create a group.
    ///
    /// # Errors
    ///
    /// [`GroupError::AlreadyExists`] if this pool has a group with this name, or [`GroupError::ZeroSize`] if `size`
    /// is 0.
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
        self.group_with(name, |group| group.size(size))
    }

    /// Creates a group with this name and with rules of its own: a size, a bound of its queue, a rate, a share of the
    /// turns.
    ///
    /// Names are unique among the groups of one pool. See [`keyed_with`](Self::keyed_with) to find or create a group.
    /// The closure gets the default settings, and returns those of the group. It runs even if the group exists.
    ///
    /// # Errors
    ///
    /// [`GroupError::AlreadyExists`] if this pool has a group with this name, [`GroupError::ZeroSize`] if the size is
    /// 0, [`GroupError::ZeroShare`] if the share is 0, [`GroupError::ZeroRate`] if the rate allows nothing, or
    /// [`GroupError::NoTimer`] if the group has a rate and the pool's runtime has no timer.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(10);
    /// let mails = pool.group_with("mails", |group| group.size(1).max_waiting(1)).unwrap();
    /// let _active = mails.spawn(std::future::pending::<()>()).await;
    /// let _waits = mails.spawn_n(std::future::pending::<()>());
    /// let refused = mails.spawn_n(async {});
    /// assert!(refused.await.unwrap_err().is_rejected());
    /// assert_eq!(pool.exec(async { 7 }).await.unwrap(), 7); // the pool itself has no bound
    /// # });
    /// ```
    pub fn group_with(
        &self,
        name: impl Into<String>,
        set: impl FnOnce(GroupBuilder) -> GroupBuilder,
    ) -> Result<AioPool, GroupError> {
        let settings = GroupBuilder::settings(set)?;
        self.core().check_group_rate(settings.rate)?;
        let name = name.into();
        let mut state = self.core().lock();
        if state.gate.data(self.node()).groups.contains_key(&*name) {
            return Err(GroupError::AlreadyExists(name));
        }
        Ok(self
            .core()
            .make_group(&mut state, self.node(), name.into(), &settings))
    }

    /// Returns the group with this name, if there is one.
    ///
    /// Only the groups of this pool are searched, not the groups inside of them.
    pub fn find_group(&self, name: &str) -> Option<AioPool> {
        let mut state = self.core().lock();
        let group = *state.gate.data(self.node()).groups.get(name)?;
        Some(self.core().handle(&mut state, group))
    }

    /// Returns the group with this name, and creates it if there is none: for example, a limit for each host, tenant or
    /// account.
    ///
    /// A group that exists is returned as it is: it keeps its size, and the size that [`resize`](Self::resize) gave it,
    /// as long as it lives. A group lives as long as a handle of it exists, or a task or a group is in it. After that
    /// its name is unknown, and the next call creates a new group with the size of that call. To keep a group, keep a
    /// handle of it. Any number of keys may come and go: a key costs something only as long as its group lives.
    ///
    /// To go through pages of many hosts, submit each page with [`spawn_n`](Self::spawn_n), and let
    /// [`below`](Self::below) of the pool limit how many tasks wait, as in the example. A loop that awaits
    /// [`spawn`](Self::spawn) of the group stops at the first page whose host is full, although pages of other hosts
    /// could start: with few busy hosts among many it takes several times as long. Waiting tasks are cheap, so let many
    /// of them wait: the loop then stops only when that many pages wait for hosts that are full.
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
        self.keyed_with(name, |group| group.size(size))
    }

    /// Returns the group with this name, and creates it with these rules if there is none: for example, a size and a
    /// bound for each tenant.
    ///
    /// A group that exists is returned as it is, whatever the closure sets; see [`keyed`](Self::keyed) for how long a
    /// group lives. The closure gets the default settings, and returns those of a new group. It runs even if the group
    /// exists.
    ///
    /// # Panics
    ///
    /// Panics if the size, the share or the rate is 0, or if the group has a rate and the pool's runtime has no timer.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::builder().size(100).max_waiting(10_000).build().unwrap();
    /// for (tenant, job) in [("a", 1), ("b", 2), ("a", 3)] {
    ///     let tenant = pool.keyed_with(tenant, |group| group.size(4).max_waiting(256));
    ///     let handle = tenant.spawn_n(async move { job });
    ///     assert_eq!(handle.await.unwrap(), job);
    /// }
    /// # });
    /// ```
    #[track_caller]
    pub fn keyed_with(
        &self,
        name: impl Into<String>,
        set: impl FnOnce(GroupBuilder) -> GroupBuilder,
    ) -> AioPool {
        let settings = GroupBuilder::settings(set).and_then(|settings| {
            self.core().check_group_rate(settings.rate)?;
            Ok(settings)
        });
        let settings = settings.unwrap_or_else(|error| panic!("{error}"));
        let name = name.into();
        let mut state = self.core().lock();
        match state.gate.data(self.node()).groups.get(&*name) {
            Some(&group) => self.core().handle(&mut state, group),
            None => self
                .core()
                .make_group(&mut state, self.node(), name.into(), &settings),
        }
    }

    /// Returns the groups of this pool, sorted by name, without the groups inside of them.
    pub fn groups(&self) -> Vec<AioPool> {
        self.first_groups(usize::MAX)
    }

    /// Returns the first groups of this pool by name: at most `most`.
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

    /// Returns the name of the group that tasks submitted here are listed with.
    pub(crate) fn group_name(&self) -> Option<Arc<str>> {
        self.core().lock().gate.data(self.node()).group.clone()
    }

    /// Creates a group that is in no list, and that ends with its last handle and task.
    pub(crate) fn nameless_group(&self) -> AioPool {
        let mut state = self.core().lock();
        let data = state.gate.data(self.node()).of_nameless_group();
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
        settings: &GroupSettings,
    ) -> AioPool {
        let around_it = state.gate.data(around);
        let (limit, data) = (
            around_it.limit,
            around_it.of_group(name.clone(), settings.max_waiting),
        );
        let group = state.gate.add_node(around, settings.size, data);
        if let Some(rate) = settings.rate {
            state.limit_group(group, rate, limit);
        }
        state.gate.set_share(group, settings.share);
        state.gate.data_mut(around).groups.insert(name, group);
        self.handle(state, group)
    }

    /// Returns the handle of a node: the one that its users have, or a new one.
    pub(crate) fn handle(&self, state: &mut State, node: NodeId) -> AioPool {
        let data = state.gate.data_mut(node);
        if let Some(inner) = data.handle.upgrade() {
            return AioPool { inner };
        }
        let core = self.me();
        let label = Arc::new(TaskLabel::new(core.clone(), data.name.clone()));
        let is_bounded = data.is_bounded;
        let inner = Arc::new(Inner {
            core,
            label,
            node,
            is_bounded,
            observed: OnceLock::new(),
        });
        data.handle = Arc::downgrade(&inner);
        data.handles += 1;
        AioPool { inner }
    }

    /// Notes that a handle of a node is gone. With the last one the node is resumed, since nothing could resume it any
    /// more.
    pub(crate) fn drop_handle(&self, node: NodeId) {
        let mut state = self.lock();
        let data = state.gate.data_mut(node);
        data.handles -= 1;
        if data.handles == 0 {
            state.gate.set_paused(node, false);
            state.end_group(node);
        }
        self.dispatch(state);
    }

    /// Returns the pool or group of the task that is being polled on this thread, if that is a task of this pool.
    pub(crate) fn home_here(&self) -> Option<AioPool> {
        let worker = self.running_here()?;
        let mut state = self.lock();
        let home = state.gate.home(worker.slot());
        Some(self.handle(&mut state, home))
    }
}
