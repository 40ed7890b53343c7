//! Every await point of the crate, with every fault that may happen to it.
//!
//! - `points` and its siblings: the await points, of one task, of many, of code in place, and of the life of a pool: how
//!   each future is made, and what it gives
//! - `faults`: what the tasks do, and what happens to them, their runtime, or the one that awaits
//! - `work`: the futures of the tasks, which end as the fault says
//! - `hand`: a runtime that is driven by hand, so that each fault comes at its moment
//!
//! Each point meets each fault three times: awaited outside of the pool, inside of a task of the pool, and inside of a task
//! of a group. After each, the pool is idle, the counters add up, no future is left, and a new task runs.

mod faults;
mod hand;
mod points;
mod points_in_place;
mod points_of_life;
mod points_of_many;
mod trial;
mod work;

use std::panic::{self, AssertUnwindSafe, catch_unwind};

use crate::faults::FAULTS;
use crate::points::Point;
use crate::trial::{From, run};

fn all_points() -> impl Iterator<Item = &'static Point> {
    let many = points_of_many::POINTS.iter();
    let others = points_in_place::POINTS.iter().chain(points_of_life::POINTS);
    points::POINTS.iter().chain(many).chain(others)
}

#[test]
fn no_fault_at_any_await_point_leaves_anything_behind() {
    // The panics are on purpose. Others fail the test below.
    panic::set_hook(Box::new(|_| {}));
    let mut broken = Vec::new();
    let mut count = 0;
    for point in all_points() {
        for fault in FAULTS {
            for from in [From::Outside, From::Task, From::TaskOfGroup] {
                if !from.suits(point) {
                    continue;
                }
                count += 1;
                let ran = catch_unwind(AssertUnwindSafe(|| run(point, fault, from)));
                if let Err(what) =
                    ran.unwrap_or_else(|payload| Err(trial::message(payload.as_ref())))
                {
                    let (point, fault) = (point.name, fault.name);
                    broken.push(format!("{point} × {fault}, awaited {from}: {what}\n"));
                }
            }
        }
    }
    drop(panic::take_hook());
    assert!(count > 1000, "only {count} were tried");
    assert!(
        broken.is_empty(),
        "{} of {count}:\n{}",
        broken.len(),
        broken.concat()
    );
}
