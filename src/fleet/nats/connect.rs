use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;

use super::super::error::EngineError;

/// How often the connection is checked, so that one that leads nowhere is noticed within three times this.
const PING: Duration = Duration::from_secs(2);

/// Longest time between two attempts to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How the servers are reached: addresses, encryption, and who we are.
///
/// A connection that is lost comes back by itself, to any of the servers.
///
/// ```
/// use aiopool::fleet::Nats;
///
/// let nats = Nats::new("nats://a.example:4222,nats://b.example:4222")
///     .credentials_file("/etc/thumbs/worker.creds")
///     .root_certificates("/etc/thumbs/ca.pem")
///     .require_tls();
/// # let _ = nats;
/// ```
#[derive(Clone)]
#[must_use = "it only describes a connection: give it to a `FleetPool` or a `Worker`"]
pub struct Nats {
    urls: String,
    login: Login,
    roots: Vec<PathBuf>,
    certificate: Option<(PathBuf, PathBuf)>,
    require_tls: bool,
    name: Option<String>,
}

#[derive(Clone)]
enum Login {
    Url,
    UserAndPassword(String, String),
    Token(String),
    CredentialsFile(PathBuf),
}

impl Nats {
    /// Servers at `urls`: one or more, separated by commas, as `nats://host:4222` or `tls://host:4222`. The address may
    /// contain `user:password@` or `token@`.
    pub fn new(urls: impl Into<String>) -> Self {
        Self {
            urls: urls.into(),
            login: Login::Url,
            roots: Vec::new(),
            certificate: None,
            require_tls: false,
            name: None,
        }
    }

    /// Authenticates with a user and a password. It replaces what was set before, as the two methods below do.
    pub fn user_and_password(
        mut self,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.login = Login::UserAndPassword(user.into(), password.into());
        self
    }

    /// Authenticates with a token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.login = Login::Token(token.into());
        self
    }

    /// Authenticates with the JWT and the key of a credentials file, as `nsc` writes it.
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.login = Login::CredentialsFile(path.into());
        self
    }

    /// Trusts the certificates of a PEM file, besides those of the operating system.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots.push(path.into());
        self
    }

    /// Presents a certificate to the server, with its key, both as PEM files.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Refuses to talk to a server without TLS. Without this, the server decides.
    pub fn require_tls(mut self) -> Self {
        self.require_tls = true;
        self
    }

    /// The name under which the server lists the connection.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Connects. The receiver counts the connections, so that whoever watches it learns of each new one.
    pub(super) async fn connect(self) -> Result<(Client, watch::Receiver<u64>), EngineError> {
        let failed = |error: &dyn fmt::Display| EngineError::Connect(error.to_string());
        let servers = self
            .urls
            .split(',')
            .map(|url| url.trim().parse::<ServerAddr>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(&error))?;
        let (connections, watched) = watch::channel(0);
        let options = self.options().await?.event_callback(move |event| {
            if event == Event::Connected {
                connections.send_modify(|count| *count += 1);
            }
            std::future::ready(())
        });
        let client = options
            .connect(servers)
            .await
            .map_err(|error| failed(&error))?;
        Ok((client, watched))
    }

    async fn options(self) -> Result<ConnectOptions, EngineError> {
        let options = match self.login {
            Login::Url => ConnectOptions::new(),
            Login::UserAndPassword(user, password) => {
                ConnectOptions::with_user_and_password(user, password)
            }
            Login::Token(token) => ConnectOptions::with_token(token),
            Login::CredentialsFile(path) => ConnectOptions::with_credentials_file(&path)
                .await
                .map_err(|error| EngineError::Connect(format!("{}: {error}", path.display())))?,
        };
        let options = self
            .roots
            .into_iter()
            .fold(options, ConnectOptions::add_root_certificates);
        let options = match self.certificate {
            Some((certificate, key)) => options.add_client_certificate(certificate, key),
            None => options,
        };
        Ok(options
            .name(self.name.as_deref().unwrap_or("aiopool"))
            .require_tls(self.require_tls)
            .ping_interval(PING)
            .reconnect_delay_callback(|attempts| {
                let doublings = u32::try_from(attempts.min(8)).unwrap_or(8);
                (Duration::from_millis(10) * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
            }))
    }
}

/// Neither the password nor the token is shown, and of an address only what is behind its `@`.
impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<&str> = self
            .urls
            .split(',')
            .map(|url| url.rsplit('@').next().unwrap_or_default())
            .collect();
        f.debug_struct("Nats")
            .field("servers", &hosts)
            .field("require_tls", &self.require_tls)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let nats = Nats::new("nats://joe:pass@host:4222, nats://tok@other")
            .user_and_password("joe", "pass");
        let text = format!("{nats:?}");
        assert!(
            text.contains("host:4222") && text.contains("other"),
            "{text}"
        );
        assert!(
            !text.contains("pass") && !text.contains("joe") && !text.contains("tok"),
            "{text}"
        );
    }
}
