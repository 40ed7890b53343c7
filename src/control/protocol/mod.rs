//! The wire protocol as plain values, with no socket and no pool: commands, replies, refusals and the handshake, and
//! how they are written and read.
//!
//! The [module above](super#the-wire-protocol) describes the protocol itself. [`Client`](super::Client) is a client of
//! it that blocks; the types here are for clients on another kind of socket.
//!
//! ```text
//! client: Command ─▶ line                          line ─▶ Answer, by the Command ─▶ Reply or Refusal
//! server: line ─ words ─▶ words ─ args, by the table ─▶ Command ─▶ (steer) ─▶ Reply or Refusal ─ text or JSON ─▶ line
//! ```
//!
//! # Examples
//!
//! A client that uses the sockets of tokio:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use aiopool::AioPool;
//! use aiopool::control::ControlServer;
//! use aiopool::control::protocol::{Answer, Command, Format, Handshake, Reply};
//! use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//! use tokio::net::TcpStream;
//!
//! # let pool = AioPool::builder().size(10).name("demo").build().unwrap();
//! # let (server, serving) = ControlServer::builder(&pool).serve_tcp("127.0.0.1:0").await?;
//! # tokio::spawn(serving);
//! let mut stream = BufReader::new(TcpStream::connect(server.local_addr().to_string()).await?);
//! let handshake = Handshake { format: Format::Json, ..Handshake::default() };
//! let command = Command::PoolSize(None);
//! stream.write_all(format!("{handshake}\n{command}\n").as_bytes()).await?;
//!
//! let mut lines = stream.lines();
//! let title = lines.next_line().await?.unwrap();
//! assert_eq!(title, r#"{"ok":"AioPool-demo"}"#);
//! let answer: Answer = lines.next_line().await?.unwrap().parse()?;
//! assert_eq!(answer.into_reply(&command)?, Ok(Reply::Size(10)));
//! # server.stop().await;
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```

mod answer;
mod args;
mod columns;
mod command;
mod fields;
mod format;
mod handshake;
mod line;
mod listing;
mod overview;
mod parse;
mod refusal;
mod reply;
mod set;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod usage;
mod value;
mod words;

pub use self::answer::Answer;
pub use self::columns::{columns, indented};
pub use self::command::{Command, Inputs, ItemKind, Launch};
pub use self::format::Format;
pub use self::handshake::Handshake;
pub use self::listing::{GroupLine, GroupList, StatsLine, TaskLine, TaskList};
pub use self::overview::{GroupTree, TimeSpread, Times, TreeLine};
pub(super) use self::parse::{parse, usage};
pub use self::refusal::{Refusal, RefusalKind};
pub use self::reply::{HelpText, Reply};
pub(super) use self::table::PoolKind;
pub use self::words::quote;
