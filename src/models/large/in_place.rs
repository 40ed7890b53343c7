//! Permits of callers beside those of tasks.

use std::pin::pin;

use futures_util::future::{Either, select};

use super::super::in_random_orders::choose;
use super::super::{block_on, check, poll_once, pool, yield_once};
use super::{Meter, settle_all};
use crate::AioPool;
use crate::sync::thread;

/// Waits for permits, and gives up on some.
async fn visit(pool: &AioPool, meter: &Meter) {
    for _ in 0..3 {
        let weight = 1 + choose(2);
        let hold = async {
            let _running: Vec<_> = (0..weight).map(|_| meter.enter()).collect();
            yield_once().await;
        };
        match choose(6) {
            0 => drop(poll_once(pool.acquire())),
            1 => drop(poll_once(pool.run(yield_once()))),
            2 => {
                let permit = pool.permit().weight(weight).acquire().await;
                hold.await;
                drop(permit);
            }
            3 => pool.permit().weight(weight).run(hold).await,
            4 => {
                let permit = pool.permit().priority(1).weight(weight).try_acquire();
                if permit.is_some() {
                    hold.await;
                }
            }
            // Dropped while it waits or while it runs.
            _ => {
                let run = pool.permit().weight(weight).run(hold);
                let over = async {
                    for _ in 0..choose(4) {
                        yield_once().await;
                    }
                };
                match select(pin!(run), pin!(over)).await {
                    Either::Left(_) | Either::Right(_) => {}
                }
            }
        }
    }
}

#[test]
fn permits_in_place_and_tasks_are_never_more_than_the_size() {
    check(|| {
        let pool = pool(2);
        let meter = Meter::new(2);
        let visitors: Vec<_> = (0..3)
            .map(|_| {
                let (pool, meter) = (pool.clone(), meter.clone());
                thread::spawn(move || block_on(visit(&pool, &meter)))
            })
            .collect();
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let meter = meter.clone();
                pool.spawn_n(async move {
                    let _running = meter.enter();
                    yield_once().await;
                })
            })
            .collect();
        let aborted = choose(6);
        for (number, task) in tasks.into_iter().enumerate() {
            if number == aborted {
                drop(block_on(task.cancel()));
            } else {
                block_on(task).unwrap();
            }
        }
        for visitor in visitors {
            visitor.join().unwrap();
        }
        settle_all(&pool);
    });
}

#[test]
fn a_waiter_that_is_dropped_passes_the_permit_of_a_group_on() {
    check(|| {
        let pool = pool(2);
        let group = pool.keyed("group", 1);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let group = group.clone();
                thread::spawn(move || {
                    for _ in 0..choose(3) {
                        drop(poll_once(group.acquire()));
                    }
                    drop(block_on(group.acquire()));
                })
            })
            .collect();
        block_on(group.exec(async {})).unwrap();
        for thread in threads {
            thread.join().unwrap();
        }
        drop(group);
        settle_all(&pool);
    });
}
