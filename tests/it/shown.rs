//! What `{:?}` shows: the type, and what the pool knows. What users give to the pool need not be `Debug`.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::{
    FnSpawner, Observer, PoolStreamExt, ReturnWhen, SimpleTaskPool, Submission, TaskScope,
    TaskView, Tokio, Worker, current, iterwait, wait,
};
use futures::{FutureExt, Stream, stream};

use crate::support::Hand;

const SECOND: Duration = Duration::from_secs(1);

/// It has no `Debug`.
struct Opaque;

async fn opaque<T>(_: T) -> Opaque {
    Opaque
}

async fn failing(_: Opaque) -> Result<(), Opaque> {
    Err(Opaque)
}

fn inputs() -> impl Stream<Item = Result<Opaque, Opaque>> + Send + 'static {
    stream::iter([Ok(Opaque)])
}

#[test]
fn every_type_shows_its_name_whatever_it_holds() {
    let (hand, pool) = Hand::pool(2);
    let handle = pool.spawn_n(pending::<Opaque>());
    let waited = wait(
        Vec::from([pool.spawn_n(async { Opaque })]),
        ReturnWhen::AllCompleted,
        None,
    );
    hand.run();
    let permit = pool.try_acquire();
    let simple = SimpleTaskPool::new(pool.clone(), || async { Opaque });
    let refused = {
        let closed = pool.group("closed", 1).unwrap();
        closed.close();
        closed.try_spawn(async { Opaque }).err()
    };
    let shown = [
        ("AioPool", format!("{pool:?}")),
        ("Builder", format!("{:?}", hand.builder())),
        ("PermitBuilder", format!("{:?}", pool.permit())),
        ("Some(Permit", format!("{permit:?}")),
        ("TaskBuilder", format!("{:?}", pool.task(opaque(())))),
        (
            "TaskBuilder",
            format!("{:?}", pool.task_blocking(|| Opaque)),
        ),
        ("JoinHandle", format!("{handle:?}")),
        ("AbortHandle", format!("{:?}", handle.abort_handle())),
        ("AbortOnDrop", format!("{:?}", handle.abort_on_drop())),
        ("Feed", format!("{:?}", pool.feed([Opaque], opaque))),
        (
            "TryFeed",
            format!("{:?}", inputs().try_for_each_on(&pool, failing)),
        ),
        ("IterMap", format!("{:?}", pool.itermap([Opaque], opaque))),
        (
            "IterMap",
            format!("{:?}", stream::iter([Opaque]).map_on(&pool, opaque)),
        ),
        (
            "TryIterMap",
            format!("{:?}", inputs().try_map_on(&pool, failing)),
        ),
        (
            "IterWait",
            format!("{:?}", iterwait([pool.spawn_n(async { Opaque })])),
        ),
        ("Waited", format!("{:?}", waited.now_or_never().unwrap())),
        ("SimpleTaskPool", format!("{simple:?}")),
        ("Some(TrySpawnError", format!("{refused:?}")),
        ("FnSpawner", format!("{:?}", FnSpawner(|_: Worker| {}))),
        ("Tokio", format!("{:?}", Tokio::current())),
    ];
    for (name, shown) in shown {
        assert!(shown.starts_with(name), "{shown}");
    }
}

/// Keeps what it is shown.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<String>>>);

impl Observer for Shown {
    fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        self.0.lock().unwrap().push(format!("{task:?}"));
        Some(Arc::new(self.clone()))
    }
}

impl TaskScope for Shown {
    fn on_start(&self, task: &TaskView<'_>) {
        self.0.lock().unwrap().push(format!("{task:?}"));
    }
}

#[test]
fn what_an_observer_and_a_task_see_of_a_task_shows_its_name() {
    let (hand, shown) = (Hand::default(), Shown::default());
    let builder = hand.builder().name("p").observer(shown.clone());
    let pool = builder.build().unwrap();
    let inside = pool.task(async { format!("{:?}", current().unwrap()) });
    let inside = inside.name("t").spawn_n();
    hand.run();
    let inside = inside.now_or_never().unwrap().unwrap();
    let seen = shown.0.lock().unwrap().join("\n");
    assert!(
        inside.starts_with("Current {") && inside.contains(r#"name: "t""#),
        "{inside}"
    );
    let expected = [
        r#"Submission { pool: "p", group: None, name: Some("t"), .. }"#,
        "TaskView {",
    ];
    assert!(expected.iter().all(|part| seen.contains(part)), "{seen}");
}

#[test]
fn the_error_of_a_task_names_the_task_and_what_became_of_it() {
    let (hand, pool) = Hand::pool(1);
    let late = pool
        .task(pending::<()>())
        .name("t")
        .timeout(SECOND)
        .spawn_n();
    let never = pool
        .task(async {})
        .name("t")
        .wait_timeout(SECOND / 2)
        .spawn_n();
    hand.advance(2 * SECOND);
    let panics = pool.task(async { panic!("oh") }).name("t").spawn_n();
    let aborted = pool.task(pending::<()>()).name("t").spawn_n();
    hand.run();
    aborted.abort_with("enough");
    hand.run();
    pool.close();
    let refused = pool.task(async {}).name("t").spawn_n();
    let expected = [
        (late, "timed out while running", None),
        (never, "timed out while waiting", None),
        (panics, "panicked", None),
        (aborted, "was cancelled", Some("enough")),
        (refused, "was rejected", Some("the pool is closed")),
    ];
    for (task, what, reason) in expected {
        let error = task.now_or_never().unwrap().unwrap_err();
        let line = error.to_string();
        assert!(line.contains('t') && line.contains(what), "{line}");
        assert_eq!(error.reason(), reason, "{line}");
        assert_eq!(
            error.cancel_cause().is_some(),
            error.is_cancelled(),
            "{line}"
        );
        assert_eq!(format!("{error:?}"), format!("JoinError({line})"));
    }
}
