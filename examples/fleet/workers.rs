//! Worker processes: this program again.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, ChildStdin, Command};

use crate::worker::ADDRESS;

/// Time after which a worker that was asked to stop is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// They end with their standard input, which is when this process ends, in whatever way.
pub(crate) struct Workers {
    children: Vec<Child>,
    inputs: Vec<ChildStdin>,
}

impl Workers {
    pub(crate) fn start(count: u16, url: &str, pool: &str, slots: u16) -> anyhow::Result<Self> {
        let start = |_| {
            let mut command = Command::new(env::current_exe()?);
            command
                .args(["--worker", "--pool", pool, "--jobs", &slots.to_string()])
                .env(ADDRESS, url)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .kill_on_drop(true);
            // Ctrl-C is for this process alone, which then stops the workers.
            #[cfg(unix)]
            command.process_group(0);
            command.spawn()
        };
        let children = (0..count).map(start).collect::<Result<Vec<_>, _>>();
        let mut children = children.context("cannot start a worker")?;
        // Waiting for a child would close its input.
        let inputs = children.iter_mut().filter_map(|child| child.stdin.take());
        Ok(Self {
            inputs: inputs.collect(),
            children,
        })
    }

    /// Kills a worker, and returns the id of its process.
    pub(crate) fn kill_one(&mut self) -> anyhow::Result<u32> {
        let worker = self.children.first_mut().context("no worker to kill")?;
        let id = worker.id().context("the worker to kill has ended")?;
        worker.start_kill()?;
        Ok(id)
    }

    /// Waits until all of them have ended. If there were none, the work is done elsewhere.
    pub(crate) async fn all_ended(&mut self) {
        if self.children.is_empty() {
            std::future::pending::<()>().await;
        }
        for worker in &mut self.children {
            let _ = worker.wait().await;
        }
    }

    /// Stops them, and waits for that.
    pub(crate) async fn stop(self) {
        drop(self.inputs);
        for mut worker in self.children {
            if tokio::time::timeout(PATIENCE, worker.wait()).await.is_err() {
                let _ = worker.kill().await;
            }
        }
    }
}
