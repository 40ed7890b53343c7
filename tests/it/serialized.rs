//! The feature `serde`: what the pool tells of itself, written as JSON.

use aiopool::Shutdown;
use serde_json::{json, to_value};

use crate::support::{Hand, Probe};

#[test]
fn a_task_is_written_with_its_number_and_state() {
    let (hand, pool) = Hand::pool(1);
    let busy = Probe::new();
    pool.task(busy.task(())).name("first").spawn_n();
    pool.task(async {}).priority(2).spawn_n();
    hand.run();
    let tasks = to_value(pool.tasks()).unwrap();
    assert_eq!(tasks[0]["id"], 0);
    assert_eq!(
        (&tasks[0]["name"], &tasks[0]["state"]),
        (&json!("first"), &json!("active"))
    );
    assert_eq!(
        (&tasks[1]["state"], &tasks[1]["priority"]),
        (&json!("waiting"), &json!(2))
    );
    assert!(tasks[1]["waited"].is_null(), "the pool is not timed");
}

#[test]
fn counters_and_reports_are_written_by_their_names() {
    let (hand, pool) = Hand::pool(2);
    let feed = pool.feed(0..3, |_| async {});
    hand.run();
    let report = to_value(futures::executor::block_on(feed)).unwrap();
    assert_eq!(report["completed"], 3);
    let stats = to_value(pool.stats()).unwrap();
    assert_eq!(
        (&stats["submitted"], &stats["refused"], &stats["retries"]),
        (&json!(3), &json!(0), &json!(0))
    );
    let progress = futures::executor::block_on(pool.progress().total(9).next());
    assert_eq!(
        to_value(progress).unwrap(),
        json!({"done": 3, "failed": 0, "active": 0, "waiting": 0, "total": 9})
    );
    let report = futures::executor::block_on(pool.shutdown(Shutdown::Drain));
    assert_eq!(
        to_value(report).unwrap(),
        json!({"completed": 0, "cancelled": 0})
    );
}
