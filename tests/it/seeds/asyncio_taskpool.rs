//! The behaviour that the tests of asyncio-taskpool show.
//!
//! Each test names those of theirs that it stands for. Their words are others: they *lock* a pool where this one is
//! closed, *flush* what is never kept here, and *gather and close* where this one shuts down.
//!
//! Left out here:
//! - everything under `test_control/`, `test___main__.py`, and of `test_helpers.py` `test_get_first_doc_line` and
//!   `test_resolve_dotted_path`: they are about steering a pool from outside the program, which is a matter of its own.
//! - `test_helpers.py`: the three of `ClassMethodWorkaround`: they are about old versions of Python.
//! - `test_pool.py`: `test_func_name`: a closure has no name that one could ask for.
//! - what their tests say about texts in a log: the pool writes none, and an `Observer` is told instead.
//! - refusing what is no coroutine function (a part of `test__check_start`, and of `test_init`): the compiler does that.

use std::cell::Cell;
use std::future::{Pending, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use aiopool::{
    AbortError, AioPool, BuildError, FnSpawner, GroupError, JoinHandle, Refusal, ReturnWhen,
    Shutdown, SimpleTaskPool, TaskBuilder, TaskId, TaskState,
};
use futures::executor::block_on;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, poll_once};

type Log = Arc<Mutex<Vec<String>>>;

/// Writes down which callbacks of a task are called, and with which number.
fn noted<'p, F>(task: TaskBuilder<'p, F>, log: &Log) -> TaskBuilder<'p, F>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (cancelled, ended) = (log.clone(), log.clone());
    task.on_cancel(move |id| cancelled.lock().unwrap().push(format!("{id} cancelled")))
        .on_end(move |id| ended.lock().unwrap().push(format!("{id} ended")))
}

/// Submits a task for each of so many probes.
fn busy(pool: &AioPool, count: usize) -> (Vec<Probe>, Vec<JoinHandle<()>>) {
    let probes = Probe::several(count);
    let handles = pool.map_n(&probes, |probe| probe.task(()));
    (probes, handles)
}

fn ids(pool: &AioPool) -> Vec<u64> {
    pool.tasks().iter().map(|task| task.id.get()).collect()
}

// The pool itself.

/// test_pool.py: test__add_pool
///
/// They number all pools and keep a list of them. Here a pool has a number in its name, and goes with its last handle.
#[test]
fn pools_without_a_name_get_different_ones_and_nothing_keeps_a_pool() {
    let held = Arc::new(());
    let inside = held.clone();
    let pool = AioPool::with_spawner(1, FnSpawner(move |_| _ = &inside));
    let (_hand, other) = Hand::pool(1);
    assert_ne!(pool.name(), other.name());
    drop(pool);
    assert_eq!(Arc::strong_count(&held), 1);
}

/// test_pool.py: test_init
#[test]
fn a_new_pool_is_open_and_has_nothing_to_show() {
    let (_hand, pool) = Hand::pool(3);
    assert!(!pool.is_closed() && !pool.is_paused());
    assert!(pool.is_empty() && !pool.is_full());
    assert!(pool.tasks().is_empty() && pool.groups().is_empty());
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.started, stats.completed), (0, 0, 0));
}

/// test_pool.py: test___str__
///
/// The name given is the whole name, without a class in front. An empty one is a name too.
#[test]
fn a_pool_is_called_as_told_or_by_its_number() {
    let called = |name: &str| Hand::default().builder().name(name).build().unwrap();
    assert_eq!(called("thumbnails").name(), "thumbnails");
    assert_eq!(called("").name(), "");
    let (_hand, unnamed) = Hand::pool(1);
    let number = unnamed.name().strip_prefix("AioPool-").unwrap();
    assert!(number.parse::<u64>().is_ok());
}

/// test_pool.py: test_pool_size
///
/// A size of 0 is refused as well as one below: their pool of size 0 never runs anything.
#[test]
fn the_size_reads_back_and_setting_it_takes_effect() {
    let (_hand, pool) = Hand::pool(2);
    let (_probes, _handles) = busy(&pool, 5);
    assert_eq!((pool.size(), pool.active()), (2, 2));
    pool.resize(4).unwrap();
    assert_eq!((pool.size(), pool.active()), (4, 4));
    assert!(pool.resize(0).is_err());
    assert_eq!(pool.size(), 4);
    let none = Hand::default().builder().size(0).build();
    assert!(matches!(none, Err(BuildError::ZeroSize)));
}

