//! The order of starts.

use std::sync::Arc;

use super::super::in_random_orders::choose;
use super::super::{block_on, check, pool, yield_once};
use super::settle_all;
use crate::lock::Lock;
use crate::sync::thread;

#[test]
fn tasks_of_one_thread_start_in_the_order_of_submission() {
    check(|| {
        let (pool, starts) = (pool(1), Arc::new(Lock::new(Vec::new())));
        let other = pool.clone();
        let disturber = thread::spawn(move || {
            for _ in 0..3 {
                match choose(3) {
                    0 => {
                        other.pause();
                        other.resume();
                    }
                    1 => drop(block_on(other.exec(yield_once()))),
                    _ => drop(block_on(other.acquire())),
                }
            }
        });
        let mut handles = Vec::new();
        for number in 0..6 {
            let starts = starts.clone();
            let task = async move {
                starts.lock().push(number);
                for _ in 0..choose(3) {
                    yield_once().await;
                }
            };
            handles.push(match choose(2) {
                0 => pool.spawn_n(task),
                _ => block_on(pool.spawn(task)),
            });
        }
        if choose(2) == 0 {
            handles.remove(choose(6)).abort();
        }
        for handle in handles {
            block_on(handle).unwrap();
        }
        disturber.join().unwrap();
        settle_all(&pool);
        let starts = starts.lock();
        assert!(starts.len() >= 5);
        assert!(starts.is_sorted(), "{starts:?}");
    });
}
