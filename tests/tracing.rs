//! The spans and events of the feature `tracing`, as a subscriber sees them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use aiopool::{AioPool, SpanParent, TracingObserver};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Instrument, Subscriber, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

type Fields = BTreeMap<&'static str, String>;

/// Writes down what happens to spans.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<Fields>>>);

impl Recorder {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

struct Read(Fields);

impl Visit for Read {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// What a span is called here: by its task, if it has one.
struct Name(String);

fn name<S: Subscriber + for<'a> LookupSpan<'a>>(context: &Context<'_, S>, id: &Id) -> String {
    let span = context.span(id).unwrap();
    let extensions = span.extensions();
    extensions.get::<Name>().unwrap().0.clone()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut read = Read(Fields::new());
        attributes.record(&mut read);
        let span = context.span(id).unwrap();
        let called = read.0.get("task.name").cloned();
        let called = called.unwrap_or_else(|| span.name().to_owned());
        let parent = span.parent().map(|parent| name(&context, &parent.id()));
        span.extensions_mut().insert(Name(called.clone()));
        self.note(format!(
            "{called}: new in {}",
            parent.as_deref().unwrap_or("nothing")
        ));
        self.1.lock().unwrap().push(read.0);
    }

    fn on_follows_from(&self, id: &Id, from: &Id, context: Context<'_, S>) {
        let (span, from) = (name(&context, id), name(&context, from));
        self.note(format!("{span}: follows from {from}"));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.note(format!("{}: enter", name(&context, id)));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.note(format!("{}: exit", name(&context, id)));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.note(format!("{}: close", name(&context, &id)));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut read = Read(Fields::new());
        event.record(&mut read);
        if event.metadata().target() == "runtime::waker" {
            assert!(event.is_root(), "it is for consoles, and in no span");
            return self.1.lock().unwrap().push(read.0);
        }
        let span = context.event_span(event);
        let span = span.map_or("nothing".to_owned(), |span| name(&context, &span.id()));
        let message = &read.0["message"];
        let outcome = read.0.get("outcome").map(|outcome| format!(" ({outcome})"));
        let ran = read.0.get("ran").map_or("", |_| " ran");
        let outcome = outcome.unwrap_or_default();
        self.note(format!("{span}: {message}{outcome}{ran}"));
    }
}

fn observed(observer: TracingObserver) -> AioPool {
    let builder = AioPool::builder().name("p").size(1).observer(observer);
    builder.build().unwrap()
}

/// Runs `body` in a span `request`, on one thread. Returns what the subscriber has seen besides that span.
fn seen(body: impl Future<Output = ()>) -> (Vec<String>, Vec<Fields>) {
    seen_at(LevelFilter::TRACE, body)
}

/// Does the same for a subscriber that asks for no more than this level.
fn seen_at(level: LevelFilter, body: impl Future<Output = ()>) -> (Vec<String>, Vec<Fields>) {
    let recorder = Recorder::default();
    let subscriber = Registry::default().with(recorder.clone().with_filter(level));
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let body = body.instrument(info_span!("request"));
        runtime.unwrap().block_on(body);
    });
    let mut lines = recorder.take();
    lines.retain(|line| !line.starts_with("request: e") && !line.starts_with("request: new"));
    let mut fields = std::mem::take(&mut *recorder.1.lock().unwrap());
    // That of the request.
    fields.drain(..fields.len().min(1));
    (lines, fields)
}

#[test]
fn an_awaited_task_is_a_child_of_the_span_that_it_was_submitted_in() {
    let line = line!() + 4;
    let (lines, fields) = seen(async {
        let pool = observed(TracingObserver::new());
        let task = pool
            .task(async { tokio::task::yield_now().await })
            .priority(2);
        task.name("work").exec().await.unwrap();
    });
    let started = lines
        .iter()
        .position(|line| line == "work: task starts")
        .unwrap();
    assert_eq!(lines[0], "work: new in request");
    assert_eq!(
        lines[started + 1..],
        [
            "work: enter",
            "work: exit",
            "work: enter",
            "work: exit",
            "work: enter",
            "work: exit",
            "work: task ends (completed) ran",
            "work: close",
            "request: close"
        ],
        "two polls and the drop"
    );
    let expected = [
        ("kind", "task"),
        ("otel.name", "work"),
        ("task.name", "work"),
        ("task.id", "0"),
        ("pool", "p"),
        ("priority", "2"),
    ];
    for (field, value) in expected {
        assert_eq!(fields[0][field], value);
    }
    assert!(!fields[0].contains_key("group"));
    assert!(fields[0]["loc.file"].ends_with("tracing.rs"));
    assert_eq!(fields[0]["loc.line"], line.to_string());
}

