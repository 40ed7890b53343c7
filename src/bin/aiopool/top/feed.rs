//! The sources of news for the dashboard, each a thread of its own: keys, signals, and the server.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use aiopool::TaskState;
use aiopool::control::protocol::{
    Answer, Command, Format, GroupTree, Refusal, Reply, StatsLine, TaskLine, TaskList, Times,
};
use ratatui::crossterm::event::{self, Event};

use super::overview::Overview;
use crate::connection::Connection;
use crate::failure::Failure;

/// Number of tasks to ask for: more than a user scrolls through.
const LISTED: usize = 200;

/// Maximum time between two attempts to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) enum News {
    Terminal(Event),
    Signal(i32),
    Pool {
        stats: Box<StatsLine>,
        tasks: TaskList,
    },
    /// What is asked for less often.
    Overview {
        /// `None` if the server does not know the command.
        times: Option<Box<Times>>,
        tree: GroupTree,
    },
    Answer {
        command: String,
        answer: Answer,
    },
    /// A command was not answered, and will not be.
    Unanswered {
        command: String,
        why: &'static str,
    },
    /// The connection was lost, or an attempt to connect again has failed.
    Lost(String),
    /// There is a connection again, with the server's name of its pool.
    Back(String),
    Failed(Failure),
}

/// Sends keys and new sizes of the terminal.
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

/// Sends signals that would otherwise end the program without restoring the terminal.
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

/// Does nothing: there are no such signals.
#[cfg(not(unix))]
pub(super) fn signals(_: Sender<News>) -> std::io::Result<()> {
    Ok(())
}

/// Asks the server at each interval, and sends the user's commands in between. If the connection is lost, it connects
/// again.
pub(super) fn server(
    connection: Connection,
    interval: Duration,
    wanted: Receiver<String>,
    news: Sender<News>,
) {
    let mut feed = Feed {
        connection,
        interval,
        wanted,
        news,
    };
    thread::spawn(move || {
        if let Err(failure) = feed.follow_all() {
            feed.tell(News::Failed(failure));
        }
    });
}

struct Feed {
    connection: Connection,
    interval: Duration,
    wanted: Receiver<String>,
    news: Sender<News>,
}

impl Feed {
    /// Uses one connection after the other, until the dashboard ends or connecting again is impossible.
    fn follow_all(&mut self) -> Result<(), Failure> {
        while let Err(failure) = self.follow() {
            let Failure::Connection(why) = failure else {
                return Err(failure);
            };
            if !self.reconnect(why)? {
                break;
            }
        }
        Ok(())
    }

