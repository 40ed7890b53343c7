//! Looks at a fleet, and steers it: a pool over many machines, on a NATS server.

mod answers;
mod login;

use std::pin::pin;
use std::time::Duration;

use aiopool::control::protocol::{Answer, Refusal, RefusalKind};
use aiopool::fleet::{EngineError, FleetPool};
use async_io::{Timer, block_on};
use futures_util::future::{Either, select};
use serde_json::Value;

pub(crate) use self::login::Login;
use crate::failure::Failure;
use crate::fleet_args::FleetCommand;
use crate::output::print;

/// Executes a command, and prints the answer.
pub(crate) fn run(login: &Login, command: &FleetCommand, json: bool) -> Result<(), Failure> {
    if matches!(command, FleetCommand::Top) {
        return top(login, crate::top::fleet::DEFAULT_INTERVAL);
    }
    let answer = block_on(within(login.timeout, async {
        let pool = login.connect().await?;
        execute(&pool, command).await
    }));
    match answer {
        Ok(value) => print(name_of(command), &Answer::Done { value, more: None }, json),
        Err(error) => refuse(login, &error, json),
    }
}

/// Shows a dashboard.
pub(crate) fn top(login: &Login, interval: Duration) -> Result<(), Failure> {
    crate::top::check_terminal()?;
    match block_on(within(login.timeout, login.connect_for_top())) {
        Ok(pool) => crate::top::fleet::run(pool, login.hosts(), interval),
        Err(error) => refuse(login, &error, false),
    }
}

async fn execute(pool: &FleetPool, command: &FleetCommand) -> Result<Value, EngineError> {
    match command {
        FleetCommand::Stats => return Ok(answers::stats(pool.name(), &pool.stats().await?)),
        FleetCommand::Workers => return Ok(answers::workers(&pool.workers().await?)),
        FleetCommand::Tasks { number } => {
            let tasks = pool.tasks(usize::from(*number)).await?;
            return Ok(answers::tasks(&tasks, &pool.stats().await?));
        }
        FleetCommand::Cancel { ids } => {
            for id in ids {
                pool.cancel(id).await?;
            }
        }
        FleetCommand::CancelGroup { group } => pool.cancel_group(group).await?,
        FleetCommand::CancelAll => pool.cancel_all().await?,
        FleetCommand::Resize { size } => pool.resize(*size).await?,
        FleetCommand::Pause => pool.pause().await?,
        FleetCommand::Resume => pool.resume().await?,
        FleetCommand::Join => pool.join().await?,
        FleetCommand::Top => {}
    }
    Ok(Value::Null)
}

/// Returns what the answer is formatted by.
fn name_of(command: &FleetCommand) -> &'static str {
    match command {
        FleetCommand::Workers => "workers",
        FleetCommand::Tasks { .. } => "tasks",
        _ => "",
    }
}

/// Waits for at most the user's timeout, if there is one.
async fn within<T>(
    timeout: Option<Duration>,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let Some(timeout) = timeout else {
        return work.await;
    };
    match select(pin!(work), Timer::after(timeout)).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Err(EngineError::Timeout),
    }
}

/// Tells the user why not, and returns what the exit code follows from.
fn refuse(login: &Login, error: &EngineError, json: bool) -> Result<(), Failure> {
    let kind = match error {
        EngineError::Connect(_) | EngineError::Disconnected | EngineError::Timeout => {
            return Err(Failure::Connection(format!("{}: {error}", login.hosts())));
        }
        EngineError::InvalidName(_) => RefusalKind::Usage,
        EngineError::Config(_) => RefusalKind::Other("config".into()),
        _ => RefusalKind::Other("rejected".into()),
    };
    let refusal = Refusal::new(kind, error.to_string());
    print("", &Answer::Refused { refusal }, json)
}
