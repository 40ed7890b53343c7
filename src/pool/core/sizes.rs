//! Making known that the size of the pool or of a group has changed.

use crate::gate::NodeId;
use crate::pool::core::Core;

impl Core {
    /// Makes known that the size of the pool or of a group has changed. Called with nothing locked.
    pub(crate) fn announce_sizes(&self) {
        self.resizes.announce();
        self.tell_size();
    }

    /// Tells the observers the size of the pool. Called with nothing locked.
    pub(crate) fn tell_size(&self) {
        let watcher = self.settings.watcher.as_ref();
        let Some(watcher) = watcher.filter(|watcher| watcher.hears_resizes()) else {
            return;
        };
        loop {
            let count = self.resizes.count();
            let size = self.lock().gate.size(NodeId::ROOT);
            watcher.on_resize(&self.settings.name, size);
            // If another thread has changed the size meanwhile, its call may have come before this one.
            if self.resizes.count() == count {
                return;
            }
        }
    }
}
