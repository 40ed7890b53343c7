//! A thread that calls wakers at times that are too near for the timers of a runtime.
//!
//! All pools of the process share the thread. It starts with the first alarm, and ends when no alarm has been pending
//! or sent for [`IDLE`].

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicBool, Ordering::SeqCst};
use crate::wakes::wake;

/// The channel to the thread. No user code runs under this lock.
static ALARMS: Mutex<Option<Sender<Alarm>>> = Mutex::new(None);

/// Time that the thread waits for its next alarm before it ends.
const IDLE: Duration = Duration::from_millis(100);

/// A waker, and the time to call it.
///
/// The waker is called when the alarm is dropped, for whatever reason, so no alarm is lost if the thread ends.
struct Alarm {
    at: Instant,
    waker: Option<Waker>,
    has_rung: Arc<AtomicBool>,
}

/// The alarm from the side of the task that waits for it.
pub(crate) struct Ring {
    waker: Waker,
    has_rung: Arc<AtomicBool>,
}

/// Calls the waker at this time, or at once if no thread can be started.
pub(crate) fn ring_at(at: Instant, waker: &Waker) -> Ring {
    let has_rung = Arc::new(AtomicBool::new(false));
    let alarm = Alarm {
        at,
        waker: Some(waker.clone()),
        has_rung: has_rung.clone(),
    };
    if let Some(unsent) = send(alarm) {
        let begun = begin(unsent);
        let stale = std::mem::replace(&mut *alarms(), begun);
        // Unlocked: dropping the old sender may drop alarms, which call their wakers.
        drop(stale);
    }
    let waker = waker.clone();
    Ring { waker, has_rung }
}

fn alarms() -> MutexGuard<'static, Option<Sender<Alarm>>> {
    ALARMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends an alarm to the thread. Returns it if there is no thread.
fn send(alarm: Alarm) -> Option<Alarm> {
    match &*alarms() {
        Some(alarms) => alarms.send(alarm).err().map(|unsent| unsent.0),
        None => Some(alarm),
    }
}

/// Starts the thread with its first alarm. If no thread can be started, the alarm is dropped, which calls its waker.
fn begin(first: Alarm) -> Option<Sender<Alarm>> {
    let (sender, alarms) = channel();
    sender.send(first).ok();
    let thread = thread::Builder::new().name("aiopool-rate".to_owned());
    thread.spawn(move || keep_time(&alarms)).ok()?;
    Some(sender)
}

/// Drops each alarm at its time, until there has been none for [`IDLE`].
fn keep_time(alarms: &Receiver<Alarm>) {
    let mut waiting = BinaryHeap::new();
    loop {
        let next = waiting.peek().map(|alarm: &Alarm| alarm.at);
        let idle = next.map_or(IDLE, |at| at.saturating_duration_since(Instant::now()));
        match alarms.recv_timeout(idle) {
            Ok(alarm) => waiting.push(alarm),
            Err(RecvTimeoutError::Timeout) if next.is_some() => {}
            Err(_) => return,
        }
        while waiting.peek().is_some_and(Alarm::is_due) {
            drop(waiting.pop());
        }
    }
}

impl Ring {
    /// Returns `true` if the alarm is still to call this waker.
    pub(crate) fn is_due_for(&self, waker: &Waker) -> bool {
        !self.has_rung.load(SeqCst) && self.waker.will_wake(waker)
    }
}

impl Alarm {
    fn is_due(&self) -> bool {
        self.at <= Instant::now()
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // Before the wake: the woken task must see that this alarm has rung, or it would go on waiting for it.
        self.has_rung.store(true, SeqCst);
        wake(self.waker.take());
    }
}

/// The next alarm is the greatest, because `BinaryHeap` is a max-heap.
impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Alarm {}
