//! An observer captures something at the submission of each task, and is entered around its polls.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::{
    AioPool, Ended, Observer, SimpleTaskPool, Submission, TaskInfo, TaskScope, TaskView,
};
use futures::{FutureExt, StreamExt, stream};

use crate::support::{Hand, Probe, on_every_runtime, on_tokio, yield_now};

thread_local!(static WITHIN: Cell<u32> = const { Cell::new(0) });

/// How many scopes of a [`Recorder`] the thread is in.
fn depth() -> u32 {
    WITHIN.get()
}

type Log = Arc<Mutex<Vec<String>>>;

/// Captures a scope for each task, which writes down what it is called for.
#[derive(Clone, Default)]
struct Recorder(Log);

impl Recorder {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn count(&self, what: &str) -> usize {
        let log = self.0.lock().unwrap();
        log.iter().filter(|line| line.contains(what)).count()
    }
}

impl Observer for Recorder {
    fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        assert!(!task.pool().is_empty() && task.pool() != "g");
        let line = format!(
            "capture {:?} in {:?}, awaited: {}",
            task.own_name(),
            task.group(),
            task.is_awaited()
        );
        self.0.lock().unwrap().push(line);
        Some(Arc::new(Recording(self.0.clone(), Mutex::default())))
    }
}

/// Checks that what is called for one task is in order, and entered on the thread that calls the closure.
struct Recording(Log, Mutex<Vec<&'static str>>);

impl Recording {
    fn note(&self, what: &'static str, task: &TaskView<'_>) {
        self.1.lock().unwrap().push(what);
        let line = format!("{what} {}", task.name());
        self.0.lock().unwrap().push(line);
    }

    fn enter(call: &mut dyn FnMut()) {
        WITHIN.set(WITHIN.get() + 1);
        call();
        WITHIN.set(WITHIN.get() - 1);
    }
}

impl TaskScope for Recording {
    fn on_wait(&self, task: &TaskView<'_>) {
        let line = format!("wait {}", task.name());
        self.0.lock().unwrap().push(line);
    }

    fn on_start(&self, task: &TaskView<'_>) {
        assert!(task.ran().is_some());
        self.note("start", task);
    }

    fn poll(&self, task: &TaskView<'_>, poll: &mut dyn FnMut()) {
        self.note("poll", task);
        Self::enter(poll);
    }

    fn on_lend(&self, task: &TaskView<'_>) {
        let line = format!("out {}", task.name());
        self.0.lock().unwrap().push(line);
    }

    fn on_return(&self, task: &TaskView<'_>) {
        let line = format!("back {}", task.name());
        self.0.lock().unwrap().push(line);
    }

    fn drop_future(&self, task: &TaskView<'_>, drop: &mut dyn FnMut()) {
        self.note("drop", task);
        Self::enter(drop);
    }

    fn on_end(&self, task: &TaskView<'_>, ended: Ended) {
        self.note("end", task);
        let mut calls = self.1.lock().unwrap().clone();
        calls.dedup();
        let started = ["start", "poll", "drop", "end"];
        let unstarted = ["drop", "end"];
        assert!(calls == started || calls == unstarted, "{calls:?}");
        assert_eq!(calls == started, task.ran().is_some(), "{ended:?}");
    }

    fn item(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        let log = self.0.clone();
        Some(Arc::new(Self(log, Mutex::default())))
    }
}

fn recorded(size: usize) -> (Hand, Recorder, AioPool) {
    let (hand, recorder) = (Hand::default(), Recorder::default());
    let builder = hand.builder().name("p").size(size);
    let pool = builder.observer(recorder.clone()).build().unwrap();
    (hand, recorder, pool)
}

/// Tells in its destructor how many scopes it is in.
struct Dropped(Arc<Mutex<Option<u32>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = Some(depth());
    }
}

#[test]
fn a_scope_is_entered_around_each_poll_and_the_drop_of_the_future() {
    let (hand, recorder, pool) = recorded(1);
    let at_drop = Arc::default();
    let guard = Dropped(Arc::clone(&at_drop));
    let task = pool.spawn_n(async move {
        let _guard = guard;
        assert_eq!(depth(), 1);
        yield_now().await;
        depth()
    });
    hand.run();
    assert_eq!(task.now_or_never().unwrap().unwrap(), 1);
    assert_eq!(*at_drop.lock().unwrap(), Some(1));
    let capture = "capture None in None, awaited: false";
    let rest = ["start p-0", "poll p-0", "poll p-0", "drop p-0", "end p-0"];
    let all = recorder.take();
    assert_eq!(all[0], capture);
    assert_eq!(all[all.len() - 5..], rest);
    assert_eq!(depth(), 0);
}

