//! Fair share: groups start their tasks in turns, by their shares.

use std::sync::{Arc, Mutex};

use aiopool::AioPool;
use futures::future::join_all;

use crate::support::{Hand, Pools, Probe, on_every_runtime};

/// The names of the tasks that have run, in the order of their starts.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Starts>>);

#[derive(Default)]
struct Starts {
    names: Vec<char>,
    /// After how many starts this pool is paused.
    pause: Option<(usize, AioPool)>,
}

impl Log {
    fn task(&self, name: char) -> impl Future<Output = ()> + Send + use<> {
        let log = self.clone();
        async move { log.start(name) }
    }

    fn start(&self, name: char) {
        let mut starts = self.0.lock().unwrap();
        starts.names.push(name);
        let count = starts.names.len();
        let pause = starts.pause.take_if(|(after, _)| count >= *after);
        drop(starts);
        if let Some((_, pool)) = pause {
            pool.pause();
        }
    }

    fn park(&self, pool: &AioPool, name: char, count: usize) {
        for _ in 0..count {
            drop(pool.spawn_n(self.task(name)));
        }
    }

    fn take(&self) -> String {
        self.0.lock().unwrap().names.drain(..).collect()
    }
}

fn count(starts: &str, name: char) -> usize {
    starts.chars().filter(|start| *start == name).count()
}

/// A pool with fair share that starts one task at a time, and runs when it is told to.
fn fair() -> (Hand, AioPool, Log) {
    let hand = Hand::default();
    let pool = hand.builder().size(1).fair_share(true).build().unwrap();
    pool.pause();
    (hand, pool, Log::default())
}

fn fair_on(pools: &Pools, size: usize) -> AioPool {
    let pool = pools.builder().size(size).fair_share(true);
    pool.build().unwrap()
}

/// Lets all tasks that wait run, and returns the order of their starts.
fn run(hand: &Hand, pool: &AioPool, log: &Log) -> String {
    pool.resume();
    hand.run();
    pool.pause();
    assert!(pool.is_empty());
    log.take()
}

/// Lets this many tasks run, and those that have a permit by then.
fn run_some(hand: &Hand, pool: &AioPool, log: &Log, starts: usize) -> String {
    log.0.lock().unwrap().pause = Some((starts, pool.clone()));
    pool.resume();
    hand.run();
    assert!(pool.is_paused());
    log.take()
}

#[test]
fn a_tenant_that_floods_the_pool_takes_turns_with_another() {
    on_every_runtime(|pools| async move {
        let (pool, log) = (fair_on(&pools, 1), Log::default());
        pool.pause();
        let (greedy, modest) = (pool.keyed("greedy", 4), pool.keyed("modest", 4));
        log.park(&greedy, 'g', 100_000);
        log.park(&modest, 'm', 10);
        pool.resume();
        pool.join().await;
        let starts = log.take();
        assert_eq!(&starts[..20], "gm".repeat(10), "{}", pools.runtime);
        assert_eq!(starts.len(), 100_010);
    });
}

#[test]
fn without_fair_share_the_oldest_task_is_the_next() {
    let (hand, pool) = Hand::pool(1);
    let log = Log::default();
    pool.pause();
    let (a, b) = (
        pool.group("a", 1).unwrap(),
        pool.keyed_with("b", |group| group.share(9)),
    );
    log.park(&a, 'a', 3);
    log.park(&b, 'b', 3);
    assert_eq!(run(&hand, &pool, &log), "aaabbb");
}

#[test]
fn groups_start_tasks_in_proportion_to_their_shares() {
    let (hand, pool, log) = fair();
    let free = pool.group("free", 1).unwrap();
    let paid = pool.keyed_with("paid", |group| group.share(3));
    log.park(&free, 'f', 1_000);
    log.park(&paid, 'p', 3_000);
    let starts = run(&hand, &pool, &log);
    let (mut of_free, mut of_paid) = (0_i32, 0_i32);
    for start in starts.chars() {
        match start {
            'f' => of_free += 1,
            _ => of_paid += 1,
        }
        assert!((3 * of_free - of_paid).abs() <= 3, "within one task");
    }
}

#[test]
fn each_of_several_shares_is_kept() {
    let (hand, pool, log) = fair();
    let members = [('a', 1), ('b', 2), ('c', 5)];
    let groups = members.map(|(name, share)| {
        let group = pool.keyed_with(name, |group| group.share(share));
        log.park(&group, name, 100 * share as usize);
        group
    });
    let starts = run(&hand, &pool, &log);
    for end in 0..starts.len() {
        let turns = |at: usize| {
            let (name, share) = members[at];
            count(&starts[..end], name) as f64 / f64::from(share)
        };
        let differ = (turns(0) - turns(1)).abs().max((turns(0) - turns(2)).abs());
        assert!(differ <= 1.5, "after {end}: {differ}");
    }
    drop(groups);
}

