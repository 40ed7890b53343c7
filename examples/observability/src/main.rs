//! A pool that is seen from outside: its numbers by Prometheus, its tasks by tokio-console.
//!
//! ```text
//! cargo run -p observability
//! curl http://127.0.0.1:9464/metrics                  # what Prometheus reads; dashboard.json is for Grafana
//! RUST_LOG=info,aiopool=debug cargo run …             # the events of the pool, too
//! RUSTFLAGS="--cfg tokio_unstable" cargo run … --features console
//! tokio-console                                       # cargo install tokio-console
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use aiopool::{AioPool, MetricsObserver, TracingObserver};
use clap::Parser;
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::{Instrument, info, info_span};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

/// Runs tasks of several tenants in one pool, and lets the pool be watched.
#[derive(Parser)]
struct Args {
    /// Where the metrics are served, as the text that Prometheus reads.
    #[arg(long, default_value = "127.0.0.1:9464")]
    metrics: SocketAddr,
    /// Where tokio-console connects.
    #[cfg(feature = "console")]
    #[arg(long, default_value = "127.0.0.1:6669")]
    console: SocketAddr,
    /// How many tasks run at once.
    #[arg(long, default_value_t = 4)]
    size: usize,
    /// Ends after so many seconds, instead of at Ctrl-C.
    #[arg(long)]
    seconds: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber =
        tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().with_filter(log));
    #[cfg(feature = "console")]
    let subscriber = subscriber.with(
        console_subscriber::ConsoleLayer::builder()
            .server_addr(args.console)
            .spawn(),
    );
    subscriber.init();
    // Before the pool is built, which registers its metrics.
    PrometheusBuilder::new()
        .with_http_listener(args.metrics)
        .set_buckets(&MetricsObserver::BUCKETS)?
        .install()?;

    let pool = AioPool::builder()
        .name("work")
        .size(args.size)
        .observer(MetricsObserver::new().by_group(true))
        .observer(TracingObserver::new())
        .build()?;
    println!("metrics at http://{}/metrics", args.metrics);
    let end = async {
        match args.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => tokio::signal::ctrl_c().await.unwrap_or(()),
        }
    };
    tokio::select! {
        () = end => {}
        () = submit(&pool) => {}
    }
    pool.cancel_all().await;
    Ok(())
}

/// Submits a request a moment, for ever.
async fn submit(pool: &AioPool) {
    for number in 0_u64.. {
        let tenant = ["ann", "bob", "eve"][number as usize % 3];
        let request = info_span!("request", number, tenant);
        let group = pool.keyed(tenant, 2);
        let task = group.task(work(number)).name(format!("{tenant} {number}"));
        let task = task.timeout(Duration::from_secs(2));
        request.in_scope(|| task.spawn_n());
        // No faster than the pool works.
        pool.below(20).instrument(request).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Takes some time, and fails now and then.
async fn work(number: u64) {
    for step in 0..3 {
        info!(step, "works");
        tokio::time::sleep(Duration::from_millis(20 + number * 7919 % 300)).await;
    }
    if number % 17 == 16 {
        std::future::pending::<()>().await;
    }
}
