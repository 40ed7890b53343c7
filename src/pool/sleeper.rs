use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::sync::atomic::{AtomicBool, Ordering::SeqCst};
use crate::wakes::wake;

/// A thread that wakes at times which are too near for the timers of a runtime.
///
/// It begins with the first such time, and ends with the pool, or when there has been none for [`IDLE`].
#[derive(Default)]
pub(super) struct Sleeper {
    alarms: Lock<Option<Sender<Alarm>>>,
}

/// The time at which to call a waker.
///
/// The waker is called when the alarm is dropped, whatever the reason: so no alarm is lost with its thread.
struct Alarm {
    at: Instant,
    waker: Option<Waker>,
    has_rung: Arc<AtomicBool>,
}

/// An alarm, as the task that waits for it keeps it.
pub(super) struct Ring {
    waker: Waker,
    has_rung: Arc<AtomicBool>,
}

/// How long the thread waits for its next alarm.
const IDLE: Duration = Duration::from_millis(100);

impl Sleeper {
    /// Calls the waker at a time, or at once if there is no thread to be had.
    pub(super) fn ring_at(&self, at: Instant, waker: &Waker) -> Ring {
        let has_rung = Arc::new(AtomicBool::new(false));
        let alarm = Alarm {
            at,
            waker: Some(waker.clone()),
            has_rung: has_rung.clone(),
        };
        if let Some(unsent) = self.send(alarm) {
            *self.alarms.lock() = begin(unsent);
        }
        Ring {
            waker: waker.clone(),
            has_rung,
        }
    }

    /// Gives an alarm to the thread, or back if there is no thread any more.
    fn send(&self, alarm: Alarm) -> Option<Alarm> {
        let alarms = self.alarms.lock().clone();
        match alarms {
            Some(alarms) => alarms.send(alarm).err().map(|unsent| unsent.0),
            None => Some(alarm),
        }
    }
}

impl Ring {
    /// Returns `true` if this waker is still to be called.
    pub(super) fn is_due_for(&self, waker: &Waker) -> bool {
        !self.has_rung.load(SeqCst) && self.waker.will_wake(waker)
    }
}

/// Begins a thread with its first alarm. Where there can be none, that is dropped, and rings.
fn begin(first: Alarm) -> Option<Sender<Alarm>> {
    let (sender, alarms) = channel();
    sender.send(first).ok();
    let thread = thread::Builder::new().name("aiopool-rate".to_owned());
    thread.spawn(move || sleep_for_each(&alarms)).ok()?;
    Some(sender)
}

fn sleep_for_each(alarms: &Receiver<Alarm>) {
    while let Ok(alarm) = alarms.recv_timeout(IDLE) {
        thread::sleep(alarm.at.saturating_duration_since(Instant::now()));
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.has_rung.store(true, SeqCst);
        wake(self.waker.take());
    }
}
