//! Locking the pool for a new task, which starts on the runtime that it is submitted from.

use crate::pool::core::Core;
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::state::State;
use crate::sync::MutexGuard;
use crate::task::{RuntimeId, Slot};

/// The locked pool, and the runtime of the new task.
pub(crate) struct Arrival<'a> {
    /// A runtime that turned out not to be needed. It is dropped with nothing locked, since its spawner may be user
    /// code.
    pub(crate) unused: Option<Runtime>,
    /// The runtime that the new task has to start on, if it is not the main one.
    pub(crate) runtime: Option<Runtime>,
    pub(crate) state: MutexGuard<'a, State>,
}

impl Core {
    /// Locks the pool for a task that is submitted on this thread.
    #[inline]
    pub(crate) fn lock_for_newcomer(&self) -> Arrival<'_> {
        let here = self.spawner().runtime_here();
        let state = self.lock();
        match here {
            Some(id) if !state.is_main(here) => {
                drop(state);
                self.lock_for_another(id)
            }
            _ => Arrival {
                unused: None,
                runtime: None,
                state,
            },
        }
    }

    #[cold]
    fn lock_for_another(&self, id: RuntimeId) -> Arrival<'_> {
        let spawner = self.spawner().spawner_here();
        let mut here = spawner.map(|spawner| Runtime { id, spawner });
        let mut state = self.lock();
        let mut unused = None;
        if state.is_main(Some(id)) {
            unused = here.take();
        } else if state.is_idle() && here.is_some() {
            // An idle pool has no task of the old main runtime, so this one becomes the main one.
            unused = std::mem::replace(&mut state.main, here.take());
            state.set_serves_several(false);
        }
        if here.is_some() {
            state.set_serves_several(true);
        }
        Arrival {
            unused,
            runtime: here,
            state,
        }
    }
}

impl State {
    /// Returns `true` if a task that is submitted from this runtime starts on the main one. A task submitted from no
    /// runtime does too.
    #[inline]
    pub(crate) fn is_main(&self, here: Option<RuntimeId>) -> bool {
        here.is_none() || here == self.main_id()
    }

    #[inline]
    pub(crate) fn main_id(&self) -> Option<RuntimeId> {
        self.main.as_ref().map(|main| main.id)
    }

    fn set_serves_several(&mut self, serves_several: bool) {
        self.serves_several = serves_several;
        self.gate.set_holds_back(!serves_several);
    }

    /// Returns the runtime of the task in a slot. Returns `None` if the pool has no main runtime, because its spawner
    /// serves one runtime alone.
    pub(crate) fn runtime_of(&self, slot: Slot) -> Option<&Runtime> {
        self.records.runtime(slot).or(self.main.as_ref())
    }

    /// Returns the runtimes of all tasks, each of them once, with the main one last.
    pub(crate) fn runtimes(&self) -> Vec<Runtime> {
        let others = self
            .records
            .runtimes()
            .filter(|runtime| !self.is_main(Some(runtime.id)));
        others.chain(&self.main).cloned().collect()
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use crate::pool::AioPool;

    #[test]
    fn no_runtime_stays_noted_when_its_tasks_have_ended() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
        };
        let (main, other) = (runtime(), runtime());
        for timed in [false, true] {
            let pool = AioPool::builder().size(2).timed(timed).build().unwrap();
            main.block_on(async { drop(pool.spawn_n(std::future::pending::<()>())) });
            let report = other.block_on(async {
                let named = pool.task(async {}).name("a name").spawn_n();
                drop(pool.spawn_n(async {}));
                named.await.unwrap();
                pool.feed(0..10, |_| async {}).await
            });
            assert_eq!(report.completed, 10);
            assert!(pool.core().lock().records.has_no_runtimes());
        }
    }
}
