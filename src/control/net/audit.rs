use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::unwind::{caught, discard};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// The address that a client has connected from.
    Tcp(SocketAddr),
    /// The user and the process that have connected, where the system tells them.
    Unix {
        /// The number of the user.
        uid: Option<u32>,
        /// The number of the process.
        pid: Option<u32>,
    },
}

/// What a client does, as [`Builder::audit`](super::Builder::audit) is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent<'a> {
    /// It has been let in.
    Admitted,
    /// Its token is wrong, or there should have been one.
    WrongToken,
    /// It has sent this line, which is about to be obeyed, or answered as wrong.
    Line(&'a str),
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

/// The hook, if there is one.
#[derive(Clone, Default)]
pub(super) struct Audit(Option<Arc<Hook>>);

impl Audit {
    pub(super) fn new(hook: impl Fn(&Peer, AuditEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Tells the hook. Returns whether it has heard it: it may panic.
    pub(super) fn tell(&self, peer: &Peer, event: AuditEvent<'_>) -> bool {
        let Some(hook) = &self.0 else { return true };
        caught(|| hook(peer, event)).map_err(discard).is_ok()
    }
}
