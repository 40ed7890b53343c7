use std::time::Duration;

use crate::fleet::error::EngineError;
use crate::fleet::nats::PoolSettings;
use crate::fleet::wire::check_name;

/// Shortest lease. The server stores times in seconds, so that a shorter one could end early when it is restarted.
const SHORTEST_LEASE: Duration = Duration::from_secs(2);

/// How a pool is found or created.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) pool: String,
    pub(crate) size: Option<usize>,
    pub(crate) lease: Option<Duration>,
    pub(crate) keep_results: Duration,
    pub(crate) max_tasks: Option<usize>,
    pub(crate) replicas: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pool: "default".to_owned(),
            size: None,
            lease: None,
            keep_results: Duration::from_secs(3600),
            max_tasks: None,
            replicas: 1,
        }
    }
}

impl Settings {
    /// Returns the name of the pool, if a pool can be like this.
    pub(crate) fn check(&self) -> Result<String, EngineError> {
        let config = |why: &str| Err(EngineError::Config(why.to_owned()));
        if self.size == Some(0) {
            return config("a pool of size 0 would never run a task: to hold tasks back, pause it");
        }
        if self.lease.is_some_and(|lease| lease < SHORTEST_LEASE) {
            return config("a lease has to be at least two seconds");
        }
        if self.keep_results.is_zero() || self.max_tasks == Some(0) {
            return config("a pool has to keep results for some time, and to hold a task");
        }
        if !matches!(self.replicas, 1..=5) {
            return config("the number of replicas has to be 1 to 5");
        }
        check_name(self.pool.clone())
    }

    pub(crate) fn pool_settings(&self) -> PoolSettings {
        PoolSettings {
            size: self.size,
            lease: self.lease,
            keep_results: self.keep_results,
            max_tasks: self.max_tasks,
            replicas: self.replicas,
        }
    }
}
