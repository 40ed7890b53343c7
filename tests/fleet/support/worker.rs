use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aiopool::fleet::{Nats, Worker};
use rustix::process::{Pid, Signal, kill_process};

use super::log::{self, Log, RunTime, Standstill};
use super::{POOL, Server, clock, jobs};

/// A worker as a process of its own: this test binary, which runs `worker_process`.
pub(crate) struct WorkerProcess {
    child: Child,
    name: String,
    log: PathBuf,
    standstill: Standstill,
    stopped_at: Option<u64>,
    replaced: bool,
}

/// What a worker process is to be.
pub(crate) struct Options<'o> {
    pub(crate) url: String,
    pub(crate) slots: usize,
    pub(crate) max_attempts: u32,
    /// Put before the command.
    pub(crate) wrapper: &'o [&'o str],
}

impl WorkerProcess {
    pub(crate) fn start(server: &Server, name: &str, slots: usize) -> Self {
        Self::start_with(
            server,
            name,
            &Options {
                url: server.url(),
                slots,
                max_attempts: 5,
                wrapper: &[],
            },
        )
    }

    pub(crate) fn start_with(server: &Server, name: &str, options: &Options<'_>) -> Self {
        let log = server.directory().join(format!("{name}.log"));
        let exe = std::env::current_exe().expect("this program");
        let mut words = options.wrapper.iter().map(|&word| word.to_owned());
        let first = words.next();
        let mut command = match first {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(words).arg(exe);
                command
            }
            None => Command::new(exe),
        };
        let child = command
            .args(["worker_process", "--exact", "--nocapture"])
            .env("AIOPOOL_TEST_WORKER", &options.url)
            .env("AIOPOOL_TEST_NAME", name)
            .env("AIOPOOL_TEST_LOG", &log)
            .env("AIOPOOL_TEST_SLOTS", options.slots.to_string())
            .env("AIOPOOL_TEST_ATTEMPTS", options.max_attempts.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a worker");
        Self {
            child,
            name: name.to_owned(),
            log,
            standstill: Standstill::default(),
            stopped_at: None,
            replaced: false,
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a signal");
        self.child.wait().expect("its end");
        self.standstill.gone = Some(clock::now());
    }

    /// `kill -TERM`: it stops with a grace of a second.
    pub(crate) fn stop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a signal");
    }

    /// `kill -INT`: it stops without grace.
    pub(crate) fn stop_at_once(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("a signal");
    }

    pub(crate) fn wait(&mut self) {
        self.child.wait().expect("its end");
        self.standstill.gone = Some(clock::now());
    }

    /// Returns `true` if the process has ended.
    pub(crate) fn is_gone(&mut self) -> bool {
        let gone = self.child.try_wait().expect("its state").is_some();
        if gone && self.standstill.gone.is_none() {
            self.standstill.gone = Some(clock::now());
        }
        gone
    }

    /// Notes that another one was started in its place.
    pub(crate) fn replace(&mut self) {
        self.replaced = true;
    }

    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced
    }

    pub(crate) fn freeze(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).expect("a signal");
        self.stopped_at = Some(clock::now());
    }

    pub(crate) fn thaw(&mut self) {
        let from = self.stopped_at.take().expect("a frozen worker");
        self.standstill.stopped.push((from, clock::now()));
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("a signal");
    }

    pub(crate) fn runs(&self) -> Vec<RunTime> {
        log::read(&self.name, &self.log, &self.standstill)
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The runs of all these workers.
pub(crate) fn runs_of(workers: &[WorkerProcess]) -> Vec<RunTime> {
    workers.iter().flat_map(WorkerProcess::runs).collect()
}

/// What a worker process does. In the process of the tests, nothing.
pub(crate) fn main() {
    let Ok(url) = std::env::var("AIOPOOL_TEST_WORKER") else {
        return;
    };
    let variable = |name: &str| std::env::var(name).expect("a variable");
    let name = variable("AIOPOOL_TEST_NAME");
    let log = Box::leak(Box::new(Log::open(variable("AIOPOOL_TEST_LOG").as_ref())));
    super::runtime().block_on(async {
        let connect = || {
            Worker::builder(Nats::new(url.clone()))
                .pool(POOL)
                .name(name.clone())
                .slots(variable("AIOPOOL_TEST_SLOTS").parse().expect("a number"))
                .max_attempts(variable("AIOPOOL_TEST_ATTEMPTS").parse().expect("a number"))
                .connect(jobs::registry(log, name.clone()))
        };
        // The server may be about to start, or the network be cut.
        let worker = loop {
            match connect().await {
                Ok(worker) => break worker,
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate()).expect("a signal");
        let mut interrupt = signal(SignalKind::interrupt()).expect("a signal");
        let stopper = worker.stopper();
        tokio::spawn(async move {
            interrupt.recv().await;
            stopper.stop(Duration::ZERO);
        });
        let stopped = worker
            .run_until(term.recv(), Duration::from_secs(1))
            .await
            .expect("a report");
        println!("{stopped:?}");
    });
}