#[test]
fn a_task_that_never_starts_has_its_future_dropped_in_its_scope() {
    let (hand, recorder, pool) = recorded(1);
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    hand.run();
    recorder.take();
    let at_drop = Arc::default();
    let guard = Dropped(Arc::clone(&at_drop));
    let waiting = pool.spawn_n(async move { drop(guard) });
    waiting.abort();
    let rest = ["wait p-1", "drop p-1", "end p-1"];
    assert_eq!(recorder.take()[1..], rest);
    assert_eq!(*at_drop.lock().unwrap(), Some(1));
    pool.close();
    pool.spawn_n(async {});
    assert_eq!(recorder.take()[1..], ["drop p-2", "end p-2"]);
}

#[test]
fn a_try_spawn_that_gives_its_future_back_drops_the_scope_uncalled() {
    let (hand, recorder, pool) = recorded(1);
    pool.spawn_n(std::future::pending::<()>());
    hand.run();
    recorder.take();
    assert!(pool.try_spawn(async {}).is_err());
    assert_eq!(recorder.take().len(), 1, "captured, and nothing else");
    assert_eq!(
        Arc::strong_count(&recorder.0),
        3,
        "ours, the pool's, and that of the first"
    );
}

async fn ready<T>(_: T) -> u32 {
    depth()
}

#[test]
fn every_verb_captures_once_for_each_task_and_enters_its_polls() {
    on_every_runtime(|pools| async move {
        let recorder = Recorder::default();
        let observed = |builder: aiopool::Builder| builder.size(2).observer(recorder.clone());
        let pool = observed(pools.builder()).build().unwrap();
        let group = pool.group("g", 1).unwrap();

        assert_eq!(pool.spawn(ready(())).await.await.unwrap(), 1);
        assert_eq!(pool.spawn_n(ready(())).await.unwrap(), 1);
        assert_eq!(pool.exec(ready(())).await.unwrap(), 1);
        assert_eq!(group.exec(ready(())).await.unwrap(), 1);
        assert_eq!(pool.task(ready(())).name("n").exec().await.unwrap(), 1);
        assert_eq!(recorder.count("capture"), 5);
        assert_eq!(recorder.count("awaited: false"), 1);
        assert_eq!(recorder.count("capture Some(\"n\") in None"), 1);
        assert_eq!(recorder.count("in Some(\"g\")"), 1);

        recorder.take();
        let two = |depths: Vec<Result<u32, _>>| {
            assert_eq!(depths.into_iter().map(Result::unwrap).sum::<u32>(), 2);
        };
        two(pool.map(0..2, ready).await);
        two(pool.itermap(0..2, ready).collect().await);
        two(pool
            .itermap_stream(stream::iter(0..2), ready)
            .collect()
            .await);
        let fine = |_| async { Ok::<_, ()>(depth()) };
        assert_eq!(pool.try_map(0..2, fine).await.unwrap(), [1, 1]);
        assert_eq!(recorder.count("awaited: true"), 8);
        for handle in pool.map_n(0..2, ready) {
            assert_eq!(handle.await.unwrap(), 1);
        }
        assert_eq!(recorder.count("awaited: false"), 2);

        recorder.take();
        assert_eq!(pool.spawn_blocking(depth).await.unwrap(), 1);
        let then = pool
            .task(ready(()))
            .then(|before| async move { (before.unwrap(), depth()) });
        assert_eq!(then.exec().await.unwrap(), (1, 1));
        pool.scope(async |tasks| _ = tasks.spawn_n(ready(()))).await;
        SimpleTaskPool::new(pool.clone(), move || ready(())).start(1);
        pool.join().await;
        assert_eq!(recorder.count("capture"), 4);
        assert_eq!(recorder.count("end"), 4);

        recorder.take();
        let in_place = pool.run(async { depth() }).await;
        assert_eq!((in_place, recorder.take().len()), (0, 0), "it is no task");
    });
}

#[test]
fn a_scope_is_told_before_the_permit_is_lent_and_when_it_is_back() {
    let (hand, recorder, pool) = recorded(1);
    let inner = pool.clone();
    let outer = pool.spawn_n(async move { inner.exec(ready(())).await.unwrap() });
    hand.run();
    assert_eq!(outer.now_or_never().unwrap().unwrap(), 1);
    let log = recorder.take();
    let lent = log.iter().position(|line| line == "out p-0").unwrap();
    let rest = [
        "out p-0",
        "start p-1",
        "poll p-1",
        "drop p-1",
        "end p-1",
        "back p-0",
        "poll p-0",
        "drop p-0",
        "end p-0",
    ];
    assert_eq!(log[lent..], rest);
}