#[test]
fn a_heavy_task_takes_as_many_turns_as_it_weighs() {
    let hand = Hand::default();
    let pool = hand.builder().size(3).fair_share(true).build().unwrap();
    pool.pause();
    let log = Log::default();
    let (heavy, light) = (pool.keyed("heavy", 3), pool.keyed("light", 3));
    for _ in 0..50 {
        drop(heavy.task(log.task('h')).weight(3).spawn_n());
    }
    log.park(&light, 'l', 150);
    let starts = run(&hand, &pool, &log);
    for end in 0..starts.len() {
        let (of_heavy, of_light) = (count(&starts[..end], 'h'), count(&starts[..end], 'l'));
        assert!((3 * of_heavy).abs_diff(of_light) <= 3, "{}", &starts[..end]);
    }
}

#[test]
fn a_heavy_task_whose_turn_it_is_is_not_overtaken() {
    let (hand, log) = (Hand::default(), Log::default());
    let pool = hand.builder().size(2).fair_share(true).build().unwrap();
    let (heavy, light) = (pool.keyed("heavy", 2), pool.keyed("light", 2));
    let probe = Probe::new();
    drop(light.spawn_n(probe.task(())));
    drop(heavy.task(log.task('h')).weight(2).spawn_n());
    log.park(&light, 'l', 3);
    hand.run();
    assert_eq!((log.take(), pool.active()), (String::new(), 1));
    probe.end();
    hand.run();
    assert_eq!(log.take(), "hlll");
}

#[test]
fn a_group_that_was_idle_has_no_more_turns_than_the_others() {
    let (hand, pool, log) = fair();
    let (busy, idle) = (pool.keyed("busy", 1), pool.keyed("idle", 1));
    log.park(&idle, 'i', 1);
    log.park(&busy, 'b', 100);
    assert_eq!(count(&run(&hand, &pool, &log), 'b'), 100);
    log.park(&busy, 'b', 20);
    log.park(&idle, 'i', 20);
    let starts = run(&hand, &pool, &log);
    for end in 0..40 {
        let (busy, idle) = (count(&starts[..end], 'b'), count(&starts[..end], 'i'));
        assert!(busy.abs_diff(idle) <= 1, "{starts}");
    }
}

#[test]
fn a_group_that_had_many_turns_alone_waits_for_none_of_them() {
    let (hand, pool, log) = fair();
    let (early, late) = (pool.keyed("early", 1), pool.keyed("late", 1));
    log.park(&early, 'e', 1000);
    run(&hand, &pool, &log);
    log.park(&late, 'l', 1000);
    run(&hand, &pool, &log);
    log.park(&late, 'l', 10);
    log.park(&early, 'e', 10);
    assert_eq!(run(&hand, &pool, &log)[..6], *"elelel");
}

#[test]
fn a_group_that_was_paused_or_full_saves_no_turns() {
    let (hand, pool, log) = fair();
    let (a, b) = (pool.keyed("a", 9), pool.keyed("b", 9));
    log.park(&a, 'a', 10);
    log.park(&b, 'b', 40);
    a.pause();
    assert_eq!(run_some(&hand, &pool, &log, 20), "b".repeat(20));
    a.resume();
    let starts = run_some(&hand, &pool, &log, 20);
    assert!(count(&starts, 'a').abs_diff(10) <= 1, "{starts}");
    run(&hand, &pool, &log);

    pool.resize(2).unwrap();
    a.resize(1).unwrap();
    let probe = Probe::new();
    drop(a.spawn_n(probe.task(())));
    log.park(&a, 'a', 10);
    log.park(&b, 'b', 40);
    assert_eq!(run_some(&hand, &pool, &log, 20), "b".repeat(20));
    a.resize(9).unwrap();
    pool.resize(3).unwrap();
    let starts = run_some(&hand, &pool, &log, 16);
    assert!(
        count(&starts, 'a').abs_diff(count(&starts, 'b')) <= 3,
        "{starts}"
    );
    probe.end();
    run(&hand, &pool, &log);
}

#[test]
fn a_group_that_grows_or_is_cancelled_leaves_the_others_their_turns() {
    let (hand, pool, log) = fair();
    let (a, b, c) = (pool.keyed("a", 1), pool.keyed("b", 1), pool.keyed("c", 1));
    for (group, name) in [(&a, 'a'), (&b, 'b'), (&c, 'c')] {
        log.park(group, name, 20);
    }
    assert_eq!(run_some(&hand, &pool, &log, 6), "abcabc");
    futures::executor::block_on(async {
        let stop = async { assert_eq!(b.cancel_all().await, 18) };
        let run = async { hand.run() };
        futures::join!(stop, run);
    });
    assert_eq!(run_some(&hand, &pool, &log, 4), "acac");
    log.park(&b, 'b', 20);
    c.resize(5).unwrap();
    let starts = run_some(&hand, &pool, &log, 9);
    for name in ['a', 'b', 'c'] {
        assert_eq!(count(&starts, name), 3, "{starts}");
    }
}

#[test]
fn tasks_of_the_pool_itself_are_one_member_more() {
    let (hand, pool, log) = fair();
    let group = pool.keyed_with("a", |group| group.share(2));
    log.park(&pool, '.', 50);
    log.park(&group, 'a', 100);
    let starts = run(&hand, &pool, &log);
    for end in 0..starts.len() {
        let (own, of_group) = (count(&starts[..end], '.'), count(&starts[..end], 'a'));
        assert!((2 * own).abs_diff(of_group) <= 2, "{starts}");
    }
}

