//! Groups with rules of their own: a bound of the queue, and what `group_with` and `keyed_with` do with them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use aiopool::{AioPool, GroupError, Refusal};
use futures::executor::block_on;

use crate::support::{Hand, Probe, busy, on_every_runtime};

/// Whether a task that is submitted now is refused.
fn refuses(pool: &AioPool) -> bool {
    let task = pool.spawn_n(std::future::pending::<()>());
    let refused = task.is_finished();
    task.abort();
    refused
}

#[test]
fn a_tenant_that_fills_its_own_queue_holds_up_no_other() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).max_waiting(10).build().unwrap();
    let tenant = |name: &str| pool.keyed_with(name, |group| group.size(4).max_waiting(3));
    let (greedy, modest) = (tenant("greedy"), tenant("modest"));
    let tasks = greedy.map_n(0..1000, |_| std::future::pending::<()>());
    assert_eq!((greedy.active(), greedy.waiting()), (1, 3));
    assert_eq!(tasks.iter().filter(|task| task.is_finished()).count(), 996);
    assert_eq!(greedy.stats().rejected, 996);
    assert_eq!(pool.stats().rejected, 996);
    assert!(refuses(&greedy) && !refuses(&modest) && !refuses(&pool));
    let error = block_on(greedy.spawn_n(async {})).unwrap_err();
    assert!(error.is_rejected() && error.reason().unwrap().contains("full"));
}

#[test]
fn a_task_waits_only_if_no_pool_around_it_is_full_by_its_own_bound() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).max_waiting(6).build().unwrap();
    let outer = pool.group_with("outer", |group| group.max_waiting(4));
    let outer = outer.unwrap();
    let inner = outer.group_with("inner", |group| group.max_waiting(2));
    let inner = inner.unwrap();
    let beside = outer.group("beside", 1).unwrap();
    let (probes, _running) = busy(&pool, 1);
    let park = |pool: &AioPool, most: usize| {
        let tasks = pool.map_n(0..10, |_| std::future::pending::<()>());
        let waiting: Vec<_> = tasks.into_iter().filter(|t| !t.is_finished()).collect();
        assert_eq!(waiting.len(), most);
        waiting
    };
    let first = park(&inner, 2);
    let second = park(&beside, 2);
    assert!(refuses(&outer) && refuses(&inner) && !refuses(&pool));
    let third = park(&pool, 2);
    assert!(refuses(&pool));
    // Room at one node is of no use while another is full.
    first[0].abort();
    assert!(!refuses(&inner) && !refuses(&beside));
    second.iter().for_each(|task| _ = task.abort());
    park(&pool, 3);
    assert!(refuses(&inner) && refuses(&beside));
    drop((third, probes));
}

#[test]
fn a_task_that_can_start_at_once_is_not_refused() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let strict = pool.group_with("strict", |group| group.size(2).max_waiting(0));
        let strict = strict.unwrap();
        let (probes, running) = busy(&strict, 2);
        assert!(running.iter().all(|task| !task.is_finished()));
        assert!(refuses(&strict) && !refuses(&pool));
        assert_eq!(
            strict.try_spawn(async {}).unwrap_err().reason(),
            Refusal::Full
        );
        probes.iter().for_each(Probe::end);
        pool.join().await;
        assert_eq!(strict.exec(async { 5 }).await.unwrap(), 5);
    });
}

#[test]
fn try_spawn_parks_in_the_queue_of_a_group_that_has_a_bound() {
    let (_hand, pool) = Hand::pool(1);
    let bounded = pool.group_with("bounded", |group| group.max_waiting(1));
    let bounded = bounded.unwrap();
    let inside = bounded.group("inside", 1).unwrap();
    let (probes, _running) = busy(&pool, 1);
    assert!(pool.try_spawn(async {}).is_err(), "it has no bound");
    let waits = inside.try_spawn(async {}).unwrap();
    assert!(inside.try_spawn(async {}).is_err());
    assert!(bounded.try_spawn(async {}).is_err());
    waits.abort();
    drop((bounded.try_spawn(async {}).unwrap(), probes));
}

#[test]
fn a_scope_and_a_feed_keep_to_the_bound_of_their_group() {
    let (hand, pool) = Hand::pool(1);
    let bounded = pool.group_with("bounded", |group| group.max_waiting(2));
    let bounded = bounded.unwrap();
    let (probes, _running) = busy(&pool, 1);
    let mut scope = std::pin::pin!(bounded.scope(async |tasks| {
        let tasks = tasks.map_n(0..5, |_| std::future::pending::<()>());
        tasks.iter().filter(|task| task.is_finished()).count()
    }));
    crate::assert_pending!(scope);
    assert_eq!((bounded.waiting(), bounded.stats().rejected), (2, 3));
    let late = bounded.feed(0..10, |_| async {});
    assert!(block_on(late).rejected);
    bounded.abort_all();
    let feed = bounded.feed(0..10, |_| async {});
    probes.iter().for_each(Probe::end);
    hand.run();
    assert_eq!(feed.progress().completed, 10);
}

#[test]
fn a_group_without_a_size_runs_what_the_pool_runs() {
    let (_hand, pool) = Hand::pool(3);
    let group = pool.group_with("any", |group| group).unwrap();
    assert_eq!(group.size(), AioPool::UNBOUNDED);
    let (_probes, _running) = busy(&group, 5);
    assert_eq!((group.active(), group.waiting()), (3, 2));
}

#[test]
fn a_group_that_exists_is_returned_as_it_is_as_long_as_it_lives() {
    let (_hand, pool) = Hand::pool(10);
    let strict = || pool.keyed_with("a", |group| group.size(2).max_waiting(0));
    let kept = strict();
    kept.resize(3).unwrap();
    let again = pool.keyed_with("a", |group| group.size(5));
    assert_eq!(again.size(), 3);
    let (_probes, running) = busy(&again, 3);
    assert!(refuses(&again), "it has the bound of the first call");
    drop((kept, again));
    assert_eq!(pool.keyed("a", 9).size(), 3, "tasks keep it");
    drop(running);
    pool.abort_all();
    _hand.run();
    assert_eq!(pool.keyed("a", 9).size(), 9, "the name was free again");
}

#[test]
fn a_group_with_senseless_rules_is_told_at_once() {
    let (_hand, pool) = Hand::pool(1);
    let zero = pool.group_with("a", |group| group.size(0));
    assert_eq!(zero.unwrap_err(), GroupError::ZeroSize);
    let never = pool.group_with("a", |group| group.share(0));
    assert_eq!(never.unwrap_err(), GroupError::ZeroShare);
    let _a = pool.group("a", 1).unwrap();
    let twice = pool.group_with("a", |group| group.size(1));
    assert_eq!(
        twice.unwrap_err(),
        GroupError::AlreadyExists("a".to_owned())
    );
    let keyed = || pool.keyed_with("b", |group| group.size(0));
    assert!(catch_unwind(AssertUnwindSafe(keyed)).is_err());
    assert!(pool.find_group("b").is_none());
}

#[test]
fn the_closure_that_sets_the_rules_may_use_the_pool() {
    let (_hand, pool) = Hand::pool(4);
    let group = pool.group_with("half", |group| group.size(pool.size() / 2));
    assert_eq!(group.unwrap().size(), 2);
    let keyed = pool.keyed_with("other", |group| group.size(pool.groups().len() + 1));
    assert_eq!(keyed.size(), 1);
}
