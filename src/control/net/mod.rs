//! The sockets: which clients may connect, for how long, and how bytes are read and written.
//!
//! ```text
//! accept ─▶ Session ─ Lines ─▶ line ─▶ (protocol, steer) ─▶ reply ─▶ written, within a time
//!             └ all of them in one future, Serving: the caller's executor polls it
//! ```

mod address;
mod audit;
mod builder;
mod host;
#[cfg(all(test, aiopool_shuttle))]
mod in_memory;
mod limits;
mod lines;
mod listener;
mod secret;
mod server;
mod serving;
mod session;
mod signals;
mod slots;
mod time;
#[cfg(unix)]
mod unix;

pub use self::address::Address;
pub use self::audit::{AuditEvent, Peer};
pub use self::builder::Builder;
#[cfg(all(test, aiopool_shuttle))]
pub(crate) use self::in_memory::{Connection, Network};
#[cfg(any(fuzzing, test))]
pub(super) use self::lines::{Line, Lines};
pub use self::listener::ListeningSocket;
pub use self::server::ControlServer;
pub use self::serving::Serving;
