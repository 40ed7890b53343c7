//! The metrics of the feature `metrics`, as a recorder gets them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aiopool::{AioPool, MetricsObserver};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, with_local_recorder,
};

/// A recorder that keeps the values of each metric, by its name and labels.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

struct Metric(Kept, String);

impl Kept {
    fn metric(&self, key: &Key) -> Arc<Metric> {
        let labels = key
            .labels()
            .map(|label| format!(" {}={}", label.key(), label.value()));
        let name = format!("{}{}", key.name(), labels.collect::<String>());
        self.0.lock().unwrap().entry(name.clone()).or_default();
        Arc::new(Metric(self.clone(), name))
    }

    /// Returns the last value of a counter or gauge, which is 0 if it was never changed.
    fn value(&self, metric: &str) -> f64 {
        let kept = self.0.lock().unwrap();
        let values = kept
            .get(metric)
            .unwrap_or_else(|| panic!("no {metric} in {:?}", kept.keys()));
        values.last().copied().unwrap_or_default()
    }

    fn values(&self, metric: &str) -> Vec<f64> {
        self.0.lock().unwrap()[metric].clone()
    }
}

impl Metric {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut kept = self.0.0.lock().unwrap();
        let values = kept.get_mut(&self.1).unwrap();
        let value = change(values.last().copied().unwrap_or_default());
        values.push(value);
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.change(|before| before + value as f64);
    }

    fn absolute(&self, _: u64) {
        unreachable!("counters are deltas");
    }
}

impl GaugeFn for Metric {
    fn increment(&self, value: f64) {
        self.change(|before| before + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|before| before - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.change(|_| value);
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        assert!(name.as_str().starts_with("aiopool."));
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        assert!(name.as_str().starts_with("aiopool."));
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        assert!(name.as_str().ends_with("_time") && unit == Some(Unit::Seconds));
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}

/// Runs `body` on one thread, whose recorder is returned.
fn recorded<Fut: Future<Output = ()>>(body: impl FnOnce(Kept) -> Fut) -> Kept {
    let kept = Kept::default();
    with_local_recorder(&kept, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(body(kept.clone()));
    });
    kept
}

fn observed(observer: MetricsObserver) -> AioPool {
    let builder = AioPool::builder().name("p").size(1).observer(observer);
    builder.build().unwrap()
}

#[test]
fn each_stage_of_a_task_is_counted_as_the_pool_counts_it() {
    recorded(|kept| async move {
        let pool = observed(MetricsObserver::new());
        assert_eq!(kept.value("aiopool.permit.limit pool=p"), 1.0);
        let counts = || {
            let count = |state| kept.value(&format!("aiopool.task.count pool=p state={state}"));
            (count("waiting"), count("active"))
        };
        let active = pool.spawn(std::future::pending::<()>()).await;
        tokio::task::yield_now().await;
        let waiting = pool.spawn_n(async {});
        assert_eq!(counts(), (1.0, 1.0));
        assert!(pool.try_spawn(async {}).is_err());
        waiting.cancel().await.unwrap_err();
        assert_eq!(counts(), (0.0, 1.0));
        active.cancel().await.unwrap_err();
        pool.exec(async { panic!("oh") }).await.unwrap_err();
        let short = std::time::Duration::from_millis(1);
        let slow = pool.task(std::future::pending::<()>()).timeout(short);
        slow.exec().await.unwrap_err();
        pool.map(0..2, |_| async {}).await;
        pool.feed(0..3, |_| async {}).await;
        pool.spawn_blocking(|| ()).await.unwrap();
        pool.close();
        pool.exec(async {}).await.unwrap_err();
        pool.join().await;

        let (stats, task) = (pool.stats(), |name: &str| {
            format!("aiopool.task.{name} pool=p")
        });
        let ended = |outcome| kept.value(&format!("{} outcome={outcome}", task("ended"))) as u64;
        assert_eq!(counts(), (0.0, 0.0));
        assert_eq!(kept.value(&task("submitted")) as u64, stats.submitted);
        assert_eq!(kept.value(&task("started")) as u64, stats.started);
        assert_eq!((ended("completed"), stats.completed), (6, 6));
        assert_eq!((ended("panicked"), stats.panicked), (1, 1));
        assert_eq!((ended("cancelled"), stats.cancelled), (2, 2));
        assert_eq!((ended("timed_out"), stats.timed_out), (1, 1));
        assert_eq!((ended("rejected"), stats.rejected), (1, 1));
        assert_eq!(kept.values(&task("wait_time")).len() as u64, stats.started);
        assert_eq!(kept.values(&task("run_time")).len() as u64, stats.started);
    });
}

#[test]
fn times_are_in_seconds() {
    let kept = recorded(|_| async {
        let pool = observed(MetricsObserver::new());
        let sleep = || std::thread::sleep(std::time::Duration::from_millis(20));
        let (first, second) = (pool.spawn_n(async move { sleep() }), pool.spawn_n(async {}));
        first.await.unwrap();
        second.await.unwrap();
    });
    let (waits, runs) = (
        kept.values("aiopool.task.wait_time pool=p"),
        kept.values("aiopool.task.run_time pool=p"),
    );
    assert!((0.02..5.0).contains(&waits[1]), "{waits:?}");
    assert!((0.02..5.0).contains(&runs[0]), "{runs:?}");
}

#[test]
fn the_limit_follows_the_size() {
    recorded(|kept| async move {
        let pool = observed(MetricsObserver::new());
        pool.group("g", 3).unwrap().resize(4).unwrap();
        pool.resize(7).unwrap();
        assert_eq!(kept.value("aiopool.permit.limit pool=p"), 7.0);
    });
}

#[test]
fn groups_are_a_label_only_by_choice() {
    let work = async |pool: AioPool| {
        pool.keyed("g", 1).exec(async {}).await.unwrap();
        pool.exec(async {}).await.unwrap();
    };
    let kept = recorded(|_| work(observed(MetricsObserver::new())));
    assert_eq!(kept.value("aiopool.task.started pool=p"), 2.0);
    assert!(
        kept.0
            .lock()
            .unwrap()
            .keys()
            .all(|name| !name.contains("group"))
    );
    let kept = recorded(|_| work(observed(MetricsObserver::new().by_group(true))));
    assert_eq!(kept.value("aiopool.task.started pool=p group=g"), 1.0);
    assert_eq!(kept.value("aiopool.task.started pool=p group="), 1.0);
}

#[test]
fn what_threads_do_at_once_adds_up() {
    let kept = Kept::default();
    with_local_recorder(&kept, || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build();
        runtime.unwrap().block_on(async {
            let pool = observed(MetricsObserver::new());
            for n in 0..2000 {
                let handle = pool.spawn_n(async {});
                if n % 7 == 0 {
                    handle.abort();
                }
            }
            pool.join().await;
            assert_eq!(kept.value("aiopool.task.submitted pool=p"), 2000.0);
        });
    });
    assert_eq!(kept.value("aiopool.task.count pool=p state=waiting"), 0.0);
    assert_eq!(kept.value("aiopool.task.count pool=p state=active"), 0.0);
}
