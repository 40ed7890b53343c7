use std::process::{Child, Command, Stdio};

use super::jobs::SLEEP;
use super::{POOL, Server};
use aiopool::fleet::{FleetPool, Nats};
use futures::StreamExt;

/// A client as a process of its own, which submits tasks `task-0`, `task-1`, … and waits for their results.
pub(crate) struct ClientProcess(Child);

impl ClientProcess {
    pub(crate) fn start(server: &Server, tasks: usize) -> Self {
        let exe = std::env::current_exe().expect("this program");
        let child = Command::new(exe)
            .args(["client_process", "--exact", "--nocapture"])
            .env("AIOPOOL_TEST_CLIENT", server.url())
            .env("AIOPOOL_TEST_TASKS", tasks.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("a client"))
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("a signal");
        self.0.wait().expect("its end");
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a client process does. In the process of the tests, nothing.
pub(crate) fn main() {
    let Ok(url) = std::env::var("AIOPOOL_TEST_CLIENT") else {
        return;
    };
    let tasks: usize = std::env::var("AIOPOOL_TEST_TASKS")
        .expect("a variable")
        .parse()
        .expect("a number");
    super::runtime().block_on(async {
        let pool = FleetPool::builder(Nats::new(url)).pool(POOL);
        let pool = pool.connect().await.expect("a pool");
        let run = async |n| pool.task(SLEEP, &20).id(format!("task-{n}")).exec().await;
        let results = futures::stream::iter(0..tasks).map(run).buffered(50);
        let results: Vec<_> = results.collect().await;
        println!("{}", results.len());
    });
}
