//! The traces of the feature `timeline`, as a writer gets them.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use aiopool::{AioPool, TimelineObserver};
use futures::channel::oneshot;
use serde_json::Value;

/// What was written, as a file would keep it.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn events(&self) -> Vec<Value> {
        serde_json::from_str(&self.text()).unwrap()
    }
}

fn observed(size: usize) -> (AioPool, TimelineObserver, Written) {
    let written = Written::default();
    let timeline = TimelineObserver::new(written.clone()).unwrap();
    let builder = AioPool::builder().name("p").size(size);
    let pool = builder.observer(timeline.clone()).build().unwrap();
    (pool, timeline, written)
}

fn on_tokio<Fut: Future<Output = ()>>(body: Fut) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(body);
}

/// Returns the outcome of each task by its number. A task that has two is a failure.
fn outcomes(events: &[Value]) -> BTreeMap<u64, String> {
    let mut outcomes = BTreeMap::new();
    for event in events {
        if let Some(outcome) = event["args"]["outcome"].as_str() {
            let id = event["args"]["id"].as_u64().unwrap();
            assert!(outcomes.insert(id, outcome.into()).is_none(), "{event}");
        }
    }
    outcomes
}

/// Returns the names of the rows in which a task is, in the order of their events.
fn rows_of(events: &[Value], id: u64) -> Vec<String> {
    let named = events.iter().filter(|event| event["name"] == "thread_name");
    let names: HashMap<_, _> = named
        .map(|event| {
            (
                event["tid"].as_u64(),
                event["args"]["name"].as_str().unwrap(),
            )
        })
        .collect();
    let of_task = events.iter().filter(|event| event["args"]["id"] == id);
    of_task
        .map(|event| names[&event["tid"].as_u64()].to_owned())
        .collect()
}

fn find<'e>(events: &'e [Value], name: &str) -> Vec<&'e Value> {
    events
        .iter()
        .filter(|event| event["name"] == name)
        .collect()
}

/// Checks that no row shows two tasks at once, and returns the number of rows.
fn rows_that_never_overlap(events: &[Value]) -> usize {
    let mut rows: HashMap<_, Vec<(f64, f64)>> = HashMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let (from, lasts) = (
            event["ts"].as_f64().unwrap(),
            event["dur"].as_f64().unwrap(),
        );
        let row = (event["pid"].as_u64(), event["tid"].as_u64());
        rows.entry(row).or_default().push((from, from + lasts));
    }
    for slices in rows.values_mut() {
        slices.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for pair in slices.windows(2) {
            // Half a nanosecond, for what the sum above rounds.
            assert!(pair[0].1 <= pair[1].0 + 0.0005, "{pair:?}");
        }
    }
    rows.len()
}

#[test]
fn each_task_ends_once_in_a_row_of_its_own() {
    on_tokio(async {
        let (pool, timeline, written) = observed(4);
        let group = pool.group("g", 2).unwrap();
        pool.map(0..500, |_| tokio::task::yield_now()).await;
        pool.feed(0..200, |_| async {}).await;
        for handle in group.map_n(0..100, |_| async {}) {
            handle.await.unwrap();
        }
        pool.map_blocking(0..50, |_| ()).await;
        pool.join().await;
        let report = timeline.finish().unwrap();
        assert_eq!(
            (report.tasks, report.unfinished, report.left_out),
            (850, 0, 0)
        );
        let events = written.events();
        let outcomes = outcomes(&events);
        assert_eq!(outcomes.len(), 850);
        assert!(outcomes.values().all(|outcome| outcome == "completed"));
        assert!(rows_that_never_overlap(&events) <= 4);
        let end = &events.last().unwrap()["args"];
        assert_eq!(
            (&end["tasks"], &end["left_out_tasks"]),
            (&850.into(), &0.into())
        );
    });
}