/// test_pool.py: test_is_locked, test_lock, test_unlock
#[test]
fn closing_and_reopening_twice_is_as_good_as_once() {
    let (hand, pool) = Hand::pool(1);
    for closed in [true, false] {
        for _ in 0..2 {
            if closed {
                pool.close();
            } else {
                pool.reopen();
            }
            assert_eq!(pool.is_closed(), closed);
            assert_eq!(pool.try_spawn(async {}).is_err(), closed);
            hand.run();
        }
    }
}

/// test_pool.py: test_num_running, test_num_cancelled, test_num_ended
///
/// Their numbers of ended and cancelled tasks fall back to 0 when these are flushed. Here they are counters since the
/// start, and a cancelled task does not count among the completed.
#[test]
fn the_tasks_in_each_state_are_counted() {
    let (hand, pool) = Hand::pool(3);
    let (probes, handles) = busy(&pool, 4);
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (3, 1));
    probes[0].end();
    handles[1].abort();
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (2, 0));
    let stats = pool.stats();
    assert_eq!((stats.started, stats.cancelled, stats.completed), (4, 1, 1));
}

/// test_pool.py: test_is_full
#[test]
fn a_pool_is_full_when_no_permit_is_free() {
    let (hand, pool) = Hand::pool(2);
    let (probes, _handles) = busy(&pool, 1);
    assert!(!pool.is_full());
    let (_more, _more_handles) = busy(&pool, 2);
    assert!(pool.is_full());
    probes[0].end();
    hand.run();
    assert!(pool.is_full(), "the next one took the permit over");
    pool.resize(3).unwrap();
    assert!(!pool.is_full());
}

/// test_pool.py: test__check_start
///
/// Their locked pool refuses to start tasks that it had taken in; see `asyncio_taskpool_bugs`, T6 and T7. Here what was
/// submitted runs on. Locked and closed are the same, so that there is one reason.
#[test]
fn a_closed_pool_refuses_newcomers_and_keeps_what_it_has() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (probe, waiting) = (Probe::new(), Probe::new());
        let first = pool.spawn(probe.task(1)).await;
        let second = pool.spawn_n(waiting.task(2));
        pool.close();
        let refused = pool.try_spawn(async { 3 }).unwrap_err();
        assert_eq!(refused.reason(), Refusal::Closed);
        assert!(pool.spawn_n(async {}).await.unwrap_err().is_rejected());
        assert!(
            pool.map(0..2, |_| async {})
                .await
                .iter()
                .all(Result::is_err)
        );
        assert!(
            pool.apply(2, || async {})
                .iter()
                .all(JoinHandle::is_finished)
        );
        probe.end();
        waiting.end();
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 2));
    });
}

/// test_pool.py: test__task_name
///
/// The default leaves the word "Task" out, and each task may have a name of its own.
#[test]
fn a_task_is_called_by_its_pool_and_its_number() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).name("demo").build().unwrap();
    let (first, second) = (pool.spawn_n(async {}), pool.spawn_n(async {}));
    let third = pool.task(async {}).name("special").spawn_n();
    assert_eq!(
        [first.name(), second.name(), third.name()],
        ["demo-0", "demo-1", "special"]
    );
}

// The life of a task.

/// test_pool.py: test__task_cancellation
#[test]
fn a_cancelled_task_moves_to_the_cancelled_and_its_callback_gets_its_number() {
    let (hand, pool) = Hand::pool(1);
    let log = Log::default();
    pool.spawn_n(async {});
    let handle = noted(pool.task(Probe::new().task(())), &log).spawn_n();
    hand.run();
    assert_eq!((pool.active(), pool.stats().cancelled), (1, 0));
    handle.abort();
    hand.run();
    assert_eq!((pool.active(), pool.stats().cancelled), (0, 1));
    assert_eq!(log.lock().unwrap()[0], "1 cancelled");
}

