//! The command line.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::address::{Address, host_and_port};
use crate::connection::{Connection, Login};
use crate::failure::Failure;
use crate::fleet_args::{FleetAddress, FleetCommand};
use crate::top::Settings;
use crate::{fleet, one_shot, prompt, timeline, token, top};

const NOTES: &str = "\
Examples:
  aiopool unix /run/app.sock                 a prompt, with completion and history
  aiopool unix /run/app.sock resize 20       one command, its answer, and back
  aiopool tcp localhost:8001 --json stats    for programs: one JSON object
  aiopool unix /run/app.sock -- -h           what this pool can be told to do
  aiopool unix /run/app.sock start -h        and how
  aiopool top unix /run/app.sock             a live dashboard
  aiopool timeline run.json > run.html       a page of a run that is over
  aiopool nats nats://localhost:4222 thumbs stats

A server of asyncio-taskpool 1.1.4 is steered in the same way.

Exit codes:
    0  done
    1  the pool refused, or the file is no trace
    2  wrong usage, of this program or of a command
    3  cannot connect, or the connection was lost
  141  the output cannot be written, or its reader went away";

const FLEET_NOTES: &str = "\
Examples:
  aiopool nats nats://localhost:4222 thumbs workers
  AIOPOOL_TOKEN=… aiopool nats tls://a:4222,tls://b:4222 thumbs resize 200
  aiopool nats --creds me.creds nats://a:4222 thumbs tasks -n 100 --json";

const COMMAND_HELP: &str =
    "One command for the pool, with its arguments; without one there is a prompt";

/// Look at a running pool, and steer it.
#[derive(Debug, Parser)]
#[command(name = "aiopool", version, after_help = NOTES)]
struct Args {
    /// Print answers as JSON: {"ok": …} or {"error": {"kind": …, "message": …}}
    #[arg(long, global = true)]
    json: bool,
    /// What the server wants to see. On the command line others of this machine can read it: better use the variable
    #[arg(
        long,
        global = true,
        env = "AIOPOOL_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    token: Option<String>,
    /// Take the token from the first line of this file
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "token", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// How long to wait for the server, in seconds: to connect (5), and for each answer (30, and for ever where the command itself waits)
    #[arg(long, global = true, value_name = "SECONDS", value_parser = timeout)]
    timeout: Option<Duration>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Connect to HOST:PORT
    #[command(after_help = NOTES)]
    Tcp {
        /// Where the server listens, like localhost:8001 or [::1]:8001
        #[arg(value_name = "HOST:PORT", value_parser = host_and_port, value_hint = ValueHint::Hostname)]
        address: String,
        #[arg(help = COMMAND_HELP, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Connect to a Unix socket
    #[command(after_help = NOTES)]
    Unix {
        /// The server's socket, like /run/app.sock
        #[arg(value_hint = ValueHint::FilePath)]
        path: PathBuf,
        #[arg(help = COMMAND_HELP, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Look at a fleet, and steer it: a pool over many machines, on a NATS server
    #[command(after_help = FLEET_NOTES)]
    Nats {
        #[command(flatten)]
        at: FleetAddress,
        #[command(subcommand)]
        command: FleetCommand,
    },
    /// Show a live dashboard: counts over time, how long tasks wait and run, the longest of them, groups, and keys to steer the pool
    #[command(
        after_help = "Example:\n  aiopool top unix /run/app.sock\n\nThe key ? shows what the others do: 1 to 4 show tasks, those that have run longest, those that have waited longest, and groups.\nPercentiles need a pool that is built with timed(true). NO_COLOR=1 takes the colours away.\nWhere the server goes away, the dashboard says so, and connects again as soon as it can."
    )]
    Top {
        /// How often to ask the server, in seconds, from 0.1 to 60
        #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
        interval: Duration,
        /// Call the pool stuck when no task has ended for so many seconds, from 1 on, although tasks wait that only lack permits
        #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = stuck_after)]
        stuck_after: Duration,
        #[command(subcommand)]
        server: Server,
    },
    /// Print a page that shows a run, from a trace of `TimelineObserver`
    #[command(
        after_help = "Example:\n  aiopool timeline run.json > run.html\n\nThe page is one file, and loads nothing. A trace without its end, as after a crash, is shown so far."
    )]
    Timeline {
        /// The trace
        #[arg(value_name = "RUN.json", value_hint = ValueHint::FilePath)]
        path: PathBuf,
    },
    /// Print a script that completes this program's command line in a shell
    #[command(
        after_help = "Example, for bash:\n  aiopool completions bash > ~/.local/share/bash-completion/completions/aiopool"
    )]
    Completions { shell: Shell },
}

/// Where the dashboard connects to.
#[derive(Debug, Subcommand)]
enum Server {
    /// Connect to HOST:PORT
    Tcp {
        /// Where the server listens, like localhost:8001 or [::1]:8001
        #[arg(value_name = "HOST:PORT", value_parser = host_and_port, value_hint = ValueHint::Hostname)]
        address: String,
    },
    /// Connect to a Unix socket
    Unix {
        /// The server's socket, like /run/app.sock
        #[arg(value_hint = ValueHint::FilePath)]
        path: PathBuf,
    },
    /// Connect to a fleet: workers, permits, throughput
    Nats {
        #[command(flatten)]
        at: FleetAddress,
    },
}

