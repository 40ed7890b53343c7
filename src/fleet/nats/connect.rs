use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;

use crate::fleet::error::EngineError;

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

    /// Connects. The receiver is told of each lost and each new connection, and says whether there is one.
    pub(super) async fn connect(self) -> Result<(Client, watch::Receiver<bool>), EngineError> {
        let failed = |error: &dyn fmt::Display| EngineError::Connect(error.to_string());
        let servers = self
            .urls
            .split(',')
            .map(|url| url.trim().parse::<ServerAddr>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(&error))?;
        let (connected, watched) = watch::channel(true);
        let login = match self.login {
            Login::Url => login_in(&servers),
            ref login => login.clone(),
        };
        let options = self.options(login).await?.event_callback(move |event| {
            match event {
                Event::Connected => drop(connected.send_replace(true)),
                Event::Disconnected => drop(connected.send_replace(false)),
                _ => {}
            }
            std::future::ready(())
        });
        let client = options
            .connect(servers)
            .await
            .map_err(|error| failed(&error))?;
        Ok((client, watched))
    }

    async fn options(self, login: Login) -> Result<ConnectOptions, EngineError> {
        let options = match login {
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

/// Returns who an address says that we are: the client of NATS itself does not look there. A connection has one identity
/// for all servers, and the first address that names one decides.
fn login_in(servers: &[ServerAddr]) -> Login {
    let named = servers
        .iter()
        .find_map(|server| Some((decoded(server.username()?), server.password())));
    match named {
        Some((user, Some(password))) => Login::UserAndPassword(user, decoded(password)),
        Some((token, None)) => Login::Token(token),
        None => Login::Url,
    }
}

/// Replaces `%40` and the like by what they stand for in an address. Text that cannot be decoded stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        let (byte, after) = match (first, byte) {
            (b'%', Some(byte)) => (byte, &after[2..]),
            (plain, _) => (*plain, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
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
    fn an_address_may_say_who_we_are() {
        let login = |urls: &[&str]| {
            let servers: Vec<_> = urls.iter().map(|url| url.parse().unwrap()).collect();
            match login_in(&servers) {
                Login::UserAndPassword(user, password) => format!("{user} {password}"),
                Login::Token(token) => token,
                _ => "nobody".to_owned(),
            }
        };
        assert_eq!(login(&["nats://joe:p%40ss@host"]), "joe p@ss");
        assert_eq!(login(&["nats://host", "nats://s3cr%65t@other"]), "s3cret");
        assert_eq!(login(&["nats://a%2", "nats://host"]), "nobody");
        assert_eq!(login(&["nats://100%25%@host"]), "100%%");
    }

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