/// test_pool.py: test__task_ending
#[test]
fn a_task_that_ends_or_is_cancelled_gives_one_permit_back_and_its_callback_gets_its_number() {
    let (hand, pool) = Hand::pool(2);
    let log = Log::default();
    let probes = Probe::several(2);
    let [first, second] = [0, 1].map(|n| noted(pool.task(probes[n].task(())), &log).spawn_n());
    hand.run();
    assert!(pool.is_full());
    probes[0].end();
    hand.run();
    assert_eq!((pool.active(), first.state()), (1, TaskState::Finished));
    second.abort();
    hand.run();
    assert_eq!((pool.active(), second.state()), (0, TaskState::Finished));
    assert_eq!(*log.lock().unwrap(), ["0 ended", "1 cancelled", "1 ended"]);
}

/// test_pool.py: test__task_wrapper
///
/// Where theirs returns `None` for a cancelled task, the handle gives an error that says so.
#[test]
fn a_task_returns_its_value_or_that_it_was_cancelled_and_calls_back_accordingly() {
    let (hand, pool) = Hand::pool(2);
    let log = Log::default();
    let good = noted(pool.task(async { "value" }), &log).spawn_n();
    hand.run();
    assert_eq!(block_on(good).unwrap(), "value");
    assert_eq!(log.lock().unwrap().split_off(0), ["0 ended"]);
    let stopped = noted(pool.task(Probe::new().task("never")), &log).spawn_n();
    hand.run();
    stopped.abort();
    hand.run();
    assert!(block_on(stopped).unwrap_err().is_cancelled());
    assert_eq!(*log.lock().unwrap(), ["1 cancelled", "1 ended"]);
}

/// test_pool.py: test__start_task
///
/// They number a task when it starts. Here it has its number from the submission on, in the same order.
#[test]
fn a_task_that_starts_takes_a_permit_and_is_listed_by_its_number_and_name() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).name("demo").build().unwrap();
    let first = pool.spawn_n(Probe::new().task(()));
    let second = pool.spawn_n(async {});
    assert_eq!([first.id(), second.id()].map(TaskId::get), [0, 1]);
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    let listed = &pool.tasks()[0];
    assert_eq!((listed.id, listed.state), (first.id(), TaskState::Active));
    assert_eq!(listed.name, "demo-0");
}

/// test_pool.py: test__get_running_task
///
/// A task that ended stays known as ended; theirs is unknown again after a flush.
#[test]
fn a_number_that_cannot_be_cancelled_says_why() {
    let (hand, pool) = Hand::pool(2);
    let ended = pool.spawn_n(async {}).id();
    let running = pool.spawn_n(Probe::new().task(())).id();
    hand.run();
    let unknown = TaskId::from(17);
    assert_eq!(pool.abort([unknown]), Err(AbortError::NotFound(unknown)));
    assert_eq!(pool.abort([ended]), Err(AbortError::AlreadyFinished(ended)));
    assert_eq!(pool.abort([running]), Ok(1));
    assert_eq!(
        pool.abort([running]),
        Err(AbortError::AlreadyAborted(running))
    );
}

/// test_pool.py: test__get_cancel_kw
///
/// The text goes with a handle; stopping by number or stopping all takes none.
#[test]
fn the_reason_of_a_cancellation_arrives_with_its_error() {
    let (hand, pool) = Hand::pool(2);
    let (_probes, handles) = busy(&pool, 2);
    hand.run();
    handles[0].abort_with("too slow");
    pool.abort([handles[1].id()]).unwrap();
    hand.run();
    let errors: Vec<_> = handles
        .into_iter()
        .map(|handle| block_on(handle).unwrap_err())
        .collect();
    assert_eq!(
        [errors[0].reason(), errors[1].reason()],
        [Some("too slow"), None]
    );
}

/// test_pool.py: test_cancel
#[test]
fn all_of_the_numbers_are_cancelled_or_none() {
    let (hand, pool) = Hand::pool(2);
    let (probes, handles) = busy(&pool, 3);
    hand.run();
    let unknown = TaskId::from(3);
    let some = [handles[0].id(), handles[2].id()];
    assert!(pool.abort(some.into_iter().chain([unknown])).is_err());
    hand.run();
    assert_eq!(pool.len(), 3);
    assert_eq!(pool.abort(some), Ok(2));
    assert_eq!(pool.abort([]), Ok(0));
    hand.run();
    assert_eq!(ids(&pool), [1]);
    assert!(probes[0].is_dropped() && !probes[1].is_dropped());
}

