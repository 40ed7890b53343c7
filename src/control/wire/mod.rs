//! The wire protocol as plain values: lines in, lines out, with no socket and no pool.
//!
//! ```text
//! line ─ words ─▶ words ─ args, by the table ─▶ Call ─▶ (steer) ─▶ Reply or Failure ─ text or json ─▶ line
//! ```

mod args;
mod call;
mod handshake;
mod json;
mod parse;
mod reply;
mod set;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
mod usage;
mod value;
mod words;

pub(super) use self::call::{Begin, Call, Inputs};
pub(super) use self::handshake::Handshake;
pub(super) use self::parse::{parse, usage};
pub(super) use self::reply::{Failure, Format, GroupLine, Kind, Listing, Reply, StatsLine};
pub(super) use self::table::PoolKind;
pub use self::words::quote;
