//! A service that hashes what its tenants post, with a bound for each tenant, and ends in good order.
//!
//! ```sh
//! cargo run -p service -- --listen 127.0.0.1:8080
//! curl --data-binary @Cargo.toml 'http://127.0.0.1:8080/hash?tenant=me'
//! ```
use std::fmt::Display;
use std::future::IntoFuture;
use std::io::{self, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiopool::{AbortError, AioPool, JoinError, Refusal, TaskId, TaskInfo, current};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use clap::Parser;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};
use tokio::sync::oneshot;
use tokio::time::timeout;

const NOTES: &str = "\
  POST /hash?tenant=NAME   the SHA-256 sum of the body; with &rounds=N, N times
                           over; with &batch=true, after the tenant's other jobs
  GET /jobs                the first hundred jobs; with ?tenant=NAME, of a tenant
  DELETE /jobs/ID          aborts a job

429 says that too many jobs wait, 503 that the job has waited or run too long, was
aborted, or that the service ends. Retry-After says when it makes sense to come
again.

Exit codes: 0 after Ctrl-C or SIGTERM, 1 if it cannot listen, 2 for wrong usage";

/// Hash what tenants post, some jobs at a time, until Ctrl-C or SIGTERM
#[derive(Parser)]
#[command(name = "service", after_help = NOTES)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(short, long, default_value = "127.0.0.1:0")]
    listen: String,
    /// How many jobs run at once
    #[arg(short, long, default_value = "4")]
    jobs: NonZeroUsize,
    /// How many of them are of one tenant
    #[arg(short, long, default_value = "2")]
    per_tenant: NonZeroUsize,
    /// How many more jobs of a tenant may wait
    #[arg(short, long, default_value_t = 16)]
    max_waiting: usize,
    /// Tenants whose jobs have three turns where those of others have one
    #[arg(long, value_name = "TENANT")]
    paid: Vec<String>,
    /// How many seconds a job may wait
    #[arg(long, default_value_t = 30)]
    wait: u64,
    /// How many seconds a job may run
    #[arg(long, default_value_t = 30)]
    run: u64,
    /// How many seconds the running jobs have after Ctrl-C or SIGTERM
    #[arg(long, default_value_t = 10)]
    deadline: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    serve(Args::parse()).await.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "service: {error}");
        ExitCode::FAILURE
    })
}

/// Serves until it is asked to stop and the jobs have ended.
async fn serve(args: Args) -> io::Result<ExitCode> {
    let listener = TcpListener::bind(&args.listen).await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;

    let deadline = Duration::from_secs(args.deadline);
    let service = Service::new(args);
    let pool = service.pool.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = axum::serve(listener, routes(service)).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let serving = tokio::spawn(serving.into_future());

    // Until the running jobs have ended, new ones are answered with 503, so that a balancer sends them elsewhere.
    let report = pool.shutdown_on(asked_to_stop(), deadline).await;
    drop(stop);
    // A client that sends or reads slowly does not keep the service from ending.
    let _ = timeout(Duration::from_secs(1), serving).await;
    let (completed, cancelled) = (report.completed, report.cancelled);
    writeln!(io::stdout(), "{completed} completed, {cancelled} cancelled")?;
    Ok(ExitCode::SUCCESS)
}

fn routes(service: Service) -> Router {
    Router::new()
        .route("/hash", post(hash))
        .route("/jobs", get(list))
        .route("/jobs/{id}", delete(abort))
        .with_state(Arc::new(service))
}

struct Service {
    pool: AioPool,
    args: Args,
}

/// What a client asks for, besides the body. Who it is stands there unproved, as this service knows no secrets.
#[derive(Deserialize)]
struct Job {
    tenant: String,
    rounds: Option<NonZeroU32>,
    #[serde(default)]
    batch: bool,
}

impl Service {
    fn new(args: Args) -> Self {
        let pool = AioPool::builder()
            .size(args.jobs.get())
            .max_waiting(1024) // of all tenants, since anybody can make up one more
            .fair_share(true)
            .timed(true)
            .build()
            .expect("the size is not 0");
        Self { pool, args }
    }

