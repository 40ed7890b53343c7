//! The runtime that a task starts on: the one that it was submitted from.
//!
//! Tasks of one runtime, the main one, carry no note of it, because most pools see no other runtime. A task of another
//! runtime has it noted in its [`TaskRecord`], as long as the task is in the pool.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::pool::core::Core;
use crate::pool::core::record::TaskRecord;
use crate::pool::core::state::State;
use crate::slot_map::SlotMap;
use crate::spawner::Spawner;
use crate::sync::MutexGuard;
use crate::task::{RuntimeId, Slot};

/// A runtime that a pool serves, with its spawner.
#[derive(Clone)]
pub(crate) struct Runtime {
    id: RuntimeId,
    pub(crate) spawner: Arc<dyn Spawner>,
}

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
            state.serves_several = false;
        }
        state.serves_several |= here.is_some();
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

    /// Returns the runtime of the task in a slot. Returns `None` if the pool has no main runtime, because its spawner
    /// serves one runtime alone.
    pub(crate) fn runtime_of(&self, slot: Slot) -> Option<&Runtime> {
        of_slot(slot, &self.records, self.main.as_ref())
    }

    /// Returns the runtimes of all tasks, each of them once, with the main one last.
    pub(crate) fn runtimes(&self) -> Vec<Runtime> {
        let noted = self.runtimes.0.values().map(|(runtime, _)| runtime);
        let others = noted.filter(|runtime| !self.is_main(Some(runtime.id)));
        others.chain(&self.main).cloned().collect()
    }
}

/// Returns the runtime that a slot has in these records, or the main one.
#[inline]
pub(crate) fn of_slot<'s>(
    slot: Slot,
    records: &'s SlotMap<TaskRecord>,
    main: Option<&'s Runtime>,
) -> Option<&'s Runtime> {
    let noted = records.get(slot).and_then(|record| record.runtime.as_ref());
    noted.or(main)
}

/// The runtimes that are noted in records, each with the number of these records.
#[derive(Default)]
pub(crate) struct NotedRuntimes(BTreeMap<RuntimeId, (Runtime, usize)>);

impl NotedRuntimes {
    #[cfg(all(test, not(aiopool_loom)))]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add(&mut self, runtime: &Runtime) {
        let noted = self.0.entry(runtime.id);
        noted.or_insert_with(|| (runtime.clone(), 0)).1 += 1;
    }

    /// Removes one note. Returns a runtime that no record names any more: to be dropped with nothing locked.
    pub(crate) fn remove(&mut self, runtime: &Runtime) -> Option<Runtime> {
        let (_, records) = self.0.get_mut(&runtime.id)?;
        *records -= 1;
        match records {
            0 => self.0.remove(&runtime.id).map(|(runtime, _)| runtime),
            _ => None,
        }
    }
}

impl Runtime {
    pub(crate) fn id(&self) -> RuntimeId {
        self.id
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runtime").field(&self.id).finish()
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
            assert!(pool.core().lock().runtimes.is_empty());
        }
    }
}
