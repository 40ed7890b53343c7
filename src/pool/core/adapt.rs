use crate::adaptive::Sample;
use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::task::End;
use crate::worker::WorkerShared;

impl State {
    /// Counts the end of an active task for the size of an adaptive pool. Returns `true` if the size has changed. The
    /// caller then dispatches, and [announces](Core::announce_resize) it after unlocking.
    #[inline]
    pub(crate) fn adapt(&mut self, worker: &WorkerShared, end: Option<End>) -> bool {
        match self.adaptive.take() {
            None => false,
            Some(mut controller) => {
                let size = self
                    .sample(worker, end)
                    .and_then(|sample| controller.count(sample));
                self.adaptive = Some(controller);
                size.iter()
                    .for_each(|size| self.gate.resize(NodeId::ROOT, *size));
                size.is_some()
            }
        }
    }

    /// Returns what the end of a task says about the size. `None` if it says nothing.
    #[inline(never)]
    fn sample(&self, worker: &WorkerShared, end: Option<End>) -> Option<Sample> {
        let is_overloaded = || worker.is_nested() && worker.nested_waits().is_overloaded();
        let is_failure = match end? {
            End::Completed => is_overloaded(),
            End::Panicked | End::TimedOut => true,
            End::Cancelled | End::Rejected => return None,
        };
        Some(Sample {
            took: self.records.get(worker.slot())?.times.running()?,
            is_failure,
            active: self.gate.active(NodeId::ROOT),
        })
    }
}

impl Core {
    /// Lets the streams that read ahead know that the size of an adaptive pool has changed, if it has.
    #[inline]
    pub(crate) fn announce_resize(&self, is_resized: bool) {
        if is_resized {
            self.resizes.announce();
        }
    }
}
