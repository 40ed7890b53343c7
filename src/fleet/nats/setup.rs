//! The streams of a pool, and the consumer whose limit is the pool's size.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, Info, pull};
use async_nats::jetstream::context::{ConsumerInfoErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use super::link::Link;
use super::patience::{consumer_error, update_error};
use crate::fleet::error::EngineError;

/// The durable consumer of the work stream, which all workers share.
pub(super) const WORKERS: &str = "workers";

/// The durable consumer of the delayed stream.
pub(super) const TIMERS: &str = "timers";

/// Requests for tasks that may wait at the server, of all workers together.
const MAX_WAITING: i64 = 16_384;

/// Tasks that may wait for their next try without a later one being noticed too late.
const MAX_DELAYED: i64 = 100_000;

/// Time in which the server recognizes a message that it has already.
const DUPLICATES: Duration = Duration::from_secs(120);

/// How long a refused message is kept, and how many of them.
const KEEP_REFUSED: (Duration, i64) = (Duration::from_secs(7 * 24 * 3600), 10_000);

/// How long the count of a task's starts is kept.
const KEEP_STARTS: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a worker has for a task that is due.
const TIMER_LEASE: Duration = Duration::from_secs(5);

/// What a pool is created with.
#[derive(Clone, Debug)]
pub(crate) struct PoolSettings {
    /// `None` to use the pool only if it exists.
    pub(crate) size: Option<usize>,
    pub(crate) lease: Option<Duration>,
    pub(crate) keep_results: Duration,
    pub(crate) max_tasks: Option<usize>,
    pub(crate) replicas: usize,
}

/// What the server says about a pool that exists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolFacts {
    pub(crate) size: usize,
    pub(crate) lease: Duration,
    pub(crate) replicas: usize,
}

/// Makes the pool if it does not exist, and returns what it is.
pub(super) async fn open(link: &Link, settings: &PoolSettings) -> Result<PoolFacts, EngineError> {
    if let Some(facts) = find(link).await? {
        return check(facts, settings);
    }
    let Some(size) = settings.size else {
        return Err(EngineError::Config(format!(
            "the pool {:?} does not exist: connect once with a size",
            link.names.pool()
        )));
    };
    for config in streams(link, settings) {
        make_stream(link, config).await?;
    }
    make_consumer(link, timers(settings), &link.names.delayed_stream()).await?;
    make_consumer(link, workers(settings, size), &link.names.work_stream()).await?;
    // Another client may have made it at the same time, with another size.
    let facts = find(link).await?;
    facts.map_or(Err(EngineError::Timeout), |facts| check(facts, settings))
}

/// Returns what the pool is, and `None` if it does not exist.
pub(super) async fn find(link: &Link) -> Result<Option<PoolFacts>, EngineError> {
    let stream = link.stream(&link.names.work_stream()).await?;
    match stream.consumer_info(WORKERS).await {
        Ok(info) => Ok(Some(PoolFacts {
            size: size_of(info.config.max_ack_pending),
            lease: info.config.ack_wait,
            replicas: info.config.num_replicas,
        })),
        Err(error) => match error.kind() {
            ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound => Ok(None),
            ConsumerInfoErrorKind::NoResponders => Err(EngineError::Config(
                "the server has no JetStream: start it with -js".to_owned(),
            )),
            ConsumerInfoErrorKind::TimedOut => Err(EngineError::Timeout),
            _ => Err(EngineError::Rejected(error.to_string())),
        },
    }
}

/// Sets the size of the pool.
pub(super) async fn resize(link: &Link, size: usize) -> Result<(), EngineError> {
    let stream = link.stream(&link.names.work_stream()).await?;
    let info = stream
        .consumer_info(WORKERS)
        .await
        .map_err(|error| consumer_error(&error))?;
    let config = pull::Config {
        max_ack_pending: limit_of(size),
        ..config_of(&info)
    };
    stream
        .update_consumer(config)
        .await
        .map(drop)
        .map_err(|error| update_error(&error))
}

