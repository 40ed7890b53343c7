use std::sync::{Arc, OnceLock, Weak};

use crate::adaptive::Controller;
use crate::error::BuildError;
use crate::gate::NodeId;
use crate::pool::core::parts::clock::Clock;
use crate::pool::core::parts::node_data::NodeData;
use crate::pool::core::parts::resizes::Resizes;
use crate::pool::core::settings::Settings;
use crate::pool::core::state::State;
use crate::pool::core::state_lock::StateLock;
use crate::pool::core::submit_buffer::SubmitBuffer;
use crate::spawner::{Found, Spawner, has_timer};
use crate::sync::MutexGuard;
use crate::sync::atomic::AtomicBool;
use crate::task::RuntimeId;
use crate::worker::WorkerShared;

/// The core of a pool, which its handles, workers and tasks share.
///
/// Locks are taken in one order: the pool's lock first, then the buffer of new tasks, then the stage of a task, the inbox of
/// a worker or the clock. Under a lock only data is moved, and no user code runs.
pub(crate) struct Core {
    me: Weak<Self>,
    state: StateLock,
    pub(crate) buffer: SubmitBuffer,
    /// Set at the first submission, unless the pool was made with a spawner.
    spawner: OnceLock<Box<dyn Spawner>>,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<Clock>,
    /// `true` if the next task is likely to come soon, so that workers without a task stay idle for a moment: a caller
    /// of `spawn`, for example, submits its next task when it gets a permit. Only a hint, so `Relaxed` accesses are
    /// enough.
    pub(crate) expecting: AtomicBool,
    pub(crate) resizes: Resizes,
    /// `true` once tasks may wait for nothing but the time: the pool has a rate, or has been held.
    pub(crate) watches_time: AtomicBool,
    /// `true` once there has been a group with a rate. `Relaxed`, since whatever is in the group got there by the lock.
    pub(crate) has_group_rates: AtomicBool,
    /// `true` once the runtime is known to have a timer.
    pub(crate) knows_timer: AtomicBool,
}

impl Core {
    pub(crate) fn new(
        size: usize,
        settings: Settings,
        spawner: Option<Box<dyn Spawner>>,
    ) -> Arc<Self> {
        let adaptive = settings.adaptive.clone();
        let controller = adaptive.map(|adaptive| Box::new(Controller::new(adaptive, size)));
        let size = controller
            .as_ref()
            .map_or(size, |controller| controller.size());
        let root = NodeData::of_pool(settings.name.clone(), settings.max_waiting);
        let root = NodeData {
            limit: settings.rate.map(|_| NodeId::ROOT),
            ..root
        };
        let mut state = State::new(size, root);
        state.adaptive = controller;
        state.watcher.clone_from(&settings.watcher);
        state.timed = settings.timed;
        if let Some(rate) = settings.rate {
            state.limit_starts(rate);
        }
        if settings.fair_share {
            state.gate.share_fairly();
        }
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            state: StateLock::new(state),
            buffer: SubmitBuffer::new(),
            spawner: spawner.map_or_else(OnceLock::new, OnceLock::from),
            clock: Arc::new(Clock::new(settings.rate)),
            watches_time: AtomicBool::new(settings.rate.is_some()),
            has_group_rates: AtomicBool::new(false),
            knows_timer: AtomicBool::new(false),
            settings,
            expecting: AtomicBool::new(false),
            resizes: Resizes::default(),
        })
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.lock_to_submit().0
    }

    /// Locks the pool for a new task. Also returns whether another thread had the lock.
    #[inline]
    pub(crate) fn lock_to_submit(&self) -> (MutexGuard<'_, State>, bool) {
        let (mut state, was_contended) = self.state.lock();
        self.flush(&mut state);
        (state, was_contended)
    }

    /// Locks the pool for the end of a task, and leaves the buffer of new tasks alone. The caller [flushes](Self::flush) it,
    /// unless the task ends into the next one of the queue.
    #[inline]
    pub(crate) fn lock_unflushed(&self) -> MutexGuard<'_, State> {
        self.state.lock().0
    }

    /// Unlocks the pool, lets a thread that waits for the lock have it, and locks the pool again.
    pub(crate) fn give_way<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.unlock_for_others(state);
        self.lock()
    }

    /// Unlocks the pool, and lets a thread that waits for the lock have it. For a caller that locks the pool again soon.
    pub(crate) fn unlock_for_others(&self, state: MutexGuard<'_, State>) {
        self.state.unlock_for_others(state);
    }

    /// Returns the spawner, which is found at the first call if the pool was made without one.
    #[inline]
    #[track_caller]
    pub(crate) fn spawner(&self) -> &dyn Spawner {
        match self.spawner.get() {
            Some(spawner) => &**spawner,
            None => self.find_spawner(),
        }
    }

    /// Returns the spawner, unless it is still to be found.
    pub(crate) fn known_spawner(&self) -> Option<&dyn Spawner> {
        self.spawner.get().map(|spawner| &**spawner)
    }

    /// Finds the runtime, if the pool has none yet and there is one here. Returns `true` if the pool has one now.
    #[cfg(feature = "control")]
    pub(crate) fn bind_spawner(&self) -> bool {
        if self.spawner.get().is_none() && Found::new().runtime_here().is_some() {
            self.spawner();
        }
        self.spawner.get().is_some()
    }

    #[cold]
    #[track_caller]
    fn find_spawner(&self) -> &dyn Spawner {
        let found = Found::new();
        assert!(
            found.runtime_here().is_some(),
            "no runtime here: submit from inside a tokio context, enable the feature `smol`, \
             or make the pool with AioPool::with_spawner",
        );
        assert!(
            !self.has_rates() || has_timer(&found),
            "{}",
            BuildError::NoTimer
        );
        &**self.spawner.get_or_init(|| Box::new(found))
    }

    /// Returns the core as its workers hold it. The caller must hold it too.
    pub(crate) fn me(&self) -> Arc<Self> {
        self.me.upgrade().expect("a pool that is in use is there")
    }

    /// Makes the shared state of a new worker, for this runtime.
    pub(crate) fn new_worker(&self, runtime: Option<RuntimeId>) -> WorkerShared {
        WorkerShared::new(self.me(), runtime)
    }

    pub(crate) fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let state = self.lock();
        debug_assert!(
            state.gate.living(NodeId::ROOT) == 0 || std::thread::panicking(),
            "a pool went with its tasks"
        );
    }
}
