//! What the dashboard asks for less often, since the server goes through all tasks and groups for it.

use std::time::{Duration, Instant};

use aiopool::control::protocol::{Command, GroupTree, RefusalKind, Reply, Times, TreeLine};

use super::feed::{News, refused, unexpected};
use crate::connection::Connection;
use crate::failure::Failure;

/// Number of tasks to ask for, of those that have run longest and of those that have waited longest.
const LONGEST: usize = 100;

/// Number of groups to ask for: more than a user scrolls through.
const GROUPS: usize = 200;

/// Maximum time between two requests, if the server is fast and the interval of the dashboard is not longer.
const SELDOM: Duration = Duration::from_secs(5);

/// An answer that took longer is not asked for at once after a command of the user.
const SLOW: Duration = Duration::from_millis(100);

/// Asks for the times of all tasks, and for the tree of groups.
#[derive(Debug)]
pub(super) struct Overview {
    interval: Duration,
    due: Instant,
    took: Duration,
    /// `false` if the server is older, and does not know the command.
    knows_times: bool,
    knows_tree: bool,
}

impl Overview {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            due: Instant::now(),
            took: Duration::ZERO,
            knows_times: true,
            knows_tree: true,
        }
    }

    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// Makes the next request due now, since a command may have changed what it shows.
    pub(super) fn hurry(&mut self) {
        if self.took <= SLOW {
            self.due = Instant::now();
        }
    }

    pub(super) fn ask(&mut self, connection: &mut Connection) -> Result<News, Failure> {
        let begun = Instant::now();
        let times = self.times(connection)?;
        let tree = self.tree(connection)?;
        self.took = begun.elapsed();
        self.due = Instant::now() + pause(self.interval, self.took);
        Ok(News::Overview { times, tree })
    }

    fn times(&mut self, connection: &mut Connection) -> Result<Option<Box<Times>>, Failure> {
        if !self.knows_times {
            return Ok(None);
        }
        let command = Command::Times {
            group: None,
            most: LONGEST,
        };
        match connection.run(&command)? {
            Ok(Reply::Times(times)) => Ok(Some(times)),
            Ok(other) => Err(unexpected(&other)),
            Err(why) if why.kind == RefusalKind::Usage => {
                self.knows_times = false;
                Ok(None)
            }
            Err(why) => Err(refused("times", &why)),
        }
    }

    fn tree(&mut self, connection: &mut Connection) -> Result<GroupTree, Failure> {
        if !self.knows_tree {
            return groups(connection);
        }
        match connection.run(&Command::Tree { most: GROUPS })? {
            Ok(Reply::Tree(tree)) => Ok(tree),
            Ok(other) => Err(unexpected(&other)),
            Err(why) if why.kind == RefusalKind::Usage => {
                self.knows_tree = false;
                groups(connection)
            }
            Err(why) => Err(refused("tree", &why)),
        }
    }
}

/// Returns the groups of a server that knows no tree: without their depth, and not the busiest first.
fn groups(connection: &mut Connection) -> Result<GroupTree, Failure> {
    match connection.run(&Command::Groups { most: GROUPS })? {
        Ok(Reply::Groups(list)) => {
            let mut tree = GroupTree::default();
            tree.groups = list.groups.into_iter().map(flat).collect();
            tree.more = list.more;
            Ok(tree)
        }
        Ok(other) => Err(unexpected(&other)),
        Err(why) => Err(refused("groups", &why)),
    }
}

fn flat(group: aiopool::control::protocol::GroupLine) -> TreeLine {
    let mut line = TreeLine::default();
    line.group = group;
    line
}

/// Returns the time until the next request: two intervals, and longer if the last one took long, so that the server spends
/// at most a twentieth of its time on it.
fn pause(interval: Duration, took: Duration) -> Duration {
    let usual = (2 * interval).min(SELDOM.max(interval));
    usual.max(20 * took)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::pause;

    #[test]
    fn it_is_asked_for_seldom_and_of_a_slow_server_even_less_often() {
        let [fast, slow] = [1, 500].map(Duration::from_millis);
        for (interval, took, expected) in [
            (0.2, fast, 0.4),
            (1.0, fast, 2.0),
            (4.0, fast, 5.0),
            (60.0, fast, 60.0),
            (1.0, slow, 10.0),
        ] {
            let interval = Duration::from_secs_f64(interval);
            assert_eq!(pause(interval, took), Duration::from_secs_f64(expected));
        }
    }
}
