//! The runtime that a task starts on: the one that it was submitted from.
//!
//! Tasks of one runtime, the main one, carry no note of it, because most pools see no other runtime. A task of another
//! runtime has it noted in its record, as long as the task is in the pool.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::spawner::Spawner;
use crate::task::RuntimeId;

/// A runtime that a pool serves, with its spawner.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) id: RuntimeId,
    pub(crate) spawner: Arc<dyn Spawner>,
}

/// The runtimes that are noted in records, each with the number of these records.
#[derive(Default)]
pub(crate) struct NotedRuntimes(BTreeMap<RuntimeId, (Runtime, usize)>);

impl NotedRuntimes {
    /// Returns each of these runtimes once.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Runtime> {
        self.0.values().map(|(runtime, _)| runtime)
    }

    #[cfg(all(test, not(any(aiopool_loom, aiopool_shuttle))))]
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
