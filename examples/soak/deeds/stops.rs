//! Stopping tasks.

use aiopool::SimpleTaskPool;

use super::{MOMENT, User};
use crate::census::{Counted, What};
use crate::pools::Place;
use crate::runtime::within;
use crate::tasks::{End, Expected, simple};

impl User<'_> {
    pub(super) fn stop(&mut self, place: &Place) {
        let pool = &place.pool;
        match self.random.below(7) {
            0 => _ = pool.abort_all(),
            1 => _ = within(MOMENT, pool.cancel_all()),
            2 => self.tasks.feeds.iter().for_each(|feed| _ = feed.abort()),
            3 => {
                let some = pool.find_tasks(3, |_| true);
                _ = pool.abort(some.iter().map(|task| task.id));
            }
            4 => self.start_and_stop_copies(place),
            _ => {
                for _ in 0..20 {
                    self.stop_one();
                }
            }
        }
    }

    pub(super) fn stop_one(&mut self) {
        if self.tasks.handles.is_empty() {
            return;
        }
        let chosen = self.random.below(self.tasks.handles.len() as u64) as usize;
        let Expected { handle, .. } = self.tasks.handles.swap_remove(chosen);
        match self.random.below(3) {
            0 => _ = handle.abort_with("because"),
            1 => drop(handle.abort_on_drop()),
            _ => _ = within(MOMENT, handle.cancel()),
        }
    }

    pub(super) fn start_and_stop_copies(&self, place: &Place) {
        let census = place.census.clone();
        let copies = SimpleTaskPool::new(place.pool.clone(), move || {
            simple(Counted::new(&census, What::Task, 1), 0, End::Never)
        });
        copies.start(5);
        copies.stop(2);
        copies.stop_all();
    }
}
