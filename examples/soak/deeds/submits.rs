//! Submitting tasks, in every way that does not wait.

use std::panic::panic_any;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use aiopool::{JoinError, JoinHandle, PoolStreamExt, TaskBuilder};
use futures::future::{BoxFuture, poll_immediate, ready};
use futures::{FutureExt, stream};

use super::User;
use crate::census::{Counted, What};
use crate::pools::Place;
use crate::promises::ON_PURPOSE;
use crate::tasks::{End, May, nested, simple};

impl User<'_> {
    pub(super) fn future(&mut self, place: &Place, end: End) -> BoxFuture<'static, u64> {
        // What waits for its own pool takes the room of others, and may then find it full.
        if self.random.once_in(4) {
            return nested(place, self.random.below(8), end);
        }
        let counted = Counted::new(&place.census, What::Task, 1);
        simple(counted, self.random.below(4), end).boxed()
    }

    pub(super) fn submit(&mut self, place: &Place) {
        let end = End::random(&mut self.random, self.rules);
        let (future, may) = (self.future(place, end), self.may(place));
        let is_endless = matches!(end, End::Never);
        match self.random.below(8) {
            // Its handle is dropped, and it runs on.
            0 if !is_endless => _ = place.pool.spawn_n(future),
            // Its handle was never given out, so it is cancelled unless it has started.
            1 if !is_endless => _ = poll_immediate(place.pool.spawn(future)).now_or_never(),
            2 => {
                if let Ok(handle) = place.pool.try_spawn(future) {
                    self.keep(handle, end, may);
                }
            }
            _ => {
                let handle = place.pool.spawn_n(future);
                self.keep(handle, end, may);
            }
        }
    }

    pub(super) fn submit_with_options(&mut self, place: &Place) {
        let end = End::random(&mut self.random, self.rules);
        let weight = 1 + self.random.below(2) as usize * usize::from(!is_narrow(place));
        let counted = Counted::new(&place.census, What::Task, weight);
        let future = simple(counted, self.random.below(4), end);
        let task = place.pool.task(future).weight(weight);
        let task = task.priority(self.random.below(5) as i32 - 2);
        let may = self.may(place);
        let handle = match self.random.below(9) {
            0 => task.name("named").tag("tagged").spawn_n(),
            1 => self.with_callback(task),
            2 => {
                let may = May {
                    time_out: true,
                    ..may
                };
                let time = Duration::from_micros(self.random.below(3000));
                let handle = match self.random.below(2) {
                    0 => task.timeout(time).spawn_n(),
                    _ => task.wait_timeout(time).spawn_n(),
                };
                return self.keep(handle, end, may);
            }
            3 => task.grace(Duration::from_millis(1)).spawn_n(),
            4 => task.then(|result| ready(or_panic(result))).spawn_n(),
            5 => task.then_blocking(or_panic).spawn_n(),
            6 if self.rules.aborts => task.stop_when(ready(())).spawn_n(),
            7 => return self.retried(place),
            8 => return self.blocking(place),
            _ => task.spawn_n(),
        };
        self.keep(handle, end, may);
    }

    pub(super) fn with_callback<F>(&self, task: TaskBuilder<'_, F>) -> JoinHandle<u64>
    where
        F: Future<Output = u64> + Send + 'static,
    {
        self.callbacks.given.fetch_add(1, SeqCst);
        let called = self.callbacks.called.clone();
        task.on_end(move |_| _ = called.fetch_add(1, SeqCst))
            .spawn_n()
    }

    /// A task that fails twice before it succeeds.
    pub(super) fn retried(&mut self, place: &Place) {
        let census = place.census.clone();
        let attempt = move |attempt| {
            let counted = Counted::new(&census, What::Tried, 1);
            async move {
                let value = simple(counted, 1, End::Value(7)).await;
                if attempt < 3 { Err(()) } else { Ok(value) }
            }
        };
        let task = place.pool.task_fn(attempt).retry([Duration::ZERO; 2]);
        let unwrapped = task.then(|result| ready(or_panic(result).unwrap_or(0)));
        let (handle, may) = (unwrapped.spawn_n(), self.may(place));
        self.keep(handle, End::Value(7), may);
    }

    pub(super) fn blocking(&mut self, place: &Place) {
        let mut counted = Counted::new(&place.census, What::Blocking, 1);
        let handle = place.pool.spawn_blocking(move || {
            counted.run();
            8
        });
        let may = self.may(place);
        self.keep(handle, End::Value(8), may);
    }

    pub(super) fn submit_many(&mut self, place: &Place) {
        let (pool, census, may) = (&place.pool, place.census.clone(), self.may(place));
        let make = move |n: u64| simple(Counted::new(&census, What::Item, 1), n % 3, End::Value(n));
        match self.random.below(5) {
            0 => self.tasks.feeds.push(pool.feed(0..20, make)),
            1 => _ = pool.feed(0..20, make),
            2 => self
                .tasks
                .feeds
                .push(stream::iter(0..20).for_each_on(pool, make)),
            3 => {
                for handle in pool.apply(5, || make(4)) {
                    self.keep(handle, End::Value(4), may);
                }
            }
            _ => {
                for (n, handle) in (0..).zip(pool.map_n(0..5, make)) {
                    self.keep(handle, End::Value(n), may);
                }
            }
        }
    }
}

/// Returns `true` if a task of weight 2 would never start here.
fn is_narrow(place: &Place) -> bool {
    place.pool.size() < 2
}

/// Passes a panic on, so that the task has the end that its future had.
fn or_panic<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) if error.is_panic() => panic_any(ON_PURPOSE),
        Err(error) => panic!("{error} came to a callback"),
    }
}
