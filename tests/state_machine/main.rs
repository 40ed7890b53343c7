//! Random sequences of everything that a pool can be asked for, on a runtime that is driven by hand, compared with a
//! naive model after each step.
//!
//! ```sh
//! cargo test --test state_machine                                            # a thousand sequences
//! AIOPOOL_SEQUENCES=100000 cargo test --release --test state_machine         # some minutes
//! AIOPOOL_SEED=123 cargo test --test state_machine                           # one of them again
//! ```
//!
//! A sequence that fails is made shorter, by leaving out steps as long as it still fails, and is then printed with the
//! seed that brings it back.
//!
//! - `model`: what a pool should do, as a list that is searched from the front
//! - `step`: the steps; `trial`, `verbs`: they happen to a pool and to the model; `compare`: what has to be the same
//! - `puppet`: tasks that do what a step tells them; `executor`: the runtime and its clock

mod compare;
mod executor;
mod model;
mod puppet;
mod random;
mod step;
mod trial;
mod verbs;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use crate::random::Random;
use crate::step::{Setup, Step};
use crate::trial::Trial;

const SEQUENCES: u64 = 1000;

/// Steps of a sequence.
const STEPS: usize = 80;

#[test]
fn a_pool_does_what_a_naive_model_does() {
    // Those of tasks are on purpose, and the others are told of with the sequence that has brought them.
    panic::set_hook(Box::new(|_| {}));
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let seeds = match number("AIOPOOL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("AIOPOOL_SEQUENCES").unwrap_or(SEQUENCES),
    };
    for seed in seeds {
        let (setup, steps) = sequence(seed);
        if let Err(difference) = run(&setup, &steps) {
            let (steps, difference) = shortened(&setup, steps, difference);
            drop(panic::take_hook());
            panic!("{}", told(seed, &setup, &steps, &difference));
        }
    }
    drop(panic::take_hook());
}

fn sequence(seed: u64) -> (Setup, Vec<Step>) {
    let mut random = Random::new(seed);
    let setup = Setup::random(&mut random);
    let steps = (0..STEPS).map(|_| Step::random(&mut random)).collect();
    (setup, steps)
}

/// Runs a sequence. Returns the first difference, and the step after which there was one.
fn run(setup: &Setup, steps: &[Step]) -> Result<(), (usize, String)> {
    let mut taken = 0;
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mut trial = Trial::new(setup);
        for step in steps {
            trial.take(step);
            let compared = trial.compare();
            compared.map_err(|difference| format!("{difference}, where {}", trial.model))?;
            taken += 1;
        }
        trial.end_all()
    }));
    let ran = ran.unwrap_or_else(|payload| Err(message(payload.as_ref())));
    ran.map_err(|difference| (taken, difference))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    format!("a panic: {}", text.unwrap_or("without a message"))
}

/// Leaves out steps, from halves of the sequence down to single ones, as long as it still fails.
fn shortened(
    setup: &Setup,
    mut steps: Vec<Step>,
    mut difference: (usize, String),
) -> (Vec<Step>, String) {
    let mut length = steps.len() / 2;
    while length > 0 {
        let mut from = 0;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + length).min(steps.len()));
            match run(setup, &fewer) {
                Ok(()) => from += length,
                Err(other) => {
                    fewer.truncate(other.0 + 1);
                    (steps, difference) = (fewer, other);
                }
            }
        }
        length /= 2;
    }
    (steps, difference.1)
}

fn told(seed: u64, setup: &Setup, steps: &[Step], difference: &str) -> String {
    let steps = steps.iter().map(|step| format!("    {step:?}\n"));
    let steps: String = steps.collect();
    format!("AIOPOOL_SEED={seed}: {difference}, after\n  {setup:?}\n{steps}")
}
