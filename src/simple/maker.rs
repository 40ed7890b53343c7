use std::sync::PoisonError;

use crate::sync::thread::{self, ThreadId};
use crate::sync::{Condvar, Mutex};

/// A function that one thread at a time calls. No lock is held during the call.
pub(super) struct Maker<F> {
    place: Mutex<QueueEntry<F>>,
    back: Condvar,
}

enum QueueEntry<F> {
    Here(F),
    With(ThreadId),
}

/// The function, taken out of its [`Maker`] until this is dropped.
pub(super) struct Taken<'m, F> {
    maker: &'m Maker<F>,
    function: Option<F>,
}

impl<F> Maker<F> {
    pub(super) fn new(function: F) -> Self {
        Self {
            place: Mutex::new(QueueEntry::Here(function)),
            back: Condvar::new(),
        }
    }

    /// Takes the function out. Waits while another thread has it.
    pub(super) fn take(&self) -> Taken<'_, F> {
        let me = thread::current().id();
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::replace(&mut *place, QueueEntry::With(me)) {
                QueueEntry::Here(function) => {
                    let function = Some(function);
                    return Taken {
                        maker: self,
                        function,
                    };
                }
                QueueEntry::With(other) => {
                    *place = QueueEntry::With(other);
                    assert!(
                        other != me,
                        "the function of a SimpleTaskPool started tasks of it"
                    );
                }
            }
            place = self
                .back
                .wait(place)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<F> Taken<'_, F> {
    pub(super) fn make<T>(&mut self) -> T
    where
        F: FnMut() -> T,
    {
        let function = self.function.as_mut();
        function.expect("it is given back when this is dropped")()
    }
}

impl<F> Drop for Taken<'_, F> {
    fn drop(&mut self) {
        if let Some(function) = self.function.take() {
            let mut place = self
                .maker
                .place
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *place = QueueEntry::Here(function);
        }
        self.maker.back.notify_one();
    }
}
