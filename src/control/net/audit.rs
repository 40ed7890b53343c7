use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::unwind::{caught, discard};

/// The peer of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// The address that a client has connected from.
    Tcp(SocketAddr),
    /// The user and the process that have connected, where the system provides them.
    Unix {
        /// The user ID.
        uid: Option<u32>,
        /// The process ID.
        pid: Option<u32>,
    },
}

/// An event of a client, as passed to the hook of [`Builder::audit`](super::Builder::audit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent<'a> {
    /// The client has been admitted.
    Admitted,
    /// The client has sent a wrong token, or no token where one is required.
    WrongToken,
    /// The client has sent this line, which is about to be executed, or answered as wrong usage.
    Line(&'a str),
}

#[cfg(all(test, aiopool_shuttle))]
impl Peer {
    pub(super) const IN_MEMORY: Self = Self::Unix {
        uid: None,
        pid: None,
    };
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |number: &Option<u32>| number.map_or("?".into(), |number| number.to_string());
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix { uid, pid } => write!(f, "uid {} pid {}", known(uid), known(pid)),
        }
    }
}

type Hook = dyn Fn(&Peer, AuditEvent<'_>) + Send + Sync;

/// The audit hook, if there is one.
#[derive(Clone, Default)]
pub(super) struct Audit(Option<Arc<Hook>>);

impl Audit {
    pub(super) fn new(hook: impl Fn(&Peer, AuditEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Calls the hook. Returns `false` if it panicked.
    pub(super) fn report(&self, peer: &Peer, event: AuditEvent<'_>) -> bool {
        let Some(hook) = &self.0 else { return true };
        caught(|| hook(peer, event)).map_err(discard).is_ok()
    }
}