    /// The group of a tenant, with a queue of its own. It is there as long as the tenant has jobs.
    fn group_of(&self, tenant: &str) -> AioPool {
        let is_paid = self.args.paid.iter().any(|paid| paid == tenant);
        self.pool.keyed_with(tenant, |group| {
            let group = group.size(self.args.per_tenant.get());
            let group = group.max_waiting(self.args.max_waiting);
            group.share(if is_paid { 3 } else { 1 })
        })
    }
}

/// Runs a job on a thread that it may block, under a permit of its tenant.
async fn hash(
    State(service): State<Arc<Service>>,
    Query(job): Query<Job>,
    body: Bytes,
) -> Response {
    let rounds = job.rounds.map_or(1, NonZeroU32::get);
    let limit = Duration::from_secs(service.args.run);
    let tenant = service.group_of(&job.tenant);
    let job = tenant
        .task_blocking(move || digest(&body, rounds, limit))
        .priority(if job.batch { 0 } else { 1 })
        .wait_timeout(Duration::from_secs(service.args.wait));

    // If the client goes away, axum drops this, and that aborts the job.
    match job.exec().await {
        Ok(Ok(digest)) => (digest + "\n").into_response(),
        Ok(Err(stopped)) => say(StatusCode::SERVICE_UNAVAILABLE, stopped),
        Err(error) => explain(&error),
    }
}

/// A digest in hexadecimal digits, or why the job has stopped before its end.
type Digested = Result<String, &'static str>;

/// Hashes `body`, and then each digest again.
///
/// Code that blocks cannot be stopped from outside, so it looks itself whether it was aborted or its time is over.
fn digest(body: &[u8], rounds: u32, limit: Duration) -> Digested {
    let (task, begun) = (current(), Instant::now());
    let mut digest = Sha256::digest(body);
    for _ in 1..rounds {
        if task.as_ref().is_some_and(|task| task.is_aborted()) {
            return Err("the job was aborted");
        }
        if begun.elapsed() > limit {
            return Err("the job takes too long");
        }
        digest = Sha256::digest(digest);
    }
    let hex = digest.iter().map(|byte| format!("{byte:02x}"));
    Ok(hex.collect())
}

/// Says why a job has no result, and whether it makes sense to come again.
fn explain(error: &JoinError) -> Response {
    match error.refusal() {
        Some(Refusal::Full) => later(StatusCode::TOO_MANY_REQUESTS, error),
        None if error.is_panic() => say(StatusCode::INTERNAL_SERVER_ERROR, error),
        // It is about to end, or the job has waited too long, or was aborted while it waited.
        _ => later(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}

fn say(status: StatusCode, text: impl Display) -> Response {
    (status, format!("{text}\n")).into_response()
}

/// The same, for a client that may try again after a second.
fn later(status: StatusCode, text: impl Display) -> Response {
    ([(RETRY_AFTER, "1")], say(status, text)).into_response()
}

/// The tenant whose jobs are listed, or `None` for all jobs.
#[derive(Deserialize)]
struct Listed {
    tenant: Option<String>,
}

async fn list(
    State(service): State<Arc<Service>>,
    Query(listed): Query<Listed>,
) -> Json<Vec<TaskInfo>> {
    let is_wanted = |job: &TaskInfo| listed.tenant.is_none() || job.group == listed.tenant;
    Json(service.pool.find_tasks(100, is_wanted))
}

async fn abort(State(service): State<Arc<Service>>, Path(id): Path<u64>) -> Response {
    match service.pool.abort([TaskId::from(id)]) {
        Ok(_) | Err(AbortError::AlreadyAborted(_)) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => say(StatusCode::NOT_FOUND, error),
    }
}

/// Waits for Ctrl-C, or for what `kill` and the end of a container send.
#[cfg(unix)]
async fn asked_to_stop() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
use tokio::signal::ctrl_c as asked_to_stop;