/// test_pool.py: test__pop_ended_meta_tasks
///
/// No task of the pool's own does the starting: a call that has submitted everything leaves nothing to be popped.
#[test]
fn a_map_that_is_through_leaves_neither_task_nor_worker() {
    let (hand, pool) = Hand::pool(2);
    drop(pool.map_n(0..10, |_| async {}));
    drop(pool.apply(10, || async {}));
    hand.run();
    assert!(pool.tasks().is_empty());
    assert_eq!(hand.workers(), 0);
}

/// test_pool.py: test_flush
///
/// There is nothing to flush: an ended task is forgotten at once, and its error stays with its handle.
#[test]
fn ended_tasks_are_forgotten_and_errors_are_kept_by_handles_alone() {
    let (hand, pool) = Hand::pool(3);
    let failed = pool.spawn_n(async { panic!("on purpose") });
    let (_probes, handles) = busy(&pool, 1);
    pool.spawn_n(async {});
    handles[0].abort();
    hand.run();
    assert!(pool.tasks().is_empty() && pool.is_empty());
    let failed: Result<(), _> = block_on(failed);
    assert!(failed.unwrap_err().is_panic());
}

/// test_pool.py: test_gather_and_close
///
/// It waits for those that wait too, and a task that failed is no reason to fail or to stay open.
#[test]
fn a_shutdown_closes_at_once_and_waits_for_everything() {
    let (hand, pool) = Hand::pool(1);
    let (probes, handles) = busy(&pool, 2);
    let failing = pool.spawn_n(async { panic!("on purpose") });
    let mut shutdown = pin!(pool.shutdown(Shutdown::Drain));
    assert_pending!(shutdown);
    assert!(pool.is_closed());
    probes[0].end();
    hand.run();
    assert_pending!(shutdown);
    probes[1].end();
    hand.run();
    assert!(poll_once(shutdown.as_mut()).is_ready());
    assert!(handles.iter().all(JoinHandle::is_finished) && failing.is_finished());
    assert!(pool.is_empty());
}

/// test_pool.py: test_until_closed
///
/// It returns nothing, where theirs returns the flag.
#[test]
fn closed_returns_when_the_pool_is_closed_and_at_once_after_that() {
    let (hand, pool) = Hand::pool(1);
    let (probes, _handles) = busy(&pool, 1);
    let mut closed = pin!(pool.closed());
    assert_pending!(closed);
    probes[0].end();
    hand.run();
    assert_pending!(closed);
    block_on(pool.shutdown(Shutdown::Drain));
    assert!(poll_once(closed.as_mut()).is_ready());
    block_on(pool.closed());
}

// Many tasks.

/// test_pool.py: test__apply_spawner, test__start_num
#[test]
fn apply_starts_so_many_one_by_one_as_permits_free() {
    let (hand, pool) = Hand::pool(1);
    let probes = Probe::several(3);
    let mut next = probes.iter();
    let handles = pool.apply(3, || next.next().unwrap().task(()));
    for (started, probe) in probes.iter().enumerate() {
        hand.run();
        assert_eq!(
            probes.iter().filter(|probe| probe.has_started()).count(),
            started + 1
        );
        probe.end();
    }
    hand.run();
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert!(pool.apply(0, || async {}).is_empty());
}

/// test_pool.py: test__apply_spawner
///
/// They log that a coroutine could not be made and go on with the next. Here a panic of the function is the caller's,
/// and what was submitted before it runs.
#[test]
fn a_function_that_cannot_make_a_future_fails_the_call_and_not_the_tasks_before() {
    let (hand, pool) = Hand::pool(1);
    let made = Cell::new(0);
    let make = || {
        made.set(made.get() + 1);
        assert_ne!(made.get(), 2, "on purpose");
        async {}
    };
    let call = catch_unwind(AssertUnwindSafe(|| pool.apply(3, make)));
    assert!(call.is_err());
    hand.run();
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.completed), (1, 1));
}

