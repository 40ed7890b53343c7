use std::collections::BTreeMap;
use std::sync::MutexGuard;

use super::super::wire::{Call, Failure, Kind, PoolKind, Reply, usage};
use super::groups::Groups;
use super::{CallbackQueue, Target, Works};
use crate::lock::Lock;
use crate::{AbortHandle, TaskId};

/// Executes commands for all sessions of a server.
pub(crate) struct Handler {
    pub(super) target: Target,
    pub(super) works: Works,
    pub(super) callback_queue: CallbackQueue,
    read_only: bool,
    records: Lock<Records>,
    /// Held by a command while it goes through all tasks, so that only one command does so at a time.
    pub(super) searching: async_lock::Mutex<()>,
}

/// Facts that the server needs and the pool itself does not record.
#[derive(Default)]
pub(super) struct Records {
    pub(super) groups: Groups,
    /// Number of groups that `start` has begun; the next one is named after it.
    pub(super) starts: u64,
    /// Number of ended tasks at the last `flush`.
    pub(super) flushed: u64,
    /// Tasks that were aborted and were still active when last inspected.
    pub(super) stopping: BTreeMap<TaskId, AbortHandle>,
}

impl Handler {
    pub(crate) fn new(target: Target, works: Works, read_only: bool) -> Self {
        Self {
            target,
            works,
            callback_queue: CallbackQueue::default(),
            read_only,
            records: Lock::default(),
            searching: async_lock::Mutex::new(()),
        }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn callback_queue(&self) -> &CallbackQueue {
        &self.callback_queue
    }

    pub(crate) fn pool_kind(&self) -> PoolKind {
        self.target.pool_kind()
    }

    /// Executes a command. For `watch` it returns a single answer: the session repeats the call.
    pub(crate) async fn run(&self, call: Call, width: usize) -> Result<Reply, Failure> {
        if self.read_only && !call.only_reads() {
            return Err(Failure::new(
                Kind::ReadOnly,
                "this server only lets you look",
            ));
        }
        match call {
            Call::PoolSize(None) => Ok(Reply::Size(self.target.pool.size())),
            Call::PoolSize(Some(size)) => self.resize(size, None),
            Call::IsFull => Ok(Reply::Flag(self.target.pool.is_full())),
            Call::IsLocked => Ok(Reply::Flag(self.target.pool.is_closed())),
            Call::NumRunning => Ok(Reply::Count(self.num_running())),
            Call::NumCancelled => Ok(Reply::Count(self.num_cancelled())),
            Call::NumEnded => Ok(Reply::Count(self.num_ended())),
            Call::GroupIds(names) => self.group_ids(&names).await,
            Call::UntilClosed => {
                self.target.pool.closed().await;
                Ok(Reply::Flag(true))
            }
            Call::Lock => Ok(self.lock()),
            Call::Unlock => Ok(self.unlock()),
            Call::Cancel(ids) => self.cancel(&ids).await,
            Call::CancelGroup(name) => self.cancel_group(&name).await,
            Call::CancelAll => Ok(self.cancel_all().await),
            Call::Flush => Ok(self.flush()),
            Call::GatherAndClose => {
                self.target.pool.close();
                self.target.pool.closed().await;
                Ok(self.flush())
            }
            Call::FuncName => Ok(Reply::Name(self.target.function.clone())),
            Call::Functions => Ok(Reply::Names(
                self.works.names().map(str::to_owned).collect(),
            )),
            Call::Start(count) => self.start(count),
            Call::Stop(count) => Ok(self.stop(count).await),
            Call::StopAll => Ok(self.stop(i64::MAX).await),
            Call::Begin(begin) => self.begin(begin).await,
            Call::Resize { size, group } => self.resize(size, group.as_deref()),
            Call::Pause(group) => Ok(self.pause(&self.pool_of(group.as_deref())?)),
            Call::Resume(group) => Ok(self.resume(&self.pool_of(group.as_deref())?)),
            Call::Stats(group) | Call::Watch { group, .. } => self.stats(group.as_deref()),
            Call::Tasks { group, state, most } => self.tasks(group.as_deref(), state, most).await,
            Call::Groups { most } => Ok(self.groups(most)),
            Call::Help(command) => Ok(Reply::Help(usage(command, self.pool_kind(), width).help())),
        }
    }

    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock()
    }
}