#[test]
fn groups_inside_of_a_group_share_its_turns() {
    let (hand, pool, log) = fair();
    let (x, y) = (pool.keyed("x", 1), pool.keyed("y", 1));
    let inner = [('1', 1), ('2', 3)].map(|(name, share)| {
        let inner = x.keyed_with(name, |group| group.share(share));
        log.park(&inner, name, 100);
        inner
    });
    log.park(&y, 'y', 100);
    let starts = run_some(&hand, &pool, &log, 80);
    let counts = ['1', '2', 'y'].map(|name| count(&starts, name));
    for (counted, fair) in counts.into_iter().zip([10, 30, 40]) {
        assert!(counted.abs_diff(fair) <= 1, "{starts}");
    }
    drop(inner);
}

#[test]
fn tenants_that_come_and_go_have_their_turns() {
    let (hand, pool, log) = fair();
    let flood = pool.keyed("flood", 1);
    log.park(&flood, 'f', 1000);
    for round in 0..5 {
        for tenant in 0..50 {
            log.park(&pool.keyed(format!("tenant {tenant}"), 1), 't', 1);
        }
        assert_eq!(pool.groups().len(), 51);
        let starts = run_some(&hand, &pool, &log, 52);
        assert_eq!(count(&starts, 't'), 50, "in round {round}: {starts}");
        assert_eq!(pool.groups().len(), 1, "they are gone");
    }
}

#[test]
fn a_priority_matters_inside_of_its_group_only() {
    let (hand, pool, log) = fair();
    let (a, b) = (pool.keyed("a", 1), pool.keyed("b", 1));
    log.park(&b, 'b', 4);
    log.park(&a, 'a', 2);
    for _ in 0..2 {
        drop(a.task(log.task('A')).priority(100).spawn_n());
    }
    assert_eq!(run(&hand, &pool, &log), "bAbAbaba");
}

#[test]
fn code_in_place_has_the_turns_of_its_group() {
    let (hand, pool, log) = fair();
    let (a, b) = (pool.keyed("a", 1), pool.keyed("b", 1));
    log.park(&a, 'a', 5);
    let place = b.run(log.task('b'));
    let mut place = std::pin::pin!(place);
    crate::assert_pending!(place);
    pool.resume();
    while crate::support::poll_once(place.as_mut()).is_pending() {
        assert!(hand.step());
    }
    assert!(["ab", "b"].contains(&&*log.take()));
    hand.run();
}

#[test]
fn feeds_of_several_groups_take_turns() {
    let (hand, pool, log) = fair();
    let feeds: Vec<_> = ['a', 'b']
        .map(|name| {
            let log = log.clone();
            pool.keyed(name, 1)
                .feed(0..100, move |_: u32| log.task(name))
        })
        .into();
    let starts = run(&hand, &pool, &log);
    for end in 0..starts.len() {
        let (a, b) = (count(&starts[..end], 'a'), count(&starts[..end], 'b'));
        assert!(a.abs_diff(b) <= 1, "{starts}");
    }
    drop(feeds);
}

#[test]
fn a_task_that_waits_for_another_group_lends_its_permit_and_gets_one_back() {
    on_every_runtime(|pools| async move {
        let pool = fair_on(&pools, 1);
        let tenants: Vec<_> = (0..3).map(|n| pool.keyed(n.to_string(), 1)).collect();
        let tasks = (0..30).map(|n| {
            let (outer, inner) = (tenants[n % 3].clone(), tenants[(n + 1) % 3].clone());
            outer.clone().spawn_n(async move {
                let doubled = inner.exec(async move { 2 * n }).await.unwrap();
                doubled + inner.map(0..3, async |n| n).await.len()
            })
        });
        let results = join_all(tasks.collect::<Vec<_>>()).await;
        let expected = (0..30).map(|n| 2 * n + 3);
        assert!(results.into_iter().map(Result::unwrap).eq(expected));
        assert!(pool.is_empty());
    });
}

#[test]
fn all_permits_are_in_use_as_long_as_a_group_may_start_tasks() {
    on_every_runtime(|pools| async move {
        let pool = fair_on(&pools, 4);
        let (narrow, wide) = (
            pool.keyed_with("narrow", |group| group.size(1).share(100)),
            pool.keyed("wide", 9),
        );
        let (first, others) = (Probe::several(5), Probe::several(5));
        let submit = |pool: &AioPool, probes: &[Probe]| {
            let tasks = probes.iter().map(|probe| pool.spawn_n(probe.task(())));
            tasks.collect::<Vec<_>>()
        };
        let tasks = (submit(&narrow, &first), submit(&wide, &others));
        assert_eq!((narrow.active(), wide.active()), (1, 3));
        first[0].end();
        first[1].started().await;
        assert_eq!((narrow.active(), wide.active()), (1, 3));
        for probe in first.iter().chain(&others) {
            probe.end();
        }
        pool.join().await;
        drop(tasks);
    });
}