/// test_pool.py: test__apply_spawner, test__start_num
#[test]
fn a_start_that_is_given_up_drops_its_future_unpolled_and_takes_no_permit() {
    let (hand, pool) = Hand::pool(1);
    let (probes, _handles) = busy(&pool, 1);
    let unwanted = Probe::new();
    let mut start = Box::pin(pool.spawn(unwanted.task(())));
    assert_pending!(start);
    drop(start);
    assert!(unwanted.is_dropped() && !unwanted.has_started());
    probes[0].end();
    hand.run();
    assert!(pool.is_empty() && !unwanted.has_started());
}

/// test_pool.py: test__queue_consumer
///
/// A future that fails is a result in its place. That of theirs which cannot even be made is logged and skipped; here
/// the panic of the closure is the caller's, see `asyncio_taskpool_bugs`, T18.
#[test]
fn a_failing_item_is_an_error_in_its_place_and_the_map_goes_on() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let results = pool.map([1, 0, 2], |n| async move { 10 / n }).await;
        let values: Vec<_> = results.into_iter().map(Result::ok).collect();
        assert_eq!(values, [Some(10), None, Some(5)]);
    });
}

/// test_pool.py: test__queue_consumer
#[test]
fn a_map_that_is_given_up_leaves_the_remaining_items_alone() {
    let (hand, pool) = Hand::pool(1);
    let probes = Probe::several(4);
    let mut items = probes.iter();
    let mut map = Box::pin(pool.map(&mut items, |probe| probe.task(())));
    assert_pending!(map);
    hand.run();
    drop(map);
    hand.run();
    assert!(pool.is_empty());
    assert_eq!(items.len(), 2, "one ran and one waited for a permit");
    assert!(probes[1].is_dropped() && !probes[1].has_started());
}

/// test_pool.py: test_map, test_starmap, test_doublestarmap
/// test_helpers.py: test_star_function
///
/// One verb: the closure takes its item apart as it likes.
#[test]
fn one_value_several_or_named_ones_are_all_one_item() {
    struct Named {
        left: i32,
        right: i32,
    }
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let add = |left: i32, right: i32| async move { left + right };
        let one = pool.map([1, 2], |n| add(n, n)).await;
        let two = pool
            .map([(1, 2), (3, 4)], |(left, right)| add(left, right))
            .await;
        let items = [Named { left: 5, right: 6 }];
        let named = pool
            .map(items, |Named { left, right }| add(left, right))
            .await;
        let results = one.into_iter().chain(two).chain(named);
        let sums: Vec<i32> = results.map(Result::unwrap).collect();
        assert_eq!(sums, [2, 4, 3, 7, 11]);
    });
}

// Groups.

/// test_pool.py: test_get_group_ids
/// test_group_register.py: test_init, test___contains__, test___iter__, test___len__, test_add
///
/// Theirs goes on listing the numbers of ended tasks.
#[test]
fn a_group_lists_the_tasks_that_it_has() {
    let (hand, pool) = Hand::pool(4);
    let group = pool.group("images", 2).unwrap();
    assert!(group.is_empty() && group.tasks().is_empty());
    pool.spawn_n(Probe::new().task(()));
    let (probes, _handles) = busy(&group, 3);
    assert_eq!((ids(&group), group.len()), (vec![1, 2, 3], 3));
    assert_eq!(ids(&pool), [0, 1, 2, 3]);
    hand.run();
    probes[0].end();
    hand.run();
    assert_eq!((ids(&group), group.len()), (vec![2, 3], 2));
    assert!(pool.find_group("texts").is_none());
}

/// test_pool.py: test__start_task
#[test]
fn a_task_of_a_group_takes_a_permit_of_both_and_is_listed_with_it() {
    let (_hand, pool) = Hand::pool(3);
    let group = pool.group("images", 1).unwrap();
    let (_probes, _handles) = busy(&group, 2);
    assert_eq!((group.active(), group.waiting()), (1, 1));
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    assert_eq!(pool.tasks()[0].group.as_deref(), Some("images"));
}

/// test_group_register.py: test_discard
///
/// A number that the group does not have is told, and not passed over.
#[test]
fn a_group_does_not_stop_the_tasks_of_others() {
    let (hand, pool) = Hand::pool(3);
    let group = pool.group("images", 2).unwrap();
    let outside = pool.spawn_n(Probe::new().task(()));
    let inside = group.spawn_n(Probe::new().task(()));
    hand.run();
    assert!(group.abort([inside.id(), outside.id()]).is_err());
    assert_eq!(group.abort([inside.id()]), Ok(1));
    hand.run();
    assert_eq!(ids(&pool), [0]);
}

