//! Stands for the module `fleet` in a program that is built without it.

use std::time::Duration;

use crate::failure::{Failure, complain};
use crate::fleet_args::{FleetAddress, FleetCommand};

pub(crate) fn run(_: &Login, _: &FleetCommand, _: bool) -> Result<(), Failure> {
    Err(missing())
}

pub(crate) fn top(_: &Login, _: Duration) -> Result<(), Failure> {
    Err(missing())
}

/// The user's settings for the connection, which there is not.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "nothing connects")]
pub(crate) struct Login {
    pub(crate) at: FleetAddress,
    pub(crate) token: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

fn missing() -> Failure {
    complain("this program is built without the fleet: build it with --features cli,fleet");
    Failure::Usage
}
