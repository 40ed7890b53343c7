//! A client that blocks: one connection, which sends commands and reads answers.
//!
//! ```text
//! ClientBuilder ─ connect, handshake ─▶ Client ─ Command ─▶ line ─▶ (server) ─▶ line ─ Answer ─▶ Reply
//!                                         └ LineSender: the sending half, for another thread
//! ```

mod builder;
mod connection;
mod error;
mod line_sender;
mod socket;

pub use self::builder::ClientBuilder;
pub use self::connection::Client;
pub use self::error::ClientError;
pub use self::line_sender::LineSender;
