//! The address of a control server.

use std::fmt;
use std::path::PathBuf;

/// An address of one of the two kinds of sockets that a control server can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(String),
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// Checks that the text is `HOST:PORT`, with brackets around an IPv6 address. The host is resolved later.
pub(crate) fn host_and_port(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').ok_or("it has no port: HOST:PORT")?;
    if host.is_empty() {
        return Err("it has no host: HOST:PORT".into());
    }
    if host.contains(':') && !host.starts_with('[') {
        return Err("an IPv6 address stands in brackets: [::1]:8001".into());
    }
    match port.parse::<u16>() {
        Ok(1..) => Ok(text.into()),
        _ => Err(format!("'{port}' is no port: a number from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::host_and_port;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for address in [
            "127.0.0.1:8001",
            "localhost:1",
            "[::1]:65535",
            "db.example.org:80",
        ] {
            assert_eq!(host_and_port(address).as_deref(), Ok(address));
        }
    }

    #[test]
    fn an_address_that_cannot_be_one_is_refused_with_the_reason() {
        for (address, reason) in [
            ("localhost", "no port"),
            (":8001", "no host"),
            ("::1:8001", "brackets"),
            ("localhost:http", "'http' is no port"),
            ("localhost:0", "'0' is no port"),
            ("localhost:65536", "'65536' is no port"),
            ("localhost:", "'' is no port"),
        ] {
            let error = host_and_port(address).unwrap_err();
            assert!(error.contains(reason), "{address}: {error}");
        }
    }
}