#[test]
fn a_scope_is_not_told_that_the_permit_is_back_before_it_is() {
    let (hand, recorder, pool) = recorded(1);
    let probe = Probe::new();
    let lends = pool.task(aiopool::lend(async {
        yield_now().await;
        yield_now().await;
    }));
    let lends = lends.spawn_n();
    pool.spawn_n(probe.task(()));
    hand.run();
    assert_eq!(recorder.count("out p-0"), 1);
    assert!(recorder.count("poll p-0") > 1, "polled inside of `lend`");
    assert_eq!(recorder.count("back"), 0);
    probe.end();
    hand.run();
    assert_eq!(recorder.count("back p-0"), 1);
    assert!(lends.now_or_never().unwrap().is_ok());
}

#[test]
fn a_task_that_ends_while_it_lends_is_not_told_that_its_permit_is_back() {
    let (hand, recorder, pool) = recorded(1);
    let lends = pool.spawn_n(aiopool::lend(std::future::pending::<()>()));
    hand.run();
    lends.abort();
    hand.run();
    let log = recorder.take();
    assert_eq!(log[log.len() - 3..], ["out p-0", "drop p-0", "end p-0"]);
}

#[test]
fn all_tries_of_a_task_are_in_one_scope() {
    on_tokio(async {
        let recorder = Recorder::default();
        let builder = AioPool::builder().size(1).observer(recorder.clone());
        let pool = builder.build().unwrap();
        let tries = pool.task_fn(|attempt| async move {
            let result = if attempt < 3 { Err } else { Ok };
            result(depth())
        });
        let delays = [Duration::from_millis(1); 3];
        assert_eq!(tries.retry(delays).exec().await.unwrap(), Ok(1));
        assert_eq!((recorder.count("capture"), recorder.count("end")), (1, 1));
        assert!(recorder.count("poll") >= 3);
    });
}

#[test]
fn a_feed_is_captured_once_and_each_item_has_a_scope_of_its_own() {
    let (hand, recorder, pool) = recorded(2);
    let depths = Arc::new(Mutex::new(Vec::new()));
    let seen = depths.clone();
    drop(pool.feed(0..3, move |_| {
        let seen = seen.clone();
        async move { seen.lock().unwrap().push(depth()) }
    }));
    hand.run();
    assert_eq!(*depths.lock().unwrap(), [1, 1, 1]);
    assert_eq!((recorder.count("capture"), recorder.count("end")), (1, 3));
}

/// Fails in the way that the field says.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Rude {
    PanicsInCapture,
    PanicsBefore,
    PanicsAfter,
    NeverCalls,
    CallsTwice,
    PanicsInItsDrop,
}

impl Observer for Rude {
    fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        assert!(*self != Self::PanicsInCapture, "an observer may panic too");
        Some(Arc::new(RudeScope(*self)))
    }
}

struct RudeScope(Rude);

impl RudeScope {
    fn enter(&self, call: &mut dyn FnMut()) {
        match self.0 {
            Rude::PanicsBefore => panic!("a scope may panic too"),
            Rude::PanicsAfter => {
                call();
                panic!("a scope may panic too");
            }
            Rude::NeverCalls => {}
            Rude::CallsTwice => {
                call();
                call();
            }
            Rude::PanicsInCapture | Rude::PanicsInItsDrop => call(),
        }
    }
}

impl TaskScope for RudeScope {
    fn on_start(&self, _: &TaskView<'_>) {
        assert!(self.0 != Rude::PanicsBefore, "a scope may panic too");
    }

    fn poll(&self, _: &TaskView<'_>, poll: &mut dyn FnMut()) {
        self.enter(poll);
    }

    fn drop_future(&self, _: &TaskView<'_>, drop: &mut dyn FnMut()) {
        self.enter(drop);
    }

    fn on_end(&self, _: &TaskView<'_>, _: Ended) {
        assert!(self.0 != Rude::PanicsAfter, "a scope may panic too");
    }
}

impl Drop for RudeScope {
    fn drop(&mut self) {
        assert!(self.0 != Rude::PanicsInItsDrop, "a scope may panic too");
    }
}