/// test_group_register.py: test_acquire, test_release, test_contextmanager
///
/// Nobody has to lock a group to look at it. One of size 1 is itself such a lock.
#[test]
fn a_group_of_size_one_is_a_lock_that_is_held_while_its_task_lives() {
    let (hand, pool) = Hand::pool(4);
    let lock = pool.group("lock", 1).unwrap();
    let (probes, handles) = busy(&lock, 3);
    hand.run();
    assert!(probes[0].has_started() && !probes[1].has_started());
    probes[0].end();
    hand.run();
    assert!(probes[1].has_started() && !probes[2].has_started());
    handles[1].abort();
    hand.run();
    assert!(probes[2].has_started());
}

/// test_group_register.py: test_acquire, test_release, test_contextmanager
/// test_queue_context.py: test_contextmanager
#[test]
fn a_permit_is_held_exactly_as_long_as_it_lives() {
    let (_hand, pool) = Hand::pool(4);
    let lock = pool.group("lock", 1).unwrap();
    let permit = block_on(lock.acquire());
    let mut next = Box::pin(lock.acquire());
    assert_pending!(next);
    assert!(lock.is_full() && !pool.is_full());
    drop(permit);
    let next = block_on(next);
    assert_eq!((lock.active(), pool.active()), (1, 1));
    drop(next);
    assert_eq!((lock.active(), pool.active()), (0, 0));
}

/// test_pool.py: test__cancel_group_meta_tasks
#[test]
fn what_waits_in_a_cancelled_group_never_starts() {
    let (hand, pool) = Hand::pool(1);
    let (first, _first_handles) = busy(&pool, 1);
    let group = pool.group("images", 2).unwrap();
    let (probes, _handles) = busy(&group, 4);
    assert_eq!(group.abort_all(), 4);
    assert!(probes.iter().all(Probe::is_dropped) && group.is_empty());
    first[0].end();
    hand.run();
    assert!(!probes.iter().any(Probe::has_started) && pool.is_empty());
}

/// test_pool.py: test__cancel_and_remove_all_from_group
#[test]
fn cancelling_a_group_takes_the_waiting_first_and_passes_over_the_ended() {
    let (hand, pool) = Hand::pool(4);
    let group = pool.group("images", 1).unwrap();
    let (probes, _handles) = busy(&group, 3);
    hand.run();
    probes[0].end();
    hand.run();
    let mut cancel = pin!(group.cancel_all());
    assert_pending!(cancel);
    assert_eq!((group.active(), group.waiting()), (1, 0));
    hand.run();
    assert_eq!(block_on(cancel), 2);
    assert!(probes[1].is_dropped() && !probes[2].has_started());
}

/// test_pool.py: test_cancel_group
///
/// A group is forgotten when nobody has a handle to it and no task is in it, be it cancelled or not.
#[test]
fn a_cancelled_group_is_forgotten_with_its_last_handle_and_others_go_on() {
    let (hand, pool) = Hand::pool(4);
    let other = pool.group("texts", 1).unwrap();
    let (others, _other_handles) = busy(&other, 1);
    let (probes, handles) = busy(&pool.group("images", 2).unwrap(), 3);
    hand.run();
    assert!(pool.find_group("videos").is_none());
    assert_eq!(pool.find_group("images").unwrap().abort_all(), 3);
    hand.run();
    assert!(probes.iter().all(Probe::is_dropped) && !others[0].is_dropped());
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert!(pool.find_group("images").is_none());
    assert_eq!(pool.group("images", 7).unwrap().size(), 7);
}

/// test_pool.py: test_cancel_all
///
/// It takes no message, and all that wait go before any that run, in whichever group.
#[test]
fn all_are_cancelled_in_every_group_and_the_pool_takes_newcomers() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let groups = ["a", "b"].map(|name| pool.group(name, 1).unwrap());
        let mut handles = pool.map_n(0..3, |_| pending::<()>());
        for group in &groups {
            handles.extend(group.map_n(0..3, |_| pending()));
        }
        assert_eq!(pool.cancel_all().await, 9);
        for handle in handles {
            assert!(handle.await.unwrap_err().is_cancelled());
        }
        assert_eq!(groups[0].exec(async { 1 }).await.unwrap(), 1);
        assert_eq!(pool.exec(async { 2 }).await.unwrap(), 2);
    });
}

