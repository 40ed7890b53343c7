use std::borrow::Borrow;

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::batch::Batch;
use super::itermap::IterMap;
use super::{FleetPool, JobHandle};
use crate::fleet::error::{EngineError, JobError};
use crate::fleet::job::{Codec, Job};
use crate::{Input, Streamed};

/// Submitting many tasks of one job. Items are the arguments, or references to them.
impl FleetPool {
    /// Runs the job for each item, and returns the outcomes in input order.
    ///
    /// Items are taken as tasks end: at most twice as many as the pool's size are submitted and have no outcome.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels its tasks.
    pub async fn map<A, O, C, I>(&self, job: Job<A, O, C>, items: I) -> Vec<Result<O, JobError>>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
        I: IntoIterator,
        I::Item: Borrow<A>,
    {
        collect(self.itermap(job, items).ordered()).await
    }

    /// Runs the job for each item of a stream, and returns the outcomes in input order: as [`map`](Self::map).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels its tasks.
    pub async fn map_stream<A, O, C, S>(
        &self,
        job: Job<A, O, C>,
        items: S,
    ) -> Vec<Result<O, JobError>>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
        S: Stream,
        S::Item: Borrow<A>,
    {
        collect(self.itermap_stream(job, items).ordered()).await
    }

    /// Runs the job for each item, and returns the results in input order, or the first failure, which cancels the
    /// rest.
    ///
    /// # Errors
    ///
    /// The outcome of the first task without a result.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels its tasks.
    pub async fn try_map<A, O, C, I>(&self, job: Job<A, O, C>, items: I) -> Result<Vec<O>, JobError>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
        I: IntoIterator,
        I::Item: Borrow<A>,
    {
        try_collect(self.itermap(job, items)).await
    }

    /// Runs the job for each item of a stream: as [`try_map`](Self::try_map).
    ///
    /// # Errors
    ///
    /// The outcome of the first task without a result.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels its tasks.
    pub async fn try_map_stream<A, O, C, S>(
        &self,
        job: Job<A, O, C>,
        items: S,
    ) -> Result<Vec<O>, JobError>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
        S: Stream,
        S::Item: Borrow<A>,
    {
        try_collect(self.itermap_stream(job, items)).await
    }

    /// Submits a task for each item, in order, and returns their handles when the server has stored all of them.
    ///
    /// # Errors
    ///
    /// A task cannot be submitted, or the server does not take it. The tasks before it run on, and those behind it are
    /// cancelled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops submitting, and cancels the tasks that the server has not acknowledged yet.
    pub async fn map_n<A, O, C, I>(
        &self,
        job: Job<A, O, C>,
        items: I,
    ) -> Result<Vec<JobHandle<O>>, EngineError>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
        I: IntoIterator,
        I::Item: Borrow<A>,
    {
        let mut batch = Batch::new(self);
        for item in items {
            batch.submit(job, item.borrow()).await?;
        }
        batch.finish().await
    }

    /// Runs the job for each item, and returns a stream of the outcomes as they come.
    ///
    /// Nothing is submitted before the stream is polled. At most twice as many tasks as the pool's size are submitted
    /// and not read: see [`IterMap::buffer`].
    pub fn itermap<A, O, C, I>(&self, job: Job<A, O, C>, items: I) -> IterMap<I::IntoIter, A, O, C>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
        I: IntoIterator,
        I::Item: Borrow<A>,
    {
        IterMap::new(self.clone(), job, items.into_iter())
    }

    /// Runs the job for each item of a stream: as [`itermap`](Self::itermap).
    pub fn itermap_stream<A, O, C, S>(
        &self,
        job: Job<A, O, C>,
        items: S,
    ) -> IterMap<Streamed<S>, A, O, C>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
        S: Stream,
        S::Item: Borrow<A>,
    {
        IterMap::new(self.clone(), job, Streamed::new(items))
    }
}

async fn collect<I, A, O, C>(mut outcomes: IterMap<I, A, O, C>) -> Vec<Result<O, JobError>>
where
    A: Serialize,
    O: DeserializeOwned,
    C: Codec,
    I: Input,
    I::Item: Borrow<A>,
{
    let mut results = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        results.push(outcome);
    }
    results
}

async fn try_collect<I, A, O, C>(mut outcomes: IterMap<I, A, O, C>) -> Result<Vec<O>, JobError>
where
    A: Serialize,
    O: DeserializeOwned,
    C: Codec,
    I: Input,
    I::Item: Borrow<A>,
{
    let mut results = Vec::new();
    while let Some((place, outcome)) = outcomes.next_indexed().await {
        results.push((place, outcome?));
    }
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
