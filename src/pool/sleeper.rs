//! A thread that wakes at times which are too near for the timers of a runtime.
//!
//! All pools of the process share it. It begins with the first such time, and ends when there has been none for [`IDLE`].

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicBool, Ordering::SeqCst};
use crate::wakes::wake;

/// The way to the thread. Nothing foreign runs under this lock.
static ALARMS: Mutex<Option<Sender<Alarm>>> = Mutex::new(None);

/// How long the thread waits for its next alarm.
const IDLE: Duration = Duration::from_millis(100);

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

/// Calls the waker at a time, or at once if there is no thread to be had.
pub(super) fn ring_at(at: Instant, waker: &Waker) -> Ring {
    let has_rung = Arc::new(AtomicBool::new(false));
    let alarm = Alarm {
        at,
        waker: Some(waker.clone()),
        has_rung: has_rung.clone(),
    };
    if let Some(unsent) = send(alarm) {
        let begun = begin(unsent);
        let stale = std::mem::replace(&mut *alarms(), begun);
        // Unlocked: alarms may go with it, which call their wakers.
        drop(stale);
    }
    let waker = waker.clone();
    Ring { waker, has_rung }
}

fn alarms() -> MutexGuard<'static, Option<Sender<Alarm>>> {
    ALARMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives an alarm to the thread, or back if there is no thread any more.
fn send(alarm: Alarm) -> Option<Alarm> {
    match &*alarms() {
        Some(alarms) => alarms.send(alarm).err().map(|unsent| unsent.0),
        None => Some(alarm),
    }
}

/// Begins the thread with its first alarm. Where there can be none, that is dropped, and rings.
fn begin(first: Alarm) -> Option<Sender<Alarm>> {
    let (sender, alarms) = channel();
    sender.send(first).ok();
    let thread = thread::Builder::new().name("aiopool-rate".to_owned());
    thread.spawn(move || keep_time(&alarms)).ok()?;
    Some(sender)
}

/// Lets each alarm ring at its time, as long as there are some.
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
    /// Returns `true` if this waker is still to be called.
    pub(super) fn is_due_for(&self, waker: &Waker) -> bool {
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
        self.has_rung.store(true, SeqCst);
        wake(self.waker.take());
    }
}

/// The next alarm is the greatest.
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
