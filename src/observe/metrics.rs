//! Counters, gauges and histograms of tasks, for the facade `metrics`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use ::metrics::{
    Counter, Gauge, Histogram, Label, Unit, counter, describe_counter, describe_gauge,
    describe_histogram, gauge, histogram,
};

use super::{Ended, Observer, Submission, TaskScope, TaskView};
use crate::lock::Lock;
use crate::sync::atomic::AtomicU8;
use crate::sync::atomic::Ordering::{AcqRel, Relaxed};

/// An observer that counts and times the tasks of a pool, through the facade `metrics`. Needs the feature `metrics`.
///
/// | metric | kind | labels beside `pool` | it is |
/// |---|---|---|---|
/// | `aiopool.permit.limit` | gauge | | the size of the pool |
/// | `aiopool.task.count` | gauge | `state`: `waiting`, `active` | tasks in the queue, and tasks that have started and not ended |
/// | `aiopool.task.submitted` | counter | | tasks that were submitted, also those that were rejected |
/// | `aiopool.task.started` | counter | | tasks that were about to be polled for the first time |
/// | `aiopool.task.ended` | counter | `outcome`, as [`Ended::as_str`] | tasks that ended |
/// | `aiopool.task.wait_time` | histogram | | seconds from the submission to the first poll, of each task that started |
/// | `aiopool.task.run_time` | histogram | | seconds from the first poll to the end, of each task that started |
///
/// Counters are incremented by one for each task, so that several observers may share the same labels: the counts add up. No
/// label is ever a task's name or number. The items of a `feed` count when they are pulled. A task counts as active while it
/// lends its permit, too.
///
/// # Recorders and buckets
///
/// Install the recorder before the pool is built: what is registered before goes nowhere. With
/// `metrics-exporter-prometheus`, give the histograms buckets; without, it makes them summaries. [`BUCKETS`](Self::BUCKETS)
/// suit both: `PrometheusBuilder::new().set_buckets(&MetricsObserver::BUCKETS)`. In its text, dots become underscores:
/// `aiopool_task_ended{pool="p",outcome="completed"} 1`.
///
/// # Cost
///
/// An allocation and two looks at the clock for each task, and what the recorder costs. The handles of the metrics are
/// registered once for a pool, and with [`by_group`](Self::by_group) once for each name of a group.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, MetricsObserver};
///
/// // metrics_exporter_prometheus::PrometheusBuilder::new()
/// //     .set_buckets(&MetricsObserver::BUCKETS)?
/// //     .install()?;
/// let builder = AioPool::builder().name("downloads").size(8);
/// let pool = builder.observer(MetricsObserver::new()).build().unwrap();
/// pool.exec(async {}).await.unwrap();
/// # });
/// ```
#[derive(Default)]
pub struct MetricsObserver {
    by_group: bool,
    of_pool: OnceLock<Arc<Instruments>>,
    of_groups: Lock<HashMap<String, Arc<Instruments>>>,
}

impl MetricsObserver {
    /// Upper bounds of buckets for the two histograms, in seconds: from 0.1 ms to 5 min. Up to 10 s, none is more than 2.5
    /// times the one before, so that a percentile estimated from them is less than that off.
    pub const BUCKETS: [f64; 19] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
        5.0, 10.0, 30.0, 60.0, 300.0,
    ];

    /// Makes an observer whose metrics have the label `pool`, and not `group`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the metrics of tasks have the label `group`, which is empty for tasks of no group.
    ///
    /// Off by default: the names of groups by [`keyed`](crate::AioPool::keyed) may be without bound, and neither this
    /// observer nor a recorder forgets one.
    #[must_use = "it returns the observer"]
    pub fn by_group(self, on: bool) -> Self {
        Self {
            by_group: on,
            ..self
        }
    }

    /// Returns the instruments for a task. A recorder is user code, so they are registered with no lock held.
    fn instruments(&self, task: &Submission<'_>) -> Arc<Instruments> {
        if !self.by_group {
            return match self.of_pool.get() {
                Some(known) => known.clone(),
                None => {
                    let new = Arc::new(Instruments::new(task.pool(), None));
                    self.of_pool.get_or_init(|| new).clone()
                }
            };
        }
        let group = task.group().unwrap_or_default();
        let known = self.of_groups.lock().get(group).cloned();
        known.unwrap_or_else(|| {
            let new = Arc::new(Instruments::new(task.pool(), Some(group)));
            let mut groups = self.of_groups.lock();
            groups.entry(group.to_owned()).or_insert(new).clone()
        })
    }
}