#[test]
fn a_task_that_is_let_go_is_a_root_and_does_not_keep_the_submitting_span_open() {
    let pool = observed(TracingObserver::new());
    let task = Arc::new(Mutex::new(None));
    let kept = task.clone();
    let (lines, fields) = seen(async {
        let group = pool.group("g", 1).unwrap();
        *kept.lock().unwrap() = Some(group.spawn_n(std::future::pending::<()>()));
    });
    assert_eq!(
        lines[..2],
        ["g-0: new in nothing", "g-0: follows from request"]
    );
    assert_eq!((&*fields[0]["pool"], &*fields[0]["group"]), ("p", "g"));
    let closed = lines.iter().position(|line| line == "request: close");
    let ended = lines
        .iter()
        .position(|line| line.starts_with("g-0: task ends"));
    assert!(closed < ended, "{lines:?}");
}

#[test]
fn the_parent_of_all_spans_can_be_chosen() {
    let (lines, _) = seen(async {
        let pool = observed(TracingObserver::new().parent(SpanParent::Root));
        pool.exec(async {}).await.unwrap();
        let pool = observed(TracingObserver::new().parent(SpanParent::Submitter));
        pool.spawn_n(async {}).await.unwrap();
    });
    let new: Vec<_> = lines.iter().filter(|line| line.contains("new")).collect();
    assert_eq!(new, ["p-0: new in nothing", "p-0: new in request"]);
}

#[test]
fn the_items_of_a_feed_follow_from_a_span_of_the_feed() {
    let (lines, _) = seen(async {
        let pool = observed(TracingObserver::new());
        pool.feed(0..2, |_| async {}).await;
    });
    let of = |what: &str| {
        let lines = lines.iter().filter(|line| line.contains(what));
        lines.cloned().collect::<Vec<_>>()
    };
    let new = [
        "feed: new in nothing",
        "p-0: new in nothing",
        "p-1: new in nothing",
    ];
    assert_eq!(of("new in"), new);
    let follows = [
        "feed: follows from request",
        "p-0: follows from feed",
        "p-1: follows from feed",
    ];
    assert_eq!(of("follows"), follows);
    assert_eq!(of("(completed) ran").len(), 2);
    assert_eq!(of("close").len(), 4);
}

#[test]
fn waits_and_other_outcomes_are_events_in_the_span_and_destructors_run_in_it() {
    struct Speaks;
    impl Drop for Speaks {
        fn drop(&mut self) {
            tracing::info!("dropped");
        }
    }
    let (lines, _) = seen(async {
        let pool = observed(TracingObserver::new());
        pool.pause();
        let speaks = Speaks;
        let waiting = pool.spawn_n(async move { drop(speaks) });
        waiting.cancel().await.unwrap_err();
        let failing = pool.task(async { panic!("oh") }).name("n").spawn_n();
        pool.resume();
        failing.await.unwrap_err();
    });
    let events = |task: &str| {
        let lines = lines.iter().filter(|line| line.starts_with(task));
        let lines = lines.filter(|line| !line.contains("enter") && !line.contains("exit"));
        lines
            .map(|line| line.split_once(": ").unwrap().1.to_owned())
            .skip(2)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        events("p-0"),
        ["task waits", "dropped", "task ends (cancelled)", "close"]
    );
    let failed = [
        "task waits",
        "task starts",
        "task ends (panicked) ran",
        "close",
    ];
    assert_eq!(events("n"), failed);
}

#[test]
fn a_console_is_told_of_a_waker_and_of_a_wake_before_each_poll() {
    let (_, fields) = seen(async {
        let pool = observed(TracingObserver::new());
        pool.exec(tokio::task::yield_now()).await.unwrap();
    });
    let ops: Vec<_> = fields
        .iter()
        .filter_map(|fields| fields.get("op"))
        .collect();
    assert_eq!(
        ops,
        ["waker.clone", "waker.wake_by_ref", "waker.wake_by_ref"]
    );
    assert!(fields[1].contains_key("task.id"));
}

#[test]
fn the_span_begins_at_the_submission_also_where_the_events_are_disabled() {
    let (lines, _) = seen_at(LevelFilter::INFO, async {
        let pool = observed(TracingObserver::new());
        pool.pause();
        let waiting = pool.spawn_n(async {});
        tracing::info!("submitted");
        pool.resume();
        waiting.await.unwrap();
    });
    let new = "p-0: new in nothing";
    assert_eq!(
        lines[..3],
        [new, "p-0: follows from request", "request: submitted"]
    );
    assert!(!lines.iter().any(|line| line.contains("task starts")));
    let (lines, _) = seen_at(LevelFilter::WARN, async {
        observed(TracingObserver::new())
            .exec(async {})
            .await
            .unwrap();
    });
    assert_eq!(lines, [""; 0]);
}

#[test]
fn without_a_subscriber_nothing_is_captured_and_tasks_run() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let done = runtime.block_on(async {
        let pool = observed(TracingObserver::new());
        pool.exec(async { 7 }).await.unwrap()
    });
    assert_eq!(done, 7);
}
