//! The steps of a sequence, as values that can be printed, repeated and left out.

use std::time::Duration;

use crate::random::Random;

/// What a sequence begins with: a pool with a group, and another group with a group inside of it.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) nodes: [Rules; 4],
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) size: usize,
    pub(crate) max_waiting: Option<usize>,
    pub(crate) rate: Option<usize>,
}

/// The pool or group around each.
pub(crate) const AROUND: [Option<usize>; 4] = [None, Some(0), Some(0), Some(2)];

/// One call, or one thing that a task does. `which` chooses among those that can do it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Submit {
        at: usize,
        verb: Verb,
        demand: (usize, i32),
        limits: Limits,
    },
    Feed {
        at: usize,
        items: usize,
    },
    Acquire {
        demand: (usize, i32),
    },
    Release {
        which: usize,
    },
    End {
        which: usize,
        panics: bool,
    },
    Lend {
        which: usize,
    },
    ComeBack {
        which: usize,
    },
    Await {
        which: usize,
        other: usize,
    },
    Abort {
        which: usize,
    },
    AbortFeed {
        which: usize,
    },
    AbortAll {
        at: usize,
    },
    CancelAll {
        at: usize,
    },
    Resize {
        at: usize,
        size: usize,
    },
    Pause {
        at: usize,
    },
    Resume {
        at: usize,
    },
    Hold {
        at: usize,
        time: Duration,
    },
    Close {
        at: usize,
    },
    Reopen {
        at: usize,
    },
    Join {
        at: usize,
    },
    Advance {
        time: Duration,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verb {
    SpawnN,
    TrySpawn,
    /// The future of `spawn` is polled once, then kept until it is ready.
    Spawn,
    /// It is polled once, then dropped.
    DroppedSpawn,
}

/// How long a task may wait and run, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) wait: Option<u64>,
    pub(crate) run: Option<u64>,
}

impl Setup {
    pub(crate) fn random(random: &mut Random) -> Self {
        let nodes = [0; 4].map(|_| Rules {
            size: 1 + random.below(4),
            max_waiting: random.once_in(5).then(|| random.below(5)),
            rate: random.once_in(6).then(|| 1 + random.below(3)),
        });
        Self { nodes }
    }
}

impl Step {
    pub(crate) fn random(random: &mut Random) -> Self {
        let (at, which) = (random.below(4), random.below(1000));
        match random.below(60) {
            0..16 => Self::submit(random),
            16..18 => Self::Feed {
                at,
                items: random.below(5),
            },
            18..20 => Self::Acquire {
                demand: Self::demand(random, 0),
            },
            20..22 => Self::Release { which },
            22..31 => Self::End {
                which,
                panics: random.once_in(4),
            },
            31..34 => Self::Lend { which },
            34..36 => Self::ComeBack { which },
            36..39 => Self::Await {
                which,
                other: random.below(1000),
            },
            39..42 => Self::Abort { which },
            42 => Self::AbortFeed { which },
            43 => Self::AbortAll { at },
            44 => Self::CancelAll { at },
            45..47 => Self::Resize {
                at,
                size: 1 + random.below(5),
            },
            47 => Self::Pause { at },
            48..50 => Self::Resume { at },
            50 => Self::Hold {
                at,
                time: Duration::from_millis(random.below(60) as u64),
            },
            51 => Self::Close { at },
            52 => Self::Reopen { at },
            53 => Self::Join { at },
            _ => Self::Advance {
                time: Duration::from_millis(1 + random.below(80) as u64),
            },
        }
    }

    fn submit(random: &mut Random) -> Self {
        let at = random.below(4);
        let verb = match random.below(8) {
            0 => Verb::TrySpawn,
            1 => Verb::Spawn,
            2 => Verb::DroppedSpawn,
            _ => Verb::SpawnN,
        };
        let demand = Self::demand(random, at);
        let limit = |random: &mut Random| random.once_in(6).then(|| 1 + random.below(90) as u64);
        let (wait, run) = (limit(random), limit(random));
        Self::Submit {
            at,
            verb,
            demand,
            limits: Limits { wait, run },
        }
    }

    /// A weight and a priority. Many have none.
    fn demand(random: &mut Random, at: usize) -> (usize, i32) {
        // In a group, what is heavy may be overtaken or not, as others happen to end in one order or another.
        let weight = if at == 0 && random.once_in(4) {
            2 + random.below(2)
        } else {
            1
        };
        let priority = if random.once_in(3) {
            random.below(3) as i32 - 1
        } else {
            0
        };
        (weight, priority)
    }
}
