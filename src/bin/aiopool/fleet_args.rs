//! The part of the command line that is about a fleet. It is understood also where the program is built without.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// A pool on a NATS server, and who the server is told that we are.
#[derive(Clone, Debug, Args)]
pub(crate) struct FleetAddress {
    /// The servers: nats://HOST:PORT or tls://HOST:PORT, several with commas between them
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: String,
    /// Name of the pool
    #[arg(value_name = "POOL")]
    pub(crate) pool: String,
    /// User name for the server
    #[arg(long, env = "AIOPOOL_NATS_USER", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Password of the user. On the command line others of this machine can read it: better use the variable
    #[arg(
        long,
        env = "AIOPOOL_NATS_PASSWORD",
        hide_env_values = true,
        requires = "user",
        value_name = "PASSWORD"
    )]
    pub(crate) password: Option<String>,
    /// Take the password from the first line of this file
    #[arg(long, requires = "user", conflicts_with = "password", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// Credentials file with a JWT and its key, as nsc writes it
    #[arg(long, env = "AIOPOOL_NATS_CREDS", conflicts_with = "user", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) creds: Option<PathBuf>,
    /// Trust the certificates of this PEM file, besides those of the system
    #[arg(long, env = "AIOPOOL_NATS_CA", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Option<PathBuf>,
    /// Present the certificate of this PEM file
    #[arg(long, env = "AIOPOOL_NATS_CERT", requires = "key", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) cert: Option<PathBuf>,
    /// PEM file with the key of the certificate
    #[arg(long, env = "AIOPOOL_NATS_KEY", requires = "cert", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,
    /// Refuse to talk to a server without TLS
    #[arg(long)]
    pub(crate) tls: bool,
}

/// What the fleet is told to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum FleetCommand {
    /// Print the figures of the pool
    Stats,
    /// List the workers that answer within half a second
    Workers,
    /// List tasks: first those that workers have, then those that wait, then those between two tries
    Tasks {
        /// How many, at most
        #[arg(short, long, value_name = "N", default_value_t = 20)]
        #[arg(value_parser = clap::value_parser!(u16).range(1..))]
        number: u16,
    },
    /// Cancel tasks. It is done when the server has the request: a task that does not exist is no error
    Cancel {
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Cancel all tasks of a group
    CancelGroup {
        #[arg(value_name = "GROUP")]
        group: String,
    },
    /// Cancel all tasks of the pool, of all clients
    CancelAll,
    /// Set how many tasks run at a time, over all workers
    Resize {
        #[arg(value_name = "SIZE")]
        size: usize,
    },
    /// Start nothing from now on. What runs goes on
    Pause,
    /// Start tasks again
    Resume,
    /// Wait until no task waits, runs, or is between two tries
    Join,
    /// Show a live dashboard: as `aiopool top nats`
    Top,
}
