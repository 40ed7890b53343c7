//! What a thread does to the pools: everything, at random.

mod stops;
mod submits;
mod waits;

use std::thread;
use std::time::{Duration, Instant};

use aiopool::JoinHandle;

use crate::pools::{Callbacks, Place, Pools, Rules};
use crate::promises::{Promise, Promises};
use crate::random::Random;
use crate::tasks::{End, Expected, May, Tasks, check_outcome};

/// How many handles a thread has before it lets go of some.
const MANY: usize = 2000;

/// Uses the pools for so long. Returns what is still going on.
pub(crate) fn do_some(pools: &Pools, rules: Rules, seed: u64, length: Duration) -> Tasks {
    let mut user = User {
        promises: &pools.promises,
        callbacks: &pools.callbacks,
        rules,
        random: Random::new(seed),
        tasks: Tasks::default(),
    };
    let end = Instant::now() + length;
    while Instant::now() < end {
        let whole = user.random.below(pools.wholes.len() as u64) as usize;
        let place = pools.wholes[whole].place(&mut user.random);
        user.do_one(&place);
    }
    user.tasks
}

/// How long a thread waits for what another thread may have paused.
const MOMENT: Duration = Duration::from_millis(2);

struct User<'p> {
    promises: &'p Promises,
    callbacks: &'p Callbacks,
    rules: Rules,
    random: Random,
    tasks: Tasks,
}

impl User<'_> {
    fn do_one(&mut self, place: &Place) {
        match self.random.below(100) {
            0..40 => self.submit(place),
            40..60 => self.submit_with_options(place),
            60..70 => self.submit_many(place),
            70..78 => self.use_in_place(place),
            78..88 => self.await_for_a_moment(place),
            88..94 => self.look(place),
            94..97 if self.rules.aborts => self.stop(place),
            _ => self.change(place),
        }
        if self.tasks.handles.len() > MANY {
            self.let_go();
        }
    }

    fn may(&self, place: &Place) -> May {
        May {
            cancel: self.rules.aborts,
            time_out: false,
            be_full: place.may_be_full,
            be_too_heavy: self.rules.resizes,
        }
    }

    fn keep(&mut self, handle: JoinHandle<u64>, end: End, may: May) {
        self.tasks.handles.push(Expected { handle, end, may });
    }

    fn look(&mut self, place: &Place) {
        let pool = &place.pool;
        match self.random.below(4) {
            0 => drop(pool.tasks()),
            1 => drop(pool.find_tasks(5, |_| true)),
            2 => drop(pool.groups()),
            _ => {
                let found = pool.find_group("two").is_none_or(|two| two.size() == 2);
                self.promises
                    .hold(Promise::Size, found, || format!("{:?}", pool.groups()));
            }
        }
    }

    fn change(&mut self, place: &Place) {
        let pool = &place.pool;
        match self.random.below(8) {
            0 if self.rules.pauses => pool.pause(),
            1 if self.rules.pauses => pool.hold(Duration::from_micros(self.random.below(5000))),
            // The groups keep their sizes.
            2 | 3 if self.rules.resizes && place.is_root => {
                let size = Rules::other_size(&mut self.random);
                pool.resize(size).expect("it is not 0");
            }
            _ => pool.resume(),
        }
    }

    /// Awaits the older half of the handles, unless nothing may come of them before the end of the round.
    fn let_go(&mut self) {
        self.tasks.permits.clear();
        let handles = self.tasks.handles.split_off(MANY / 2);
        let older = std::mem::replace(&mut self.tasks.handles, handles);
        for mut expected in older {
            match expected.handle.try_join() {
                Some(outcome) => check_outcome(&outcome, expected.end, expected.may, self.promises),
                None => self.tasks.handles.push(expected),
            }
        }
        if self.tasks.handles.len() > MANY {
            thread::sleep(MOMENT);
        }
    }
}
