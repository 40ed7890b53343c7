//! What the dashboard is told, each by a thread of its own: keys, signals, and the server's news.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event};
use serde_json::Value;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::reply::Reply;

/// More tasks than anybody scrolls through.
const LISTED: usize = 200;

#[derive(Debug)]
pub(super) enum News {
    Terminal(Event),
    Signal(i32),
    Pool { stats: Value, tasks: Value },
    Answer { command: String, reply: Reply },
    Failed(Failure),
}

/// Keys, and other sizes of the terminal.
pub(super) fn terminal(news: Sender<News>) {
    thread::spawn(move || {
        loop {
            let (told, last) = match event::read() {
                Ok(event) => (News::Terminal(event), false),
                Err(error) => (News::Failed(Failure::Output(error)), true),
            };
            if news.send(told).is_err() || last {
                return;
            }
        }
    });
}

/// Signals that would end the program without giving the terminal back.
#[cfg(unix)]
pub(super) fn signals(news: Sender<News>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let _ = news.send(News::Signal(signal));
        }
    });
    Ok(())
}

/// There are none.
#[cfg(not(unix))]
pub(super) fn signals(_: Sender<News>) -> std::io::Result<()> {
    Ok(())
}

/// Asks the server in turns, and between them has it do what is wanted.
pub(super) fn server(
    mut connection: Connection,
    interval: Duration,
    wanted: Receiver<String>,
    news: Sender<News>,
) {
    thread::spawn(move || {
        let failed = follow(&mut connection, interval, &wanted, &news).err();
        if let Some(failure) = failed {
            let _ = news.send(News::Failed(failure));
        }
    });
}

fn follow(
    connection: &mut Connection,
    interval: Duration,
    wanted: &Receiver<String>,
    news: &Sender<News>,
) -> Result<(), Failure> {
    loop {
        let asked = Instant::now();
        let stats = value(connection, "stats")?;
        let mut tasks = value(connection, &format!("tasks -n {LISTED}"))?;
        for state in ["active", "waiting"] {
            if lacks(&tasks, state) {
                add_first(connection, &mut tasks, state)?;
            }
        }
        let _ = news.send(News::Pool { stats, tasks });
        match wanted.recv_timeout(rest(interval, asked.elapsed())) {
            Ok(command) => {
                let reply = connection.ask(&command)?;
                let _ = news.send(News::Answer { command, reply });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// Whether the list is cut, and none of its tasks is in this state.
fn lacks(tasks: &Value, state: &str) -> bool {
    let listed = tasks["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    tasks["more"].as_u64() > Some(0) && listed.iter().all(|task| task["state"] != state)
}

/// Adds the first task in this state: it has been in it for about the longest time.
fn add_first(connection: &mut Connection, tasks: &mut Value, state: &str) -> Result<(), Failure> {
    // An older server does not know the option.
    if let Reply::Done(first) = connection.ask(&format!("tasks -n 1 -s {state}"))? {
        add(tasks, first["tasks"][0].clone());
    }
    Ok(())
}

fn add(tasks: &mut Value, task: Value) {
    if !task.is_object() {
        return;
    }
    let more = tasks["more"].as_u64().unwrap_or_default();
    tasks["more"] = more.saturating_sub(1).into();
    if let Some(listed) = tasks["tasks"].as_array_mut() {
        listed.push(task);
    }
}

/// Of a server that has much to list the dashboard takes no more than a tenth of its time.
fn rest(interval: Duration, took: Duration) -> Duration {
    interval.saturating_sub(took).max(9 * took)
}

fn value(connection: &mut Connection, command: &str) -> Result<Value, Failure> {
    match connection.ask(command)? {
        Reply::Done(value) => Ok(value),
        Reply::Refused(why) => Err(Failure::Connection(format!(
            "the server refuses '{command}': {}",
            why.message
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{add, lacks, rest};

    #[test]
    fn a_cut_list_lacks_a_state_until_a_task_in_it_is_added() {
        let mut tasks = json!({"tasks": [{"id": 1, "state": "active"}], "more": 9});
        assert!(lacks(&tasks, "waiting") && !lacks(&tasks, "active"));
        add(&mut tasks, Value::Null);
        assert!(lacks(&tasks, "waiting"));
        add(&mut tasks, json!({"id": 7, "state": "waiting"}));
        assert!(!lacks(&tasks, "waiting") && tasks["more"] == 8);
        let whole = json!({"tasks": [], "more": 0});
        assert!(!lacks(&whole, "waiting"));
    }

    #[test]
    fn a_slow_server_is_asked_less_often() {
        let [second, moment] = [1000, 10].map(Duration::from_millis);
        assert_eq!(rest(second, moment), Duration::from_millis(990));
        assert_eq!(rest(second, second), Duration::from_secs(9));
    }
}