#[test]
fn a_rude_scope_neither_loses_a_task_nor_polls_it_twice() {
    let all = [
        Rude::PanicsInCapture,
        Rude::PanicsBefore,
        Rude::PanicsAfter,
        Rude::NeverCalls,
        Rude::CallsTwice,
        Rude::PanicsInItsDrop,
    ];
    for rude in all {
        let hand = Hand::default();
        let pool = hand.builder().size(1).observer(rude).build().unwrap();
        let polls = Arc::new(Mutex::new(0));
        let counted = polls.clone();
        let task = pool.spawn_n(async move {
            *counted.lock().unwrap() += 1;
            yield_now().await;
            *counted.lock().unwrap() += 1;
            7
        });
        let failing = pool.spawn_n(async { panic!("oh") });
        let aborted = pool.task(async {}).name("n").spawn_n();
        aborted.abort();
        let refused = pool.try_spawn(async {});
        assert!(refused.is_err(), "{rude:?}");
        let feed = pool.feed(0..3, |_| async {});
        hand.run();
        assert_eq!(task.now_or_never().unwrap().unwrap(), 7, "{rude:?}");
        assert_eq!(*polls.lock().unwrap(), 2, "{rude:?}");
        let error = failing.now_or_never().unwrap().unwrap_err();
        assert_eq!(error.panic_message(), Some("oh"), "{rude:?}");
        assert!(aborted.now_or_never().unwrap().unwrap_err().is_cancelled());
        assert_eq!(feed.now_or_never().unwrap().completed, 3, "{rude:?}");
        assert!(pool.is_empty(), "{rude:?}");
    }
}

/// Looks at the pool from inside of each method, which would wait for ever if the pool were locked.
#[derive(Clone, Default)]
struct Curious(Arc<Mutex<Option<AioPool>>>, Arc<AtomicBool>);

impl Curious {
    fn look(&self) {
        if let Some(pool) = &*self.0.lock().unwrap() {
            assert!(pool.stats().submitted < 100 && pool.tasks().len() < 100);
            self.1.store(true, Relaxed);
        }
    }
}

impl Observer for Curious {
    fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        self.look();
        Some(Arc::new(self.clone()))
    }
}

impl TaskScope for Curious {
    fn on_wait(&self, _: &TaskView<'_>) {
        self.look();
    }

    fn on_start(&self, _: &TaskView<'_>) {
        self.look();
    }

    fn poll(&self, _: &TaskView<'_>, poll: &mut dyn FnMut()) {
        self.look();
        poll();
    }

    fn drop_future(&self, _: &TaskView<'_>, drop: &mut dyn FnMut()) {
        self.look();
        drop();
    }

    fn on_end(&self, _: &TaskView<'_>, _: Ended) {
        self.look();
    }

    fn item(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        Some(Arc::new(Looks(self.clone())))
    }
}

/// Looks at the pool when it is dropped.
struct Looks(Curious);

impl TaskScope for Looks {}

impl Drop for Looks {
    fn drop(&mut self) {
        self.0.look();
    }
}

#[test]
fn no_lock_is_held_while_a_scope_is_called_or_dropped() {
    let (hand, curious) = (Hand::default(), Curious::default());
    let builder = hand.builder().size(1).observer(curious.clone());
    let pool = builder.build().unwrap();
    *curious.0.lock().unwrap() = Some(pool.clone());
    for _ in 0..3 {
        pool.spawn_n(async {});
        pool.task(async {}).name("n").spawn_n();
    }
    drop(pool.feed(0..3, |_| async {}));
    pool.spawn_n(async {}).abort();
    hand.run();
    pool.spawn_n(std::future::pending::<()>());
    pool.spawn_n(async {});
    hand.run();
    drop(pool.try_spawn(async {}));
    pool.abort_all();
    hand.drop_workers();
    pool.close();
    pool.spawn_n(async {});
    *curious.0.lock().unwrap() = None;
    assert!(curious.1.load(Relaxed));
}

/// Hears of starts in both ways.
struct Second(Recorder);

impl Observer for Second {
    fn on_start(&self, task: &TaskInfo) {
        self.0.0.lock().unwrap().push(format!("told {}", task.name));
    }

    fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        self.0.capture(task)
    }
}

#[test]
fn several_observers_are_all_told_and_their_scopes_stand_inside_each_other() {
    let (hand, first) = (Hand::default(), Recorder::default());
    let second = Recorder::default();
    let pool = hand
        .builder()
        .name("p")
        .observer(first.clone())
        .observer(Rude::NeverCalls)
        .observer(Second(second.clone()))
        .build()
        .unwrap();
    let task = pool.spawn_n(async { depth() });
    hand.run();
    assert_eq!(task.now_or_never().unwrap().unwrap(), 2);
    assert_eq!(first.count("poll"), 1);
    assert_eq!((second.count("poll"), second.count("told")), (1, 1));
    drop(pool.feed(0..2, |_| async { assert_eq!(depth(), 2) }));
    hand.run();
    assert_eq!((first.count("end"), second.count("end")), (3, 3));
    assert_eq!(pool.stats().completed, 3);
}

