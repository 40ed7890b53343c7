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
#[cfg(any(fuzzing, test))]
pub(super) use self::lines::{Line, Lines};
pub use self::listener::ListeningSocket;
pub use self::server::ControlServer;
pub use self::serving::Serving;