/// Returns what a consumer of a pool is made with.
pub(super) fn config_of(info: &Info) -> pull::Config {
    let config = info.config.clone();
    pull::Config {
        durable_name: Some(info.name.clone()),
        ack_policy: config.ack_policy,
        ack_wait: config.ack_wait,
        max_deliver: config.max_deliver,
        max_waiting: config.max_waiting,
        max_ack_pending: config.max_ack_pending,
        num_replicas: config.num_replicas,
        metadata: config.metadata,
        ..Default::default()
    }
}

fn check(facts: PoolFacts, settings: &PoolSettings) -> Result<PoolFacts, EngineError> {
    if settings.size.is_some_and(|size| size != facts.size) {
        return Err(EngineError::Config(format!(
            "the pool exists with size {}: connect without a size, and use `resize`",
            facts.size
        )));
    }
    if settings.lease.is_some_and(|lease| lease != facts.lease) {
        return Err(EngineError::Config(format!(
            "the pool exists with a lease of {:?}",
            facts.lease
        )));
    }
    Ok(facts)
}

/// The server knows no limit as -1.
fn limit_of(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(-1)
}

pub(super) fn size_of(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn streams(link: &Link, settings: &PoolSettings) -> [Config; 6] {
    let names = &link.names;
    let stream = |name: String, subjects: String| Config {
        name,
        subjects: vec![subjects],
        storage: StorageType::File,
        num_replicas: settings.replicas,
        duplicate_window: DUPLICATES,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        ..Default::default()
    };
    [
        Config {
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_messages: settings.max_tasks.map_or(-1, limit_of),
            ..stream(names.work_stream(), names.all("w.*.*"))
        },
        Config {
            max_age: settings.keep_results,
            duplicate_window: DUPLICATES.min(settings.keep_results),
            ..stream(names.result_stream(), names.all("r.*.*.*"))
        },
        stream(names.control_stream(), names.all("c.>")),
        Config {
            retention: RetentionPolicy::WorkQueue,
            ..stream(names.delayed_stream(), names.all("d.*.*.*"))
        },
        Config {
            max_age: KEEP_STARTS,
            max_messages_per_subject: 1,
            ..stream(names.starts_stream(), names.all("n.*"))
        },
        Config {
            max_age: KEEP_REFUSED.0,
            max_messages: KEEP_REFUSED.1,
            ..stream(names.refused_stream(), names.refused())
        },
    ]
}

fn workers(settings: &PoolSettings, size: usize) -> pull::Config {
    pull::Config {
        durable_name: Some(WORKERS.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: settings.lease.unwrap_or(DEFAULT_LEASE),
        max_deliver: -1,
        max_waiting: MAX_WAITING,
        max_ack_pending: limit_of(size),
        num_replicas: settings.replicas,
        ..Default::default()
    }
}

fn timers(settings: &PoolSettings) -> pull::Config {
    pull::Config {
        durable_name: Some(TIMERS.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: TIMER_LEASE,
        max_deliver: -1,
        max_ack_pending: MAX_DELAYED,
        num_replicas: settings.replicas,
        ..Default::default()
    }
}

/// Time after which a worker that is not heard of loses its tasks.
pub(super) const DEFAULT_LEASE: Duration = Duration::from_secs(30);

async fn make_stream(link: &Link, config: Config) -> Result<(), EngineError> {
    let name = config.name.clone();
    match link.js.get_stream(&name).await {
        Ok(_) => return Ok(()),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(cause)
                if cause.error_code() == ErrorCode::STREAM_NOT_FOUND => {}
            _ => return Err(EngineError::Rejected(error.to_string())),
        },
    }
    match link.js.create_stream(config).await {
        Ok(_) => Ok(()),
        // Another client has made it meanwhile, with other settings.
        Err(_) if link.js.get_stream(&name).await.is_ok() => Ok(()),
        Err(error) => Err(EngineError::Rejected(error.to_string())),
    }
}

async fn make_consumer(link: &Link, config: pull::Config, stream: &str) -> Result<(), EngineError> {
    let name = config.durable_name.clone().unwrap_or_default();
    let stream = link.stream(stream).await?;
    if stream.consumer_info(&name).await.is_ok() {
        return Ok(());
    }
    stream
        .create_consumer(config)
        .await
        .map(drop)
        .map_err(|error| EngineError::Rejected(error.to_string()))
}
