//! Worker processes: this program again.

use std::env;
use std::process::{Child, Command, Stdio};

use crate::Contender;
use crate::bare::{self, Bare};
use crate::ours::{self, Ours};
use crate::server::Server;

/// What a process is: a worker of one of the contenders.
pub(crate) const ROLE: &str = "AIOPOOL_BENCH_ROLE";
const URL: &str = "AIOPOOL_BENCH_URL";
const SLOTS: &str = "AIOPOOL_BENCH_SLOTS";

pub(crate) struct Workers {
    children: Vec<Child>,
}

impl Workers {
    pub(crate) fn start(role: &str, server: &Server, count: usize, slots: usize) -> Self {
        let start = |_| {
            Command::new(env::current_exe().expect("this program"))
                .env(ROLE, role)
                .env(URL, server.url())
                .env(SLOTS, slots.to_string())
                .stdin(Stdio::null())
                .spawn()
                .expect("a worker")
        };
        Self {
            children: (0..count).map(start).collect(),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Works until the process is killed.
pub(crate) async fn work(role: &str) {
    let url = env::var(URL).expect("an address");
    let slots = env::var(SLOTS).expect("slots").parse().expect("a number");
    match role {
        Ours::ROLE => ours::work(&url, slots).await,
        Bare::ROLE => bare::work(&url, slots).await,
        other => panic!("no role {other}"),
    }
}