#[test]
fn the_curves_of_a_pool_and_its_groups_end_at_zero() {
    on_tokio(async {
        let (pool, timeline, written) = observed(2);
        let group = pool.group("g", 1).unwrap();
        group.map_n(0..20, |_| tokio::task::yield_now());
        pool.map_n(0..20, |_| tokio::task::yield_now());
        pool.join().await;
        pool.resize(3).unwrap();
        timeline.finish().unwrap();
        let events = written.events();
        for name in ["tasks", "group g"] {
            let curve = find(&events, name);
            let waited = curve
                .iter()
                .any(|point| point["args"]["waiting"].as_u64() > Some(0));
            let last = &curve.last().unwrap()["args"];
            assert!(waited, "{curve:?}");
            assert_eq!((&last["waiting"], &last["active"]), (&0.into(), &0.into()));
        }
        let sizes = find(&events, "size")
            .into_iter()
            .map(|event| event["args"]["permits"].as_u64());
        assert_eq!(sizes.collect::<Vec<_>>(), [Some(2), Some(3)]);
    });
}

#[test]
fn every_way_to_end_is_told() {
    on_tokio(async {
        let (pool, timeline, written) = observed(1);
        let short = Duration::from_millis(1);
        pool.exec(async {}).await.unwrap();
        pool.exec(async { panic!("oh") }).await.unwrap_err();
        let slow = pool.task(std::future::pending::<()>()).timeout(short);
        slow.exec().await.unwrap_err();
        let active = pool.spawn(std::future::pending::<()>()).await;
        let aborted = pool.spawn_n(async {});
        let expired = pool.task(async {}).wait_timeout(short).spawn_n();
        expired.await.unwrap_err();
        aborted.cancel().await.unwrap_err();
        active.cancel().await.unwrap_err();
        pool.close();
        pool.exec(async {}).await.unwrap_err();
        timeline.finish().unwrap();
        let events = written.events();
        let expected = [
            "completed",
            "panicked",
            "timed_out",
            "cancelled",
            "cancelled",
            "timed_out",
            "rejected",
        ];
        assert_eq!(
            outcomes(&events).into_values().collect::<Vec<_>>(),
            expected
        );
        for unstarted in 4..7 {
            assert_eq!(rows_of(&events, unstarted), ["queue"]);
        }
    });
}

#[test]
fn a_task_says_what_it_is() {
    on_tokio(async {
        let (pool, timeline, written) = observed(3);
        let name = "</script>\"\\\n\u{1}é";
        let group = pool.group("g", 3).unwrap();
        let task = group.task(async {}).name(name).priority(-7).weight(2);
        task.exec().await.unwrap();
        timeline.finish().unwrap();
        let events = written.events();
        let slices = find(&events, name);
        assert_eq!(slices.len(), 2, "one for each permit");
        let args = &slices[0]["args"];
        assert_eq!(
            (&args["group"], &args["priority"]),
            (&"g".into(), &(-7).into())
        );
        assert_eq!(args["weight"], 2);
        assert_eq!(slices[0]["dur"].as_f64(), args["ran_us"].as_f64());
        assert_eq!(rows_of(&events, 0), ["permit 1", "permit 2"]);
    });
}

#[test]
fn a_permit_that_is_lent_is_in_another_row_meanwhile() {
    on_tokio(async {
        let (pool, timeline, written) = observed(1);
        let inner = pool.clone();
        let outer = async move { inner.exec(async {}).await.unwrap() };
        pool.exec(outer).await.unwrap();
        timeline.finish().unwrap();
        let events = written.events();
        assert_eq!(rows_of(&events, 0), ["permit 1", "lent 1", "permit 1"]);
        assert_eq!(rows_of(&events, 1), ["permit 1"]);
        assert_eq!(outcomes(&events).len(), 2);
        rows_that_never_overlap(&events);
    });
}

#[test]
fn a_task_that_has_not_ended_is_shown_up_to_the_end_of_the_trace() {
    on_tokio(async {
        let (pool, timeline, written) = observed(2);
        let (_keep, never) = oneshot::channel::<()>();
        let holds = pool.spawn(std::future::pending::<()>()).await;
        let lends = pool.spawn(aiopool::lend(never)).await;
        // It starts when the permit is lent.
        pool.exec(async {}).await.unwrap();
        let report = timeline.finish().unwrap();
        assert_eq!((report.tasks, report.unfinished), (3, 2));
        let events = written.events();
        let unfinished = outcomes(&events);
        assert_eq!(unfinished[&holds.id().get()], "unfinished");
        assert_eq!(unfinished[&lends.id().get()], "unfinished");
        assert!(timeline.finish().is_err(), "it is over");
        holds.abort();
        assert_eq!(written.events().len(), events.len());
    });
}

