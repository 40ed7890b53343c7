use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::Worker;
use crate::lock::Lock;
use crate::task::{Keeper, Sleep, Slot, TaskId};
use crate::unwind::discard;
use crate::wakes::Wakes;

/// Waits as long as a task may wait, and then takes it out of the queue.
///
/// Nobody polls a waiting task, so one that may wait for so long only has this
/// runtime task beside it. It ends as soon as the task starts.
pub(super) struct Alarm {
    sleep: Sleep,
    bell: Arc<Bell>,
    keeper: Arc<dyn Keeper>,
    slot: Slot,
    id: TaskId,
}

/// Switches an alarm off.
#[derive(Default)]
pub(crate) struct Bell(Lock<Armed>);

#[derive(Default)]
struct Armed {
    off: bool,
    waker: Option<Waker>,
}

impl Alarm {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.bell.is_off(cx) {
            return Poll::Ready(());
        }
        let over = self.sleep.as_mut().poll(cx);
        if over.is_ready() {
            self.ring();
        }
        over
    }

    fn ring(&mut self) {
        if self.bell.begin_ring() {
            self.keeper.expire(self.slot, self.id);
        }
    }
}

impl Drop for Alarm {
    /// A runtime that drops it keeps no time: then the time is over.
    fn drop(&mut self) {
        self.ring();
    }
}

impl Bell {
    /// Makes the alarm for a task that has begun to wait.
    pub(crate) fn alarm(
        self: &Arc<Self>,
        sleep: Sleep,
        keeper: Arc<dyn Keeper>,
        slot: Slot,
        id: TaskId,
    ) -> Worker {
        Worker::alarm(Alarm {
            sleep,
            bell: self.clone(),
            keeper,
            slot,
            id,
        })
    }

    /// Ends the alarm: the task waits no longer.
    pub(crate) fn switch_off(&self, wakes: &mut Wakes) {
        let mut armed = self.0.lock();
        armed.off = true;
        wakes.add(armed.waker.take());
    }

    /// Returns whether it was still on.
    fn begin_ring(&self) -> bool {
        !std::mem::replace(&mut self.0.lock().off, true)
    }

    fn is_off(&self, cx: &mut Context<'_>) -> bool {
        let waker = cx.waker().clone();
        let mut armed = self.0.lock();
        let stale = armed.waker.replace(waker);
        let off = armed.off;
        drop(armed);
        discard(stale);
        off
    }
}
