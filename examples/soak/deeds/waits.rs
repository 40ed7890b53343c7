//! Waiting: in place, and for tasks.

use aiopool::{JoinError, ReturnWhen, iterwait, wait};
use futures::future::poll_immediate;
use futures::{FutureExt, StreamExt, stream};

use super::{MOMENT, User};
use crate::census::{Counted, What};
use crate::pools::Place;
use crate::promises::Promise;
use crate::runtime::within;
use crate::tasks::{End, Held, simple};

impl User<'_> {
    pub(super) fn use_in_place(&mut self, place: &Place) {
        let pool = &place.pool;
        match self.random.below(5) {
            0 => {
                let counted = Counted::new(&place.census, What::InPlace, 1);
                _ = poll_immediate(pool.run(simple(counted, 1, End::Value(1)))).now_or_never();
            }
            1 => {
                let permit = poll_immediate(pool.acquire()).now_or_never().flatten();
                let held = permit.map(|permit| Held::new(permit, &place.census));
                self.tasks.permits.extend(held);
            }
            2 => {
                let held = pool
                    .try_acquire()
                    .map(|permit| Held::new(permit, &place.census));
                self.tasks.permits.extend(held);
            }
            3 => _ = within(MOMENT, pool.throttle()),
            _ => self.tasks.permits.clear(),
        }
        // One that keeps them would hold up what the others wait for.
        if self.random.once_in(2) {
            self.tasks.permits.clear();
        }
    }

    /// Waits for something, and gives up after a moment.
    pub(super) fn await_for_a_moment(&mut self, place: &Place) {
        let (pool, census) = (&place.pool, place.census.clone());
        let make = move |n: u64| simple(Counted::new(&census, What::Item, 1), n % 3, End::Value(n));
        // While a permit is held here, it could be for itself that it waits.
        self.tasks.permits.clear();
        match self.random.below(13) {
            0 => _ = within(MOMENT, pool.exec(make(1))),
            1 => _ = within(MOMENT, pool.spawn(make(2))),
            2 => self.map(place, within(MOMENT, pool.map(0..10, make))),
            3 => _ = within(MOMENT, pool.try_map(0..10, |n| fails_at(7, n, make(n)))),
            4 => _ = within(MOMENT, pool.itermap(0.., make).take(10).count()),
            5 => {
                let batches = pool.itermap(0..20, make).buffer(4).ordered();
                let batches = batches.batches(ReturnWhen::FirstCompleted);
                _ = within(MOMENT, batches.count());
            }
            6 => _ = within(MOMENT, pool.map_stream(stream::iter(0..10), make)),
            7 => {
                let waited = wait(pool.map_n(0..5, make), ReturnWhen::AllCompleted, None);
                _ = within(MOMENT, waited);
            }
            8 => _ = within(MOMENT, iterwait(pool.map_n(0..5, make)).count()),
            9 => _ = within(MOMENT, pool.below(5)),
            10 => _ = within(MOMENT, pool.join()),
            11 => {
                let scope = pool.scope(async |tasks| tasks.map_n(0..5, make).len());
                _ = within(MOMENT, scope);
            }
            _ => _ = within(MOMENT, pool.map_blocking(0..3, |n| n)),
        }
    }

    pub(super) fn map(&self, place: &Place, results: Option<Vec<Result<u64, JoinError>>>) {
        let Some(results) = results else { return };
        let may = self.may(place);
        let is_right = |(n, result): (u64, &Result<u64, JoinError>)| match result {
            Ok(value) => *value == n,
            Err(error) => error.is_cancelled() && may.cancel,
        };
        let is_right = results.len() == 10 && (0..).zip(&results).all(is_right);
        let what = || format!("map gave {results:?}");
        self.promises.hold(Promise::Outcome, is_right, what);
    }
}

async fn fails_at<F: Future>(last: u64, n: u64, future: F) -> Result<F::Output, ()> {
    let output = future.await;
    if n < last { Ok(output) } else { Err(()) }
}