#[test]
fn two_observers_are_told_of_a_wait_and_of_a_lent_permit_from_the_outside_in_and_out_again() {
    let (hand, log) = (Hand::default(), Recorder::default());
    let pool = hand.builder().name("p").size(1);
    let pool = pool.observer(Named("outer", log.clone()));
    let pool = pool.observer(Named("inner", log.clone())).build().unwrap();
    let inside = pool.clone();
    pool.spawn_n(async move { inside.spawn_n(ready(())).await });
    hand.run();
    let expected = [
        "outer waits p-1",
        "inner waits p-1",
        "inner lends p-0",
        "outer lends p-0",
        "outer is back p-0",
        "inner is back p-0",
    ];
    assert_eq!(log.take(), expected);
}

/// Tells of waits and lent permits, with a name of its own.
#[derive(Clone)]
struct Named(&'static str, Recorder);

impl Named {
    fn note(&self, what: &str, task: &TaskView<'_>) {
        let line = format!("{} {what} {}", self.0, task.name());
        self.1.0.lock().unwrap().push(line);
    }
}

impl Observer for Named {
    fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        Some(Arc::new(self.clone()))
    }
}

impl TaskScope for Named {
    fn on_wait(&self, task: &TaskView<'_>) {
        self.note("waits", task);
    }

    fn on_lend(&self, task: &TaskView<'_>) {
        self.note("lends", task);
    }

    fn on_return(&self, task: &TaskView<'_>) {
        self.note("is back", task);
    }
}

#[test]
fn a_submission_says_where_it_comes_from() {
    /// The line, the priority, the weight, and whether there is a tag.
    type Seen = (u32, i32, usize, bool);
    #[derive(Clone, Default)]
    struct Where(Arc<Mutex<Vec<Seen>>>);
    impl Observer for Where {
        fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
            assert!(task.location().file().ends_with("observed_polls.rs"));
            assert_eq!(task.pool(), "p");
            let line = task.location().line();
            let seen = (line, task.priority(), task.weight(), task.tag().is_some());
            self.0.lock().unwrap().push(seen);
            None
        }
    }
    let (hand, places) = (Hand::default(), Where::default());
    let builder = hand.builder().name("p").size(1).observer(places.clone());
    let pool = builder.build().unwrap();
    let line = line!();
    pool.spawn_n(async {});
    pool.spawn_blocking(|| ());
    drop(pool.feed(0..1, |_| async {}));
    let task = pool.task(async {}).priority(3).tag(7);
    task.then(|_| async {}).spawn_n();
    pool.map_n(0..1, |_| async {});
    pool.apply(1, || async {});
    let exec = pool.exec(async {});
    let mut exec = std::pin::pin!(exec);
    assert!(exec.as_mut().now_or_never().is_none());
    let seen = places.0.lock().unwrap().clone();
    let lines: Vec<_> = seen.iter().map(|seen| seen.0 - line).collect();
    assert_eq!(lines, [1, 2, 3, 4, 6, 7, 8]);
    assert_eq!((seen[3].1, seen[3].2, seen[3].3), (3, 1, true));
    assert!(!seen[0].3);
    hand.run();
}

#[test]
fn the_outcome_is_told_before_the_handle_sees_it_with_the_times_of_the_task() {
    type Ends = Vec<(Ended, Option<Duration>)>;
    struct Times(Arc<Mutex<Ends>>);
    impl Observer for Times {
        fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
            Some(Arc::new(Self(self.0.clone())))
        }
    }
    impl TaskScope for Times {
        fn on_end(&self, task: &TaskView<'_>, ended: Ended) {
            let (ran, waited) = (task.ran(), task.waited());
            assert_eq!(
                (task.ran(), task.waited()),
                (ran, waited),
                "they stand still"
            );
            self.0.lock().unwrap().push((ended, ran));
        }
    }
    let (hand, ends) = (Hand::default(), Arc::new(Mutex::new(Vec::new())));
    let builder = hand.builder().size(1).observer(Times(ends.clone()));
    let pool = builder.build().unwrap();
    let slow = Duration::from_millis(20);
    let busy = hand.clone();
    pool.spawn_n(async move { busy.skip(slow) });
    pool.spawn_n(async {}).abort();
    hand.run();
    let ends = ends.lock().unwrap().clone();
    assert_eq!(ends[0], (Ended::Cancelled, None));
    assert_eq!(ends[1], (Ended::Completed, Some(slow)));
}
