use futures_util::FutureExt;
use serde_json::json;

use super::callback_queue::CallbackQueue;
use super::work::Work;

/// Registered work that gets the number of a task when the task is stopped, and when it ends.
#[derive(Clone)]
pub(super) struct Callbacks {
    pub(super) cancel: Option<Work>,
    pub(super) end: Option<Work>,
    pub(super) callback_queue: CallbackQueue,
}

/// Guard inside a running task: on drop it adds the callbacks for the end of the task.
pub(super) struct Watched {
    id: u64,
    completed: bool,
    callbacks: Callbacks,
}

impl Callbacks {
    pub(super) fn watch(self, id: u64) -> Watched {
        Watched {
            id,
            completed: false,
            callbacks: self,
        }
    }
}

impl Watched {
    pub(super) fn complete(mut self) {
        self.completed = true;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let stopped = !self.completed && !std::thread::panicking();
        let cancel = self.callbacks.cancel.take().filter(|_| stopped);
        let end = self.callbacks.end.take();
        if cancel.is_none() && end.is_none() {
            return;
        }
        let id = self.id;
        let callback = async move {
            for work in cancel.into_iter().chain(end) {
                work(json!(id)).await;
            }
        };
        self.callbacks.callback_queue.add(callback.boxed());
    }
}
