use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::fleet::error::EngineError;

/// Whether the server has a task.
pub(crate) type Stored = Result<(), EngineError>;

/// Tasks of one `map_n` that are under way to the server: at most so many at a time.
///
/// Whoever waits here for some places is woken once, and not for each task.
#[derive(Debug)]
pub(crate) struct Window {
    size: u32,
    room: Semaphore,
    /// The first task that the server does not take, and why.
    refused: Mutex<Option<(usize, EngineError)>>,
}

impl Window {
    pub(crate) fn new(size: u32) -> Arc<Self> {
        Arc::new(Self {
            size,
            room: Semaphore::new(size as usize),
            refused: Mutex::default(),
        })
    }

    /// Waits for so many places, and takes them.
    pub(crate) async fn take(&self, places: u32) {
        if let Ok(taken) = self.room.acquire_many(places).await {
            taken.forget();
        }
    }

    /// Waits until no task is under way. The caller has taken so many places that are empty.
    pub(crate) async fn settled(&self, empty: u32) {
        self.take(self.size - empty).await;
    }

    /// Returns the first task that the server has not taken, as far as is known, and why.
    pub(crate) fn refused(&self) -> Option<(usize, EngineError)> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<(usize, EngineError)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one task in a [`Window`], which was [taken](Window::take) before. It is free again when this is dropped; the
/// task counts as refused then, unless the server has it.
#[derive(Debug)]
pub(crate) struct Place {
    window: Arc<Window>,
    index: usize,
    stored: Stored,
}

impl Place {
    /// Returns the place of the task with this index.
    pub(crate) fn new(window: Arc<Window>, index: usize) -> Self {
        Self {
            window,
            index,
            stored: Err(EngineError::Disconnected),
        }
    }

    /// The server has the task, or refuses it.
    pub(super) fn leave(mut self, stored: Stored) {
        self.stored = stored;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let stored = std::mem::replace(&mut self.stored, Ok(()));
        if let Err(error) = stored {
            let mut refused = self.window.lock();
            if refused
                .as_ref()
                .is_none_or(|(first, _)| self.index < *first)
            {
                *refused = Some((self.index, error));
            }
        }
        self.window.room.add_permits(1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn place(window: &Arc<Window>, index: usize) -> Place {
        window.take(1).now_or_never().expect("a free place");
        Place::new(window.clone(), index)
    }

    #[test]
    fn a_window_is_settled_when_all_tasks_are_and_knows_the_first_that_was_refused() {
        let window = Window::new(4);
        let [first, second, third] = [0, 1, 2].map(|index| place(&window, index));
        third.leave(Err(EngineError::Full));
        second.leave(Err(EngineError::Timeout));
        assert!(window.settled(0).now_or_never().is_none());
        first.leave(Ok(()));
        assert_eq!(window.settled(0).now_or_never(), Some(()));
        assert_eq!(window.refused(), Some((1, EngineError::Timeout)));
    }

    #[test]
    fn a_task_that_nobody_settles_counts_as_refused() {
        let window = Window::new(1);
        drop(place(&window, 0));
        assert_eq!(window.settled(0).now_or_never(), Some(()));
        assert_eq!(window.refused(), Some((0, EngineError::Disconnected)));
    }
}
