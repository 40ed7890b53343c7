use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

use super::defaults::Defaults;
use super::guard::UnderWay;
use super::{FleetPool, JobHandle};
use crate::fleet::error::EngineError;
use crate::fleet::job::{Codec, Job};
use crate::fleet::nats::{Receipt, Submission};
use crate::fleet::wire::{Envelope, check_name, millis};

/// How a task is submitted.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) id: Option<String>,
    pub(super) batch: Option<String>,
    /// Waits to hear that the task has started.
    pub(super) notify: bool,
    pub(super) receipt: Receipt,
    pub(super) under_way: Option<UnderWay>,
}

/// A task that is under way to the server.
pub(super) struct Submitted<T> {
    pub(super) handle: JobHandle<T>,
    pub(super) started: Option<oneshot::Receiver<()>>,
}

impl FleetPool {
    /// Encodes a task and hands it over. Tasks reach the server in the order of these calls.
    pub(super) fn submit<A, O, C>(
        &self,
        job: Job<A, O, C>,
        arguments: &A,
        defaults: &Defaults,
        options: Options,
    ) -> Result<Submitted<O>, EngineError>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
    {
        if self.inner.closed.load(Ordering::Acquire) {
            return Err(EngineError::Closed);
        }
        let client = &self.inner.client;
        let id = match options.id {
            Some(id) => check_name(id)?,
            None => client.new_id(),
        };
        let envelope = Envelope {
            id: id.clone(),
            group: defaults.group.clone(),
            job: job.name().to_owned(),
            owner: client.owner().to_owned(),
            batch: options.batch,
            notify: options.notify,
            deadline: defaults.deadline.map(absolute),
            retry: defaults.retry.iter().copied().map(millis).collect(),
            tries: 0,
            moves: 0,
            starts: 0,
            origin: None,
            due: None,
            readable: true,
        };
        let subscribed = client.submit(Submission {
            envelope,
            arguments: C::encode(arguments).map_err(EngineError::Encode)?,
            receipt: options.receipt,
            under_way: options.under_way,
        })?;
        let handle = JobHandle::new(id, subscribed.outcome, C::decode::<O>, client.clone());
        Ok(Submitted {
            handle,
            started: subscribed.started,
        })
    }
}

/// Returns the time `after` from now, in milliseconds since 1970.
fn absolute(after: Duration) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    millis(now.unwrap_or(Duration::ZERO).saturating_add(after))
}
