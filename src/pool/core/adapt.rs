use crate::adaptive::Sample;
use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::parts::record::Moment;
use crate::pool::core::state::State;
use crate::task::End;
use crate::worker::WorkerShared;

impl State {
    /// Counts the end of an active task for the size of an adaptive pool. Returns `true` if the size has changed. The
    /// caller then dispatches, and [announces](Core::announce_resize) it after unlocking.
    #[inline]
    pub(crate) fn adapt(
        &mut self,
        worker: &WorkerShared,
        end: Option<End>,
        now: Option<Moment>,
    ) -> bool {
        now.is_some() && self.adapt_to(worker, end, now)
    }

    #[inline(never)]
    fn adapt_to(&mut self, worker: &WorkerShared, end: Option<End>, now: Option<Moment>) -> bool {
        let sample = self.sample(worker, end, now);
        let controller = self.adaptive.as_mut();
        let size = sample
            .zip(controller)
            .and_then(|(sample, controller)| controller.count(sample));
        if let Some(size) = size {
            self.gate.resize(NodeId::ROOT, size);
        }
        size.is_some()
    }

    /// Returns what the end of a task says about the size. `None` if it says nothing.
    fn sample(
        &self,
        worker: &WorkerShared,
        end: Option<End>,
        now: Option<Moment>,
    ) -> Option<Sample> {
        let is_overloaded = || worker.is_nested() && worker.nested_waits().is_overloaded();
        let is_failure = match end? {
            End::Completed => is_overloaded(),
            End::Panicked | End::TimedOut => true,
            End::Cancelled | End::Rejected => return None,
        };
        Some(Sample {
            took: self.records.times(worker.slot())?.running(now)?,
            is_failure,
            active: self.gate.active(NodeId::ROOT),
        })
    }
}

impl Core {
    /// Returns the moment at which a task ends, in an adaptive pool. No other pool needs it. The caller has not locked the
    /// pool, since the clock may be user code.
    #[inline]
    pub(crate) fn time_of_end(&self) -> Option<Moment> {
        self.settings.adaptive.as_ref().and_then(|_| self.moment())
    }

    /// Lets the streams that read ahead know that the size of an adaptive pool has changed, if it has.
    #[inline]
    pub(crate) fn announce_resize(&self, is_resized: bool) {
        if is_resized {
            self.announce_sizes();
        }
    }
}
