use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use super::defaults::Defaults;
use super::settings::Settings;
use super::{FleetPool, Inner};
use crate::fleet::error::EngineError;
use crate::fleet::nats::{Client, Nats};
use crate::fleet::wire::Names;

/// What a [`FleetPool`] is to be. Made by [`FleetPool::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `connect` is called"]
pub struct FleetBuilder {
    nats: Nats,
    settings: Settings,
    patience: Duration,
}

impl FleetBuilder {
    pub(super) fn new(nats: Nats) -> Self {
        Self {
            nats,
            settings: Settings::default(),
            patience: Duration::from_secs(30),
        }
    }

    /// Name of the pool. The default is `default`.
    pub fn pool(mut self, name: impl Into<String>) -> Self {
        self.settings.pool = name.into();
        self
    }

    /// Maximum number of tasks that run at a time, over all workers. The pool is created with it if it does not exist.
    pub fn size(mut self, size: usize) -> Self {
        self.settings.size = Some(size);
        self
    }

    /// Time after which the tasks of a worker that is not heard of are given to others: the *lease*. The default is 30
    /// seconds, and the shortest one 2 seconds. It is a setting of the pool, fixed when it is created.
    ///
    /// A short lease lets others take over sooner. A long one lets tasks live through a longer outage of the network
    /// or of the server: they are dropped when 0.8 of it have passed without a word, and of a lease below 6 seconds 1.2
    /// seconds before its end.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = Some(lease);
        self
    }

    /// How long the server keeps outcomes. The default is an hour. A setting of the pool, fixed when it is created.
    pub fn keep_results(mut self, time: Duration) -> Self {
        self.settings.keep_results = time;
        self
    }

    /// Maximum number of tasks in the pool, waiting or running; more are refused with [`EngineError::Full`]. The default
    /// is no limit but the server's disk. A setting of the pool, fixed when it is created.
    ///
    /// A further try of a failed task that finds the pool full is put off.
    pub fn max_tasks(mut self, tasks: usize) -> Self {
        self.settings.max_tasks = Some(tasks);
        self
    }

    /// Number of servers that keep each task and outcome, 1 to 5; more than 1 needs a cluster. The default is 1. A
    /// setting of the pool, fixed when it is created.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.settings.replicas = replicas;
        self
    }

    /// How long a call waits for the server to answer, also while the connection is lost, before it ends with
    /// [`EngineError::Timeout`] or [`EngineError::Disconnected`]. The default is 30 seconds.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects, and creates the pool if it does not exist.
    ///
    /// # Errors
    ///
    /// [`EngineError::Connect`] if no server is reached or it refuses the credentials, [`EngineError::InvalidName`] for
    /// the name of the pool, [`EngineError::Config`] if the settings make no sense, if the pool exists with another size
    /// or lease, or if it does not exist and no size is given. Other errors come from the server.
    ///
    /// # Cancel safety
    ///
    /// Nothing is kept of a connection that is not finished, except a pool that was created.
    pub async fn connect(self) -> Result<FleetPool, EngineError> {
        let pool = self.settings.check()?;
        let settings = self.settings.pool_settings();
        let names = Names::new(pool.clone());
        let (client, facts) = Client::connect(self.nats, names, settings, self.patience).await?;
        let inner = Inner {
            size: AtomicUsize::new(facts.size),
            defaults: Defaults::new(client.owner()),
            client: Arc::new(client),
            name: pool,
            closed: Arc::new(AtomicBool::new(false)),
        };
        Ok(FleetPool {
            inner: Arc::new(inner),
        })
    }
}
