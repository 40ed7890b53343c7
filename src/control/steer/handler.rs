use std::collections::BTreeMap;

use super::super::protocol::{Command, HelpText, PoolKind, Refusal, RefusalKind, Reply, usage};
use super::groups::Groups;
use super::{CallbackQueue, Target, Works};
use crate::lock::Lock;
use crate::sync::MutexGuard;
use crate::{AbortHandle, AioPool, TaskId};

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
    /// The groups that clients have paused. A group that nobody holds a handle of is not paused any more.
    pub(super) paused: BTreeMap<String, AioPool>,
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

    /// Executes a command. For `watch` it returns a single answer: the session repeats the command.
    pub(crate) async fn run(&self, command: Command, width: usize) -> Result<Reply, Refusal> {
        if self.read_only && !command.only_reads() {
            return Err(Refusal::new(
                RefusalKind::ReadOnly,
                "this server only lets you look",
            ));
        }
        match command {
            Command::PoolSize(None) => Ok(Reply::Size(self.target.pool.size())),
            Command::PoolSize(Some(size)) => self.resize(size, None),
            Command::IsFull => Ok(Reply::Flag(self.target.pool.is_full())),
            Command::IsLocked => Ok(Reply::Flag(self.target.pool.is_closed())),
            Command::NumRunning => Ok(Reply::Count(self.num_running())),
            Command::NumCancelled => Ok(Reply::Count(self.num_cancelled())),
            Command::NumEnded => Ok(Reply::Count(self.num_ended())),
            Command::GroupIds(names) => self.group_ids(&names).await,
            Command::UntilClosed => {
                self.target.pool.closed().await;
                Ok(Reply::Flag(true))
            }
            Command::Lock => Ok(self.lock()),
            Command::Unlock => Ok(self.unlock()),
            Command::Cancel(ids) => self.cancel(&ids).await,
            Command::CancelGroup(name) => self.cancel_group(&name).await,
            Command::CancelAll => Ok(self.cancel_all().await),
            Command::Flush => Ok(self.flush()),
            Command::GatherAndClose => {
                self.target.pool.close();
                self.target.pool.closed().await;
                Ok(self.flush())
            }
            Command::FuncName => Ok(Reply::Name(self.target.function.clone())),
            Command::Functions => Ok(Reply::Names(
                self.works.names().map(str::to_owned).collect(),
            )),
            Command::Start(count) => self.start(count),
            Command::Stop(count) => Ok(self.stop(count).await),
            Command::StopAll => Ok(self.stop(i64::MAX).await),
            Command::Launch(launch) => self.launch(launch).await,
            Command::Resize { size, group } => self.resize(size, group.as_deref()),
            Command::Pause(group) => self.pause(group),
            Command::Resume(group) => self.resume(group.as_deref()),
            Command::Stats(group) | Command::Watch { group, .. } => self.stats(group.as_deref()),
            Command::Tasks { group, state, most } => {
                self.tasks(group.as_deref(), state, most).await
            }
            Command::Groups { most } => Ok(self.groups(most).await),
            Command::Tree { most } => Ok(self.tree(most).await),
            Command::Times { group, most } => self.times(group.as_deref(), most).await,
            Command::Help(name) => {
                let help = usage(name.as_deref(), self.pool_kind(), width).help();
                Ok(Reply::Help(HelpText { help }))
            }
        }
    }

    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock()
    }
}
