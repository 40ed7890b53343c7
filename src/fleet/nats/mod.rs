//! The engine: NATS JetStream. No other folder names its client, and none of the client's types leaves this one.
//!
//! ```text
//! user's executor                       private thread "aiopool-fleet", a current_thread runtime of tokio
//!
//! FleetPool ─── Client ──── Thread ───▶ publisher ─▶ acknowledgements      (client)
//! JobHandle ◀── Waiters ◀────────────── results, events
//!
//! Worker ◀───── starts ◀─────────────── driver: pulls, leases, fences      (driver)
//!        ─────▶ reports ──────────────▶ driver: outcome stored, then acknowledged
//! ```
//!
//! The client of NATS needs tokio. It runs on a thread of its own, so that a program may use any runtime, and a job that
//! blocks its thread does not lose its lease. What crosses are messages and handles of tokio's tasks, which any
//! executor can poll.

mod admin;
mod attach;
mod client;
mod connect;
mod driver;
mod link;
mod outcomes;
mod patience;
mod publisher;
mod receipt;
mod setup;
mod stored;
mod tail;
mod thread;
mod waiters;
mod window;

pub(crate) use client::Client;
pub use connect::Nats;
pub(crate) use driver::{Driver, DriverEvents, DriverOptions};
pub(crate) use publisher::Submission;
pub(crate) use receipt::Receipt;
pub(crate) use setup::PoolSettings;
pub(crate) use waiters::Settled;
pub(crate) use window::{Place, Window};
