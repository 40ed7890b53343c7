use std::sync::Arc;
use std::time::Duration;

use super::{Registry, Worker};
use crate::fleet::error::EngineError;
use crate::fleet::nats::{Driver, DriverOptions, Nats, PoolSettings};
use crate::fleet::pool::settings::Settings;
use crate::fleet::wire::{Names, check_name};
use crate::{AioPool, Spawner};

/// What a [`Worker`] is to be. Made by [`Worker::builder`].
#[derive(Debug)]
#[must_use = "nothing happens before `connect` is called"]
pub struct WorkerBuilder {
    nats: Nats,
    settings: Settings,
    slots: Option<usize>,
    local: Option<AioPool>,
    spawner: Option<SpawnerBox>,
    name: Option<String>,
    max_attempts: u32,
}

struct SpawnerBox(Box<dyn FnOnce(crate::Builder) -> crate::Builder + Send>);

impl std::fmt::Debug for SpawnerBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spawner")
    }
}

impl WorkerBuilder {
    pub(super) fn new(nats: Nats) -> Self {
        Self {
            nats,
            settings: Settings::default(),
            slots: None,
            local: None,
            spawner: None,
            name: None,
            max_attempts: 5,
        }
    }

    /// The pool that the worker works for. The default is `default`.
    pub fn pool(mut self, name: impl Into<String>) -> Self {
        self.settings.pool = name.into();
        self
    }

    /// Number of tasks that this worker runs at a time. The default is the number of cores.
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = Some(slots);
        self
    }

    /// The runtime on which tasks run. Without it, it is found as [`AioPool::new`] finds it, where [`Worker::run`] is
    /// first polled.
    pub fn spawner(mut self, spawner: impl Spawner) -> Self {
        let set = |builder: crate::Builder| builder.spawner(spawner);
        self.spawner = Some(SpawnerBox(Box::new(set)));
        self
    }

    /// Runs tasks in `pool`, which may have a rate, observers, and other tasks besides. Its size is the number of slots,
    /// at each moment; `slots` and `spawner` have no effect. A task that has to wait in `pool` holds its permit of the
    /// fleet meanwhile. One that is aborted there goes back to the fleet.
    pub fn local_pool(mut self, pool: AioPool) -> Self {
        self.local = Some(pool);
        self
    }

    /// Name of the worker in [`FleetPool::workers`](crate::fleet::FleetPool::workers). The default is a random one.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Number of starts after which a task is given up whose worker is lost each time. The default is 5. The third start
    /// and each later one, and the last one, are alone in their worker: such a task does not cost others an attempt.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Creates the pool with this size if it does not exist. Without it, [`connect`](Self::connect) waits until a client
    /// has created it.
    pub fn size(mut self, size: usize) -> Self {
        self.settings.size = Some(size);
        self
    }

    /// The lease of a pool that this worker creates: see [`FleetBuilder::lease`](crate::fleet::FleetBuilder::lease).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = Some(lease);
        self
    }

    /// Connects. The worker takes no task before [`Worker::run`] is polled.
    ///
    /// # Errors
    ///
    /// [`EngineError::Connect`] if no server is reached, [`EngineError::InvalidName`] for the name of the pool or of the
    /// worker, [`EngineError::Config`] if the pool exists with other settings, the slots or attempts are 0, or the
    /// server has no JetStream.
    ///
    /// # Cancel safety
    ///
    /// Nothing is kept of a connection that is not finished, except a pool that was created.
    pub async fn connect(self, registry: Registry) -> Result<Worker, EngineError> {
        let pool = self.settings.check()?;
        let name = self.name.map(check_name).transpose()?;
        if self.slots == Some(0) || self.max_attempts == 0 {
            let why = "a worker needs a slot, and a task an attempt";
            return Err(EngineError::Config(why.to_owned()));
        }
        let settings: PoolSettings = self.settings.pool_settings();
        let local = match self.local {
            Some(local) => local,
            None => local_pool(&pool, self.slots, self.spawner)?,
        };
        let options = DriverOptions {
            settings,
            id: name,
            max_attempts: self.max_attempts,
            jobs: registry.jobs().into_iter().map(str::to_owned).collect(),
            pool: local.clone(),
        };
        let (driver, events) = Driver::connect(self.nats, Names::new(pool), options).await?;
        Ok(Worker {
            driver,
            events,
            registry: Arc::new(registry),
            local,
        })
    }
}

fn local_pool(
    name: &str,
    slots: Option<usize>,
    spawner: Option<SpawnerBox>,
) -> Result<AioPool, EngineError> {
    let mut builder = AioPool::builder().name(name);
    if let Some(slots) = slots {
        builder = builder.size(slots);
    }
    if let Some(SpawnerBox(set)) = spawner {
        builder = set(builder);
    }
    builder
        .build()
        .map_err(|error| EngineError::Config(error.to_string()))
}