    fn follow(&mut self) -> Result<(), Failure> {
        let mut overview = Overview::new(self.interval);
        loop {
            let asked = Instant::now();
            let stats = self.stats()?;
            let mut tasks = self
                .tasks(LISTED, None)?
                .map_err(|why| refused("tasks", &why))?;
            for state in [TaskState::Active, TaskState::Waiting] {
                if lacks(&tasks, state) {
                    self.add_first(&mut tasks, state)?;
                }
            }
            self.tell(News::Pool { stats, tasks });
            let pause = rest(self.interval, asked.elapsed());
            if overview.is_due() {
                let told = overview.ask(&mut self.connection)?;
                self.tell(told);
            }
            match self.wanted.recv_timeout(pause) {
                Ok(command) => {
                    self.send(command)?;
                    overview.hurry();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn stats(&mut self) -> Result<Box<StatsLine>, Failure> {
        match self.connection.run(&Command::Stats(None))? {
            Ok(Reply::Stats(stats)) => Ok(stats),
            Ok(other) => Err(unexpected(&other)),
            Err(why) => Err(refused("stats", &why)),
        }
    }

    /// Returns the first tasks, in this state if there is one.
    fn tasks(
        &mut self,
        most: usize,
        state: Option<TaskState>,
    ) -> Result<Result<TaskList, Refusal>, Failure> {
        let command = Command::Tasks {
            group: None,
            state,
            most,
        };
        match self.connection.run(&command)? {
            Ok(Reply::Tasks(tasks)) => Ok(Ok(tasks)),
            Ok(other) => Err(unexpected(&other)),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Adds the first task in this state: it has been in it for about the longest time.
    fn add_first(&mut self, tasks: &mut TaskList, state: TaskState) -> Result<(), Failure> {
        // An older server refuses the option.
        if let Ok(first) = self.tasks(1, Some(state))? {
            add(tasks, first.tasks.into_iter().next());
        }
        Ok(())
    }

    fn send(&mut self, command: String) -> Result<(), Failure> {
        let answer = self.connection.request(&command).inspect_err(|_| {
            let why = "the connection was lost, and nobody knows whether it was done";
            let command = command.clone();
            self.tell(News::Unanswered { command, why });
        })?;
        self.tell(News::Answer { command, answer });
        Ok(())
    }

    /// Connects again as soon as possible. Returns `false` if the dashboard ends before.
    fn reconnect(&mut self, mut why: String) -> Result<bool, Failure> {
        for pause in pauses(self.interval) {
            self.tell(News::Lost(why));
            if !self.refuse_for(pause) {
                return Ok(false);
            }
            match self.connection.revive() {
                Ok(_) => break,
                Err(Failure::Connection(reason)) => why = reason,
                Err(failure) => return Err(failure),
            }
        }
        // Commands that were given meanwhile were meant for the pool that was shown, and this may be another.
        let wanted = self.refuse_for(Duration::ZERO);
        check_format(&self.connection)?;
        self.tell(News::Back(self.connection.server().into()));
        Ok(wanted)
    }

    /// Refuses all commands for this time. Returns `false` if the dashboard ends meanwhile.
    fn refuse_for(&self, time: Duration) -> bool {
        let begun = Instant::now();
        loop {
            let left = time.saturating_sub(begun.elapsed());
            match self.wanted.recv_timeout(left) {
                Ok(command) => {
                    let why = "not sent, there is no connection";
                    self.tell(News::Unanswered { command, why });
                }
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    fn tell(&self, news: News) {
        let _ = self.news.send(news);
    }
}

/// Returns an error if the server has no JSON protocol: then it is not one of this crate, and lacks commands that the
/// dashboard needs.
pub(super) fn check_format(connection: &Connection) -> Result<(), Failure> {
    match connection.format() {
        Format::Json => Ok(()),
        Format::Text => Err(Failure::Foreign),
    }
}

/// Returns the pauses before each attempt to connect again: first the interval, then twice as long each time, up to
/// [`LONGEST_PAUSE`].
fn pauses(interval: Duration) -> impl Iterator<Item = Duration> {
    let longer = |pause: &Duration| Some((*pause * 2).min(LONGEST_PAUSE));
    std::iter::successors(Some(interval.min(LONGEST_PAUSE)), longer)
}

/// Returns `true` if the list is cut and contains no task in this state.
fn lacks(list: &TaskList, state: TaskState) -> bool {
    list.more > 0 && list.tasks.iter().all(|task| task.state != state)
}

fn add(list: &mut TaskList, task: Option<TaskLine>) {
    if let Some(task) = task {
        list.more = list.more.saturating_sub(1);
        list.tasks.push(task);
    }
}

/// Returns the pause until the next request. It is at least nine times as long as the last request took, so that the
/// dashboard uses at most a tenth of the server's time.
fn rest(interval: Duration, took: Duration) -> Duration {
    interval.saturating_sub(took).max(9 * took)
}

pub(super) fn refused(command: &str, why: &Refusal) -> Failure {
    Failure::Unwelcome(format!("the server refuses '{command}': {why}"))
}

pub(super) fn unexpected(reply: &Reply) -> Failure {
    Failure::Connection(format!("the server answers with something else: {reply:?}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aiopool::TaskState::{Active, Waiting};
    use serde_json::{Value, from_value, json};

    use super::{TaskList, add, lacks, pauses, rest};

    fn list(list: Value) -> TaskList {
        from_value(list).unwrap()
    }

    #[test]
    fn a_cut_list_lacks_a_state_until_a_task_in_it_is_added() {
        let mut tasks =
            list(json!({"tasks": [{"id": 1, "name": "a", "state": "active"}], "more": 9}));
        assert!(lacks(&tasks, Waiting) && !lacks(&tasks, Active));
        add(&mut tasks, None);
        assert!(lacks(&tasks, Waiting));
        let mut waiting = list(json!({"tasks": [{"id": 7, "name": "b", "state": "waiting"}]}));
        add(&mut tasks, waiting.tasks.pop());
        assert!(!lacks(&tasks, Waiting) && tasks.more == 8);
        let whole = list(json!({"tasks": [], "more": 0}));
        assert!(!lacks(&whole, Waiting));
    }

    #[test]
    fn a_lost_server_is_tried_less_and_less_often_but_soon_enough() {
        let seconds = |interval| {
            let pauses = pauses(Duration::from_secs(interval)).take(5);
            pauses.map(|pause| pause.as_secs()).collect::<Vec<_>>()
        };
        assert_eq!(seconds(1), [1, 2, 4, 5, 5]);
        assert_eq!(seconds(60), [5; 5]);
    }

    #[test]
    fn a_slow_server_is_asked_less_often() {
        let [second, moment] = [1000, 10].map(Duration::from_millis);
        assert_eq!(rest(second, moment), Duration::from_millis(990));
        assert_eq!(rest(second, second), Duration::from_secs(9));
    }
}
