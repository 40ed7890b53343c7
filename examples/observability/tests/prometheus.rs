//! What Prometheus reads of a pool: the text is fetched over HTTP, and parsed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use aiopool::{AioPool, MetricsObserver};
use metrics_exporter_prometheus::PrometheusBuilder;

/// The samples of a page, by name and labels, and the types of the metrics.
struct Page {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

impl Page {
    fn fetch(at: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(at).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: pool\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        Self::parse(body)
    }

    /// Reads the text format, in which each line is a comment or a sample.
    fn parse(text: &str) -> Self {
        let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["#", "TYPE", name, kind] => _ = types.insert(name.into(), kind.into()),
                ["#", "HELP", ..] => {}
                _ => {
                    let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                    let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                    assert!(
                        samples.insert(name.to_owned(), value).is_none(),
                        "twice: {line}"
                    );
                }
            }
        }
        Self { samples, types }
    }

    fn value(&self, sample: &str) -> f64 {
        let value = self.samples.get(sample);
        *value.unwrap_or_else(|| panic!("no {sample} in {:#?}", self.samples))
    }
}

#[test]
fn prometheus_reads_counts_and_times_over_http() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let page = runtime.block_on(async {
        PrometheusBuilder::new()
            .with_http_listener(free)
            .set_buckets(&MetricsObserver::BUCKETS)
            .unwrap()
            .install()
            .unwrap();
        let builder = AioPool::builder()
            .name("p")
            .size(2)
            .observer(MetricsObserver::new());
        let pool = builder.build().unwrap();
        pool.map(0..8, |_| async {
            tokio::time::sleep(Duration::from_millis(3)).await
        })
        .await;
        pool.exec(async { panic!("oh") }).await.unwrap_err();
        pool.spawn(std::future::pending::<()>()).await;
        tokio::task::spawn_blocking(move || Page::fetch(free))
            .await
            .unwrap()
    });
    for (metric, kind) in [
        ("aiopool_permit_limit", "gauge"),
        ("aiopool_task_count", "gauge"),
        ("aiopool_task_submitted", "counter"),
        ("aiopool_task_started", "counter"),
        ("aiopool_task_ended", "counter"),
        ("aiopool_task_wait_time", "histogram"),
        ("aiopool_task_run_time", "histogram"),
    ] {
        assert_eq!(page.types[metric], kind, "{metric}");
    }
    let value = |sample| page.value(sample);
    assert_eq!(value("aiopool_permit_limit{pool=\"p\"}"), 2.0);
    assert_eq!(value("aiopool_task_submitted{pool=\"p\"}"), 10.0);
    assert_eq!(
        value("aiopool_task_ended{pool=\"p\",outcome=\"completed\"}"),
        8.0
    );
    assert_eq!(
        value("aiopool_task_ended{pool=\"p\",outcome=\"panicked\"}"),
        1.0
    );
    assert_eq!(
        value("aiopool_task_count{pool=\"p\",state=\"waiting\"}"),
        0.0
    );
    assert_eq!(value("aiopool_task_run_time_count{pool=\"p\"}"), 9.0);
    assert!((0.024..9.0).contains(&value("aiopool_task_run_time_sum{pool=\"p\"}")));
    let bucket = |bound| {
        page.value(&format!(
            "aiopool_task_run_time_bucket{{pool=\"p\",le=\"{bound}\"}}"
        ))
    };
    let counts: Vec<_> = MetricsObserver::BUCKETS
        .iter()
        .map(|bound| bucket(bound.to_string()))
        .collect();
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!(bucket("+Inf".to_owned()), 9.0);
    assert!(
        bucket("0.0025".to_owned()) <= 1.0,
        "eight tasks have slept for 3 ms: {counts:?}"
    );
}
