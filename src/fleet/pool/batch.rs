use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::submit::Options;
use super::{FleetPool, JobHandle};
use crate::fleet::error::EngineError;
use crate::fleet::job::{Codec, Job};
use crate::fleet::nats::{Place, Receipt, Window};
use crate::fleet::wire::FenceKey;

/// Tasks of one `map_n` that the server may not have acknowledged yet.
const WINDOW: u32 = 512;

/// Tasks that are submitted without a look at the acknowledgements.
const ROUND: u32 = 64;

/// The tasks of one `map_n`. When it is dropped before it is [finished](Self::finish), those that the server has not
/// acknowledged are cancelled.
pub(super) struct Batch<'p, O> {
    pool: &'p FleetPool,
    window: Arc<Window>,
    /// Places in the window that are taken, and have no task yet.
    places: u32,
    handles: Vec<JobHandle<O>>,
    finished: bool,
}

impl<'p, O: DeserializeOwned> Batch<'p, O> {
    pub(super) fn new(pool: &'p FleetPool) -> Self {
        Self {
            pool,
            window: Window::new(WINDOW),
            places: 0,
            handles: Vec::new(),
            finished: false,
        }
    }

    /// Submits the next task, as soon as there is a place for it.
    ///
    /// # Errors
    ///
    /// The first task that was not taken has failed with this error, and those behind it are cancelled.
    pub(super) async fn submit<A, C>(
        &mut self,
        job: Job<A, O, C>,
        arguments: &A,
    ) -> Result<(), EngineError>
    where
        A: Serialize,
        C: Codec,
    {
        if self.places == 0 {
            self.window.take(ROUND).await;
            self.places = ROUND;
            if self.window.refused().is_some() {
                return self.settle().await.map_err(|(_, error)| error);
            }
        }
        self.places -= 1;
        let options = Options {
            receipt: Receipt::Batch(Place::new(self.window.clone(), self.handles.len())),
            ..Options::default()
        };
        let defaults = &self.pool.inner.defaults;
        match self.pool.submit(job, arguments, defaults, options) {
            Ok(submitted) => {
                self.handles.push(submitted.handle);
                Ok(())
            }
            Err(error) => {
                let index = self.handles.len();
                match self.settle().await {
                    Err((earlier, refused)) if earlier < index => Err(refused),
                    _ => Err(error),
                }
            }
        }
    }

    /// Returns the handles when the server has acknowledged all tasks.
    pub(super) async fn finish(mut self) -> Result<Vec<JobHandle<O>>, EngineError> {
        self.settle().await.map_err(|(_, error)| error)?;
        Ok(std::mem::take(&mut self.handles))
    }

    /// Waits until no task is under way. If one was not taken, cancels those behind it, and returns its index and why.
    async fn settle(&mut self) -> Result<(), (usize, EngineError)> {
        self.window.settled(self.places).await;
        self.places = WINDOW;
        self.finished = true;
        let Some((index, error)) = self.window.refused() else {
            return Ok(());
        };
        self.cancel(self.handles.iter().skip(index + 1), std::future::ready(()));
        Err((index, error))
    }
}

impl<O> Batch<'_, O> {
    fn cancel<'h>(
        &self,
        tasks: impl Iterator<Item = &'h JobHandle<O>>,
        arrived: impl Future<Output = ()> + Send + 'static,
    ) where
        O: 'h,
    {
        let keys: Vec<_> = tasks
            .map(|task| FenceKey::Id(task.id().to_owned()))
            .collect();
        if !keys.is_empty() {
            self.pool.inner.client.abandon(keys, arrived);
        }
    }
}

impl<O> Drop for Batch<'_, O> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let client = &self.pool.inner.client;
        let unknown = self
            .handles
            .iter()
            .filter(|task| !client.is_accepted(task.id()));
        let (window, places) = (self.window.clone(), self.places);
        self.cancel(unknown, async move { window.settled(places).await });
    }
}
