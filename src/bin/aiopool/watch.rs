//! `watch`: one command with a stream of answers, which ends with the next line.

use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use aiopool::control::protocol::Answer;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::print;

/// The event that ends a `watch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The end of the program, or of the server.
    Ever,
    /// The Enter key.
    Enter,
    /// The first answer.
    Once,
}

/// Returns `true` if more answers follow this one.
pub(crate) fn goes_on(command: &str, answer: &Answer) -> bool {
    let watches = command.split_whitespace().next() == Some("watch");
    watches && matches!(answer, Answer::Done { value, .. } if value.get("active").is_some())
}

/// Prints the answers as they arrive, beginning with `first`.
pub(crate) fn follow(
    connection: &mut Connection,
    command: &str,
    first: &Answer,
    json: bool,
    until: Until,
) -> Result<(), Failure> {
    let _ender = Ender::begin(connection, until)?;
    let timeout = connection
        .timeout()
        .map(|timeout| timeout + interval(command));
    print(command, first, json)?;
    loop {
        match connection.next_answer(timeout)? {
            answer if !goes_on(command, &answer) => return Ok(()),
            // An end has been requested; answers that were sent before it are dropped.
            _ if until == Until::Once => {}
            answer => print(command, &answer, json)?,
        }
    }
}

/// Returns the time between two answers of a `watch`.
fn interval(command: &str) -> Duration {
    let options = ["-i", "--interval"];
    let mut words = command.split_whitespace();
    let told = words.by_ref().find_map(|word| {
        let begun = options.iter().find_map(|option| word.strip_prefix(option));
        begun.map(|rest| rest.trim_start_matches('='))
    });
    let told = told.map(|attached| match attached {
        "" => words.next().unwrap_or_default(),
        attached => attached,
    });
    let seconds = told.and_then(|told| told.parse().ok()).unwrap_or(1.0);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX / 2)
}

/// Sends the line that ends a `watch`, until this is dropped.
struct Ender {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ender {
    fn begin(connection: &Connection, until: Until) -> Result<Self, Failure> {
        let mut quiet = connection.sender()?;
        let over = Arc::new(AtomicBool::new(false));
        let mut thread = None;
        match until {
            Until::Ever => {}
            Until::Once => quiet.send("").map_err(|error| connection.lost(error))?,
            Until::Enter => {
                writeln!(io::stdout(), "Enter or Ctrl-C ends it.")?;
                let over = over.clone();
                thread = Some(thread::spawn(move || {
                    if read_line(&over) {
                        let _ = quiet.send("");
                    }
                }));
            }
        }
        Ok(Self { over, thread })
    }
}

impl Drop for Ender {
    /// Stops the thread and waits for it, so that the next line that is typed goes to the prompt.
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits for a line and reads it. Returns when `over` is set before a line arrives.
#[cfg(unix)]
fn read_line(over: &AtomicBool) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdin = io::stdin();
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: 50_000_000,
    };
    while !over.load(Relaxed) {
        let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
        if poll(&mut wanted, Some(&moment)).is_ok_and(|ready| ready > 0) {
            return stdin.lock().read_line(&mut String::new()).is_ok();
        }
    }
    false
}

#[cfg(not(unix))]
fn read_line(over: &AtomicBool) -> bool {
    let read = io::stdin().lock().read_line(&mut String::new());
    read.is_ok() && !over.load(Relaxed)
}

#[cfg(test)]
mod tests {
    use super::interval;

    #[test]
    fn the_interval_is_that_of_the_command() {
        for (command, seconds) in [
            ("watch", 1.0),
            ("watch -i 2.5 -g x", 2.5),
            ("watch -i3", 3.0),
            ("watch --interval=4", 4.0),
            ("watch --interval 5", 5.0),
            ("watch -i", 1.0),
        ] {
            assert_eq!(interval(command).as_secs_f64(), seconds, "{command}");
        }
    }
}
