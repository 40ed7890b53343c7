//! Connects to the fleet that the user has named.

use std::time::Duration;

use aiopool::fleet::{EngineError, FleetPool, Nats};

use crate::fleet_args::FleetAddress;

/// How long the dashboard waits for an answer before it says that there is no connection.
const TOP_PATIENCE: Duration = Duration::from_secs(3);

/// The user's settings for the connection.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) at: FleetAddress,
    pub(crate) token: Option<String>,
    /// The user's timeout for the command, if given.
    pub(crate) timeout: Option<Duration>,
}

impl Login {
    /// Connects to a pool that exists.
    pub(crate) async fn connect(&self) -> Result<FleetPool, EngineError> {
        let pool = FleetPool::builder(self.nats()).pool(&self.at.pool);
        pool.connect().await
    }

    /// Connects with little patience: the dashboard goes on asking.
    pub(crate) async fn connect_for_top(&self) -> Result<FleetPool, EngineError> {
        let pool = FleetPool::builder(self.nats()).pool(&self.at.pool);
        pool.patience(TOP_PATIENCE).connect().await
    }

    /// Returns the servers without what may be a secret in their addresses.
    pub(crate) fn hosts(&self) -> String {
        let hosts = self
            .at
            .url
            .split(',')
            .map(|url| match url.rsplit_once('@') {
                Some((_, host)) => host,
                None => url.trim(),
            });
        hosts.collect::<Vec<_>>().join(",")
    }

    fn nats(&self) -> Nats {
        let at = &self.at;
        let mut nats = Nats::new(&at.url).name("aiopool cli");
        if let Some(token) = &self.token {
            nats = nats.token(token);
        }
        if let Some(user) = &at.user {
            nats = nats.user_and_password(user, at.password.as_deref().unwrap_or_default());
        }
        if let Some(path) = &at.creds {
            nats = nats.credentials_file(path);
        }
        if let Some(path) = &at.ca {
            nats = nats.root_certificates(path);
        }
        if let (Some(certificate), Some(key)) = (&at.cert, &at.key) {
            nats = nats.client_certificate(certificate, key);
        }
        match at.tls {
            true => nats.require_tls(),
            false => nats,
        }
    }
}