/// Runs the program as the command line says.
pub(crate) fn run() -> ExitCode {
    let args = Args::parse();
    match dispatch(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(args: Args) -> Result<(), Failure> {
    let token = match &args.token_file {
        Some(path) => Some(token::read(path)?),
        None => args.token,
    };
    let login = |address| Login {
        address,
        token: token.clone(),
        width: width(),
        timeout: args.timeout,
    };
    let fleet = |at: FleetAddress| fleet_login(at, token.clone(), args.timeout);
    let (address, command) = match args.what {
        What::Nats { at, command } => return fleet::run(&fleet(at)?, &command, args.json),
        What::Tcp { address, command } => (Address::Tcp(address), command),
        What::Unix { path, command } => (Address::Unix(path), command),
        What::Top {
            interval,
            stuck_after,
            server,
        } => {
            let address = match server {
                Server::Tcp { address } => Address::Tcp(address),
                Server::Unix { path } => Address::Unix(path),
                Server::Nats { at } => return fleet::top(&fleet(at)?, interval),
            };
            let settings = Settings {
                interval,
                stuck_after,
            };
            return top::run(Connection::open(&login(address))?, settings);
        }
        What::Timeline { path } => return timeline::run(&path),
        What::Completions { shell } => return completions(shell),
    };
    let (command, json) = heard_anywhere(command, args.json);
    let connection = Connection::open(&login(address))?;
    match command.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => prompt::run(connection, json),
        ["top"] => top::run(connection, Settings::default()),
        _ => one_shot::run(connection, &command, json),
    }
}

fn fleet_login(
    mut at: FleetAddress,
    token: Option<String>,
    timeout: Option<Duration>,
) -> Result<fleet::Login, Failure> {
    if let Some(path) = &at.password_file {
        at.password = Some(token::read(path)?);
    }
    Ok(fleet::Login { at, token, timeout })
}

/// Parses a timeout, from a tenth of a second to a day.
fn timeout(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0.1..=86_400.0) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number from 0.1 to 86400".into()),
    }
}

/// Parses the interval of the dashboard. The limits exclude a busy loop and a dashboard that seems dead.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0.1..=60.0) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number from 0.1 to 60".into()),
    }
}

/// Parses the time after which a pool is called stuck.
fn stuck_after(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1.0..=86_400.0) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number from 1 to 86400".into()),
    }
}

/// Takes `--json` out of the command's words, wherever it stands: no command of a server has such an option, so it is
/// meant for this program.
fn heard_anywhere(mut command: Vec<String>, json: bool) -> (Vec<String>, bool) {
    let words = command.len();
    command.retain(|word| word != "--json");
    let json = json || command.len() < words;
    (command, json)
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "aiopool", &mut script);
    Ok(io::Write::write_all(&mut io::stdout(), &script)?)
}

/// Returns the width of the terminal, or 80 without one.
fn width() -> u16 {
    ratatui::crossterm::terminal::size().map_or(80, |(columns, _)| columns)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{CommandFactory, Parser};

    use super::{Args, What, heard_anywhere};

    fn command_of(line: &[&str]) -> Vec<String> {
        match Args::try_parse_from(line).unwrap().what {
            What::Tcp { command, .. } | What::Unix { command, .. } => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_follows_the_command_belongs_to_it() {
        let command = command_of(&["aiopool", "unix", "/run/x", "start", "-h"]);
        assert_eq!(command, ["start", "-h"]);
        let command = command_of(&["aiopool", "tcp", "h:1", "apply", "f", "-n", "2", "--json"]);
        assert_eq!(command, ["apply", "f", "-n", "2", "--json"]);
        let command = command_of(&["aiopool", "tcp", "h:1", "--", "-h"]);
        assert_eq!(command, ["-h"]);
    }

    #[test]
    fn json_is_heard_wherever_it_stands_and_a_token_before_the_command() {
        for line in [
            [
                "aiopool", "--json", "--token", "t", "unix", "/run/x", "stats",
            ],
            [
                "aiopool", "unix", "--json", "/run/x", "--token", "t", "stats",
            ],
            [
                "aiopool",
                "unix",
                "/run/x",
                "--token=t",
                "--json",
                "stats",
                "-x",
            ],
        ] {
            let args = Args::try_parse_from(line).unwrap();
            assert!(args.json && args.token.as_deref() == Some("t"), "{line:?}");
            let What::Unix { path, command } = args.what else {
                panic!()
            };
            assert_eq!(
                (path.as_path(), &*command[0]),
                (Path::new("/run/x"), "stats")
            );
        }
        let (command, json) = heard_anywhere(vec!["stats".into(), "--json".into()], false);
        assert_eq!((command.len(), json), (1, true));
    }
}