#[test]
fn the_limit_cuts_the_trace_and_counts_what_is_left_out() {
    on_tokio(async {
        let (pool, timeline) = in_file("cut", 2);
        let timeline = timeline.limit(20_000);
        pool.map(0..1000, |_| async {}).await;
        let report = timeline.finish().unwrap();
        assert!(report.left_out > 0 && report.tasks > 0, "{report:?}");
        assert_eq!(report.tasks + report.left_out, 1000);
        let text = std::fs::read_to_string(path_of("cut")).unwrap();
        let events: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert!(text.len() < 21_000, "{}", text.len());
        assert_eq!(outcomes(&events).len() as u64, report.tasks);
        let marks = events.iter().filter(|event| event["s"] == "g");
        assert_eq!(marks.count(), 1);
        let end = &events.last().unwrap()["args"];
        assert_eq!(end["left_out_tasks"], report.left_out);
        assert!(end["left_out_events"].as_u64() >= Some(report.left_out));
    });
}

/// A writer that fails, or panics, when it has written so much.
struct Broken(usize, fn() -> io::Error);

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or_else(self.1)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_loses_no_task_and_is_reported() {
    on_tokio(async {
        let full = || io::Error::new(io::ErrorKind::StorageFull, "no room");
        for (room, error) in [
            (0, full as fn() -> io::Error),
            (100_000, full),
            (0, || panic!("a writer may panic")),
            (100_000, || panic!("a writer may panic")),
        ] {
            let timeline = TimelineObserver::new(Broken(room, error)).unwrap();
            let builder = AioPool::builder().size(2).observer(timeline.clone());
            let pool = builder.build().unwrap();
            let values = pool.map(0..5000, |n| async move { n }).await;
            assert!(values.into_iter().map(Result::unwrap).eq(0..5000));
            let told = timeline.finish().unwrap_err().to_string();
            assert!(
                told.contains("no room") || told.contains("panicked"),
                "{told}"
            );
        }
    });
}

/// A writer that waits until it is opened.
#[derive(Clone, Default)]
struct Stuck(Arc<(Mutex<bool>, Condvar)>, Written);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut is_open = self.0.0.lock().unwrap();
        while !*is_open {
            is_open = self.0.1.wait(is_open).unwrap();
        }
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_is_stuck_holds_no_task_up_and_takes_bounded_memory() {
    on_tokio(async {
        let stuck = Stuck::default();
        let timeline = TimelineObserver::new(stuck.clone())
            .unwrap()
            .limit(u64::MAX);
        let builder = AioPool::builder().size(2).observer(timeline.clone());
        let pool = builder.build().unwrap();
        let long = "x".repeat(1000);
        for _ in 0..30_000 {
            let task = pool.task(async {}).name(long.clone());
            task.exec().await.unwrap();
        }
        *stuck.0.0.lock().unwrap() = true;
        stuck.0.1.notify_all();
        let report = timeline.finish().unwrap();
        assert!(report.left_out > 0, "30 MB are more than it keeps");
        assert_eq!(report.tasks + report.left_out, 30_000);
        let written = stuck.1.text().len();
        assert!(written < 18_000_000, "{written}");
        assert_eq!(outcomes(&stuck.1.events()).len() as u64, report.tasks);
    });
}

#[test]
fn what_is_written_so_far_lacks_only_the_bracket() {
    on_tokio(async {
        let (pool, timeline, written) = observed(2);
        pool.map(0..5000, |_| async {}).await;
        // More than a buffer is full: the thread is writing it, or has.
        while written.text().len() < 100_000 {
            tokio::task::yield_now().await;
        }
        let text = written.text();
        let events: Vec<Value> = serde_json::from_str(&format!("{text}]")).unwrap();
        assert!(events.len() > 500);
        timeline.finish().unwrap();
    });
}