impl Observer for MetricsObserver {
    fn on_resize(&self, pool: &str, size: usize) {
        describe();
        gauge!("aiopool.permit.limit", "pool" => pool.to_owned()).set(size as f64);
    }

    fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        Some(Arc::new(Meter::new(self.instruments(task))))
    }
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserver")
            .field("by_group", &self.by_group)
            .finish_non_exhaustive()
    }
}

const ENDS: [Ended; 5] = [
    Ended::Completed,
    Ended::Panicked,
    Ended::Cancelled,
    Ended::TimedOut,
    Ended::Rejected,
];

/// The registered metrics for one set of labels.
struct Instruments {
    waiting: Gauge,
    active: Gauge,
    submitted: Counter,
    started: Counter,
    /// In the order of [`ENDS`].
    ended: [Counter; 5],
    wait_time: Histogram,
    run_time: Histogram,
}

impl Instruments {
    fn new(pool: &str, group: Option<&str>) -> Self {
        let mut labels = vec![Label::new("pool", pool.to_owned())];
        labels.extend(group.map(|group| Label::new("group", group.to_owned())));
        let with = |name: &'static str, value: &'static str| {
            let more = Label::from_static_parts(name, value);
            labels.iter().cloned().chain([more]).collect::<Vec<_>>()
        };
        let count = |state| gauge!("aiopool.task.count", with("state", state));
        Self {
            waiting: count("waiting"),
            active: count("active"),
            submitted: counter!("aiopool.task.submitted", labels.clone()),
            started: counter!("aiopool.task.started", labels.clone()),
            ended: ENDS
                .map(|ended| counter!("aiopool.task.ended", with("outcome", ended.as_str()))),
            wait_time: histogram!("aiopool.task.wait_time", labels.clone()),
            run_time: histogram!("aiopool.task.run_time", labels.clone()),
        }
    }
}

fn describe() {
    describe_gauge!("aiopool.permit.limit", Unit::Count, "Size of the pool.");
    describe_gauge!("aiopool.task.count", Unit::Count, "Tasks by state.");
    describe_counter!("aiopool.task.submitted", Unit::Count, "Submitted tasks.");
    describe_counter!("aiopool.task.started", Unit::Count, "Started tasks.");
    describe_counter!("aiopool.task.ended", Unit::Count, "Tasks that ended.");
    describe_histogram!(
        "aiopool.task.wait_time",
        Unit::Seconds,
        "Time from the submission to the first poll."
    );
    describe_histogram!(
        "aiopool.task.run_time",
        Unit::Seconds,
        "Time from the first poll to the end."
    );
}

/// Measures one task.
struct Meter {
    instruments: Arc<Instruments>,
    /// What was told of the task last. A wait may be told while the task starts, or after that, and then is no wait.
    stage: AtomicU8,
}

const NEW: u8 = 0;
const WAITING: u8 = 1;
const ACTIVE: u8 = 2;
const ENDED: u8 = 3;

impl Meter {
    fn new(instruments: Arc<Instruments>) -> Self {
        let stage = AtomicU8::new(NEW);
        Self { instruments, stage }
    }

    /// Goes to the next stage, and takes the task out of the counts of the stage before, which is returned.
    fn advance(&self, stage: u8) -> u8 {
        let before = self.stage.swap(stage, AcqRel);
        match before {
            NEW => self.instruments.submitted.increment(1),
            WAITING => self.instruments.waiting.decrement(1.0),
            ACTIVE => self.instruments.active.decrement(1.0),
            _ => {}
        }
        before
    }
}

impl TaskScope for Meter {
    fn on_wait(&self, _: &TaskView<'_>) {
        // Before the stage changes: whoever sees the stage takes the task out again.
        self.instruments.waiting.increment(1.0);
        let changed = self.stage.compare_exchange(NEW, WAITING, AcqRel, Relaxed);
        match changed {
            Ok(_) => self.instruments.submitted.increment(1),
            Err(_) => self.instruments.waiting.decrement(1.0),
        }
    }

    fn on_start(&self, task: &TaskView<'_>) {
        self.advance(ACTIVE);
        self.instruments.active.increment(1.0);
        self.instruments.started.increment(1);
        self.instruments.wait_time.record(task.waited());
    }

    fn on_end(&self, task: &TaskView<'_>, ended: Ended) {
        let before = self.advance(ENDED);
        if let (ACTIVE, Some(ran)) = (before, task.ran()) {
            self.instruments.run_time.record(ran);
        }
        let place = ENDS.iter().position(|known| *known == ended);
        if let Some(counter) = place.map(|place| &self.instruments.ended[place]) {
            counter.increment(1);
        }
    }

    fn item(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        Some(Arc::new(Self::new(self.instruments.clone())))
    }
}