/// test_pool.py: test__generate_group_name, test_apply, test__map
///
/// No call makes a group by itself, so that no name is made up: who wants one names it, and then a name that is taken
/// is refused. `keyed` is for those who do not mind.
#[test]
fn a_name_that_is_taken_is_refused_until_its_group_is_gone() {
    let (_hand, pool) = Hand::pool(2);
    let group = pool.group("images", 2).unwrap();
    let taken = pool.group("images", 1).unwrap_err();
    assert_eq!(taken, GroupError::AlreadyExists("images".into()));
    assert_eq!(pool.keyed("images", 1).size(), 2);
    assert_eq!((group.name(), pool.groups().len()), ("images", 1));
    drop(group);
    assert!(pool.groups().is_empty());
    assert_eq!(pool.group("images", 1).unwrap().size(), 1);
}

/// test_pool.py: test__map
#[test]
fn nothing_at_once_is_refused_in_words() {
    let (_hand, pool) = Hand::pool(2);
    assert_eq!(pool.group("none", 0).unwrap_err(), GroupError::ZeroSize);
    assert!(pool.find_group("none").is_none());
}

/// test_pool.py: test__get_map_end_callback
#[test]
fn a_task_of_a_group_that_ends_makes_room_there_and_calls_back() {
    let (hand, pool) = Hand::pool(4);
    let group = pool.group("images", 1).unwrap();
    let (log, probe, next) = (Log::default(), Probe::new(), Probe::new());
    noted(group.task(probe.task(())), &log).spawn_n();
    group.spawn_n(next.task(()));
    hand.run();
    probe.end();
    hand.run();
    assert!(next.has_started());
    assert_eq!(*log.lock().unwrap(), ["0 ended"]);
}

/// test_pool.py: test__queue_consumer
///
/// How many of a call run at once is the size of the group that it is made with, and the default is that of the pool.
#[test]
fn no_more_of_a_map_run_at_once_than_its_group_has_room_for() {
    let (hand, pool) = Hand::pool(8);
    let group = pool.group("map", 2).unwrap();
    let probes = Probe::several(4);
    let mut items = probes.iter();
    let mut map = pin!(group.map(&mut items, |probe| probe.task(())));
    assert_pending!(map);
    hand.run();
    let started = || probes.iter().filter(|probe| probe.has_started()).count();
    assert_eq!((started(), group.waiting()), (2, 1), "one is read ahead");
    probes[1].end();
    hand.run();
    assert_pending!(map);
    assert_eq!((started(), group.waiting()), (3, 1));
    let _others = busy(&pool, 6);
    assert_eq!(pool.active(), 8);
}

// A fixed function.

fn copies(size: usize) -> (Hand, SimpleTaskPool<impl FnMut() -> Pending<()>>) {
    let (hand, pool) = Hand::pool(size);
    (hand, SimpleTaskPool::new(pool, pending))
}

fn numbers(ids: Vec<TaskId>) -> Vec<u64> {
    ids.into_iter().map(TaskId::get).collect()
}

/// test_pool.py: test_init (SimpleTaskPool)
///
/// Arguments and callbacks are what the closure catches.
#[test]
fn a_fixed_function_is_kept_and_not_called_before_a_start() {
    let (hand, pool) = Hand::pool(2);
    let called = Arc::new(AtomicUsize::new(0));
    let inside = called.clone();
    let copies = SimpleTaskPool::new(pool, move || {
        inside.fetch_add(1, SeqCst);
        async {}
    });
    assert_eq!(
        (called.load(SeqCst), copies.running(), copies.pool().size()),
        (0, 0, 2)
    );
    copies.start(3);
    hand.run();
    assert_eq!((called.load(SeqCst), copies.running()), (3, 0));
    assert_eq!(copies.pool().stats().completed, 3);
}