#[test]
fn the_last_clone_ends_the_trace_when_it_is_dropped() {
    on_tokio(async {
        let (pool, timeline, written) = observed(2);
        drop(timeline);
        pool.exec(async {}).await.unwrap();
        drop(pool);
        // The worker of the task keeps the pool for a moment.
        while !written.text().ends_with("]\n") {
            tokio::task::yield_now().await;
        }
        assert_eq!(outcomes(&written.events()).len(), 1);
    });
}

#[test]
fn pools_that_share_a_timeline_have_rows_of_their_own() {
    on_tokio(async {
        let (pool, timeline, written) = observed(2);
        let builder = AioPool::builder().name("other").size(2);
        let other = builder.observer(timeline.clone()).build().unwrap();
        pool.exec(async {}).await.unwrap();
        other.exec(async {}).await.unwrap();
        timeline.finish().unwrap();
        let events = written.events();
        let names = find(&events, "process_name")
            .into_iter()
            .map(|event| event["args"]["name"].as_str());
        assert_eq!(
            names.collect::<Vec<_>>(),
            [Some("pool p"), Some("pool other")]
        );
        let ends = events
            .iter()
            .filter(|event| event["args"]["outcome"].is_string());
        assert_eq!(
            ends.map(|event| event["pid"].as_u64()).collect::<Vec<_>>(),
            [Some(1001), Some(1002)]
        );
    });
}

fn path_of(name: &str) -> String {
    format!("{}/timeline-{name}.json", env!("CARGO_TARGET_TMPDIR"))
}

/// A trace in the folder for the files of tests, where `.ci/timeline` makes a page of it.
fn in_file(name: &str, size: usize) -> (AioPool, TimelineObserver) {
    let timeline = TimelineObserver::create(path_of(name)).unwrap();
    let builder = AioPool::builder().name(name.to_owned()).size(size);
    let pool = builder.observer(timeline.clone()).build().unwrap();
    (pool, timeline)
}

async fn busy(micros: u64) {
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

#[test]
fn a_run_of_a_hundred_thousand_tasks_in_many_groups_is_whole() {
    on_tokio(async {
        let (pool, timeline) = in_file("large", 16);
        let submit = |n: usize| pool.keyed(format!("host-{}", n % 40), 4).spawn_n(async {});
        let handles: Vec<_> = (0..100_000).map(submit).collect();
        pool.join().await;
        drop(handles);
        let report = timeline.finish().unwrap();
        assert_eq!((report.tasks, report.left_out), (100_000, 0));
    });
}

#[test]
fn a_run_with_everything_in_it_is_whole() {
    on_tokio(async {
        let (pool, timeline) = in_file("awkward", 5);
        let groups = [
            "api",
            "thumbnails",
            "</script><script>document.title='broken'</script>",
        ];
        let groups = groups.map(|name| pool.group(name, 3).unwrap());
        let names = [
            "</script><script>document.title='broken'</script>",
            "<img src=x onerror=document.title='broken'>",
            "\u{202e}backwards\u{0}\n\"'`${x}&amp;",
            "{{run}}",
        ];
        for n in 0..240_u64 {
            let group = &groups[n as usize % 3];
            let inner = pool.clone();
            let task = group.task(async move {
                busy(1000 + (n * n * 37) % 4000).await;
                match n % 24 {
                    5 => _ = inner.exec(busy(3000)).await,
                    11 => std::panic::resume_unwind(Box::new("oh")),
                    17 => busy(1_000_000).await,
                    _ => {}
                }
            });
            let task = match n % 24 {
                17 => task.timeout(Duration::from_millis(20)),
                20 => task.wait_timeout(Duration::from_micros(500)),
                _ => task.weight(1 + usize::from(n % 12 == 3)),
            };
            let name = names
                .get(n as usize)
                .map_or_else(|| format!("job {n}"), |name| (*name).into());
            let handle = task.name(name).spawn_n();
            if n % 40 == 39 {
                handle.abort();
            }
        }
        pool.join().await;
        let hangs = pool
            .task(std::future::pending::<()>())
            .name("hangs")
            .spawn()
            .await;
        pool.exec(busy(5000)).await.unwrap();
        let report = timeline.finish().unwrap();
        assert_eq!((report.unfinished, report.left_out), (1, 0));
        hangs.abort();
    });
}