/// test_pool.py: test__start_num
///
/// They log that a coroutine could not be made, and go on with the next.
#[test]
fn a_fixed_function_that_fails_fails_the_start_and_not_the_copies_before() {
    let (hand, pool) = Hand::pool(1);
    let mut made = 0;
    let copies = SimpleTaskPool::new(pool, move || {
        made += 1;
        assert_ne!(made, 2, "on purpose");
        async {}
    });
    assert!(catch_unwind(AssertUnwindSafe(|| copies.start(3))).is_err());
    assert_eq!(numbers(copies.start(1)), [1]);
    hand.run();
    assert_eq!(copies.pool().stats().completed, 2);
}

/// test_pool.py: test_start
///
/// It returns the numbers of the tasks, where theirs makes a group of each call and returns its name.
#[test]
fn each_start_returns_the_numbers_of_what_it_started() {
    let (_hand, copies) = copies(4);
    assert_eq!(numbers(copies.start(2)), [0, 1]);
    assert_eq!(numbers(copies.start(1)), [2]);
    assert!(copies.start(0).is_empty());
    assert_eq!(copies.running(), 3);
}

/// test_pool.py: test_stop
///
/// Theirs does not touch those that wait for room.
#[test]
fn the_newest_are_stopped_first_and_those_that_wait_before_them() {
    let (hand, copies) = copies(3);
    copies.start(5);
    hand.run();
    assert_eq!(numbers(copies.stop(3)), [4, 3, 2]);
    hand.run();
    assert_eq!(ids(copies.pool()), [0, 1]);
    assert!(copies.stop(0).is_empty());
    assert_eq!(numbers(copies.stop(9)), [1, 0]);
    hand.run();
    assert_eq!(copies.running(), 0);
}

/// test_pool.py: test_stop_all
///
/// Theirs lets those that waited start instead.
#[test]
fn stop_all_stops_those_that_wait_too() {
    let (hand, copies) = copies(2);
    copies.start(4);
    hand.run();
    assert_eq!(numbers(copies.stop_all()), [3, 2, 1, 0]);
    hand.run();
    assert!(copies.pool().is_empty() && copies.stop_all().is_empty());
    assert_eq!(copies.pool().stats().started, 2);
}

// Queues and callbacks.

/// test_queue_context.py: test_item_processed
///
/// There is no queue apart from the pool's own, and its length is what is not done yet.
#[test]
fn each_task_that_ends_is_one_less_to_do() {
    let (hand, pool) = Hand::pool(2);
    let (probes, _handles) = busy(&pool, 3);
    for (ended, probe) in probes.iter().enumerate() {
        hand.run();
        assert_eq!(pool.len(), 3 - ended);
        probe.end();
    }
    hand.run();
    assert!(pool.is_empty());
}

/// test_queue_context.py: test_contextmanager
#[test]
fn an_item_counts_as_done_when_its_task_has_ended_in_whatever_way_and_not_before() {
    let (hand, pool) = Hand::pool(1);
    let stopped = Probe::new();
    pool.spawn_n(async { panic!("on purpose") });
    let handle = pool.spawn_n(stopped.task(()));
    let mut done = pin!(pool.join());
    hand.run();
    assert_eq!(pool.len(), 1);
    assert_pending!(done);
    handle.abort();
    assert_pending!(done);
    hand.run();
    assert!(poll_once(done.as_mut()).is_ready());
}

/// test_helpers.py: test_execute_optional
#[test]
fn a_callback_may_be_missing_a_function_or_a_future() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        assert_eq!(pool.task(async { 1 }).exec().await.unwrap(), 1);
        let (send, called) = futures::channel::oneshot::channel();
        let told = pool.task(async { 2 }).on_end(|id| send.send(id).unwrap());
        assert_eq!(told.exec().await.unwrap(), 2);
        assert_eq!(called.await.unwrap().get(), 1);
        let awaited = pool
            .task(async { 3 })
            .then(|three| async move { three.unwrap() + 1 });
        assert_eq!(awaited.exec().await.unwrap(), 4);
    });
}

/// test_helpers.py: test_return_or_exception
#[test]
fn an_error_is_a_result_like_a_value() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let handles = pool.map_n([2, 0], |n| async move { 2 / n });
        let waited = aiopool::wait(handles, ReturnWhen::AllCompleted, None).await;
        let mut done = waited.done;
        done.sort_by_key(|(place, _)| *place);
        assert_eq!(*done[0].1.as_ref().unwrap(), 1);
        assert!(done[1].1.as_ref().unwrap_err().is_panic());
    });
}
