//! Everything at once, at random: `AIOPOOL_FLEET_CHAOS` is for how many seconds, 6 without it. The seed is printed.

use std::time::{Duration, Instant};

use crate::support::clock::{self, MS};
use crate::support::jobs::SLEEP;
use crate::support::log::{concurrency, starts};
use crate::support::proxy::Proxy;
use crate::support::worker::{Options, runs_of};
use crate::support::{LEASE, Server, WorkerProcess, pool, with_server};
use rustix::process::Signal;
use tokio::time::sleep;

const SIZE: usize = 8;

/// A small generator: what matters is that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

struct Chaos {
    server: Server,
    proxy: Proxy,
    workers: Vec<WorkerProcess>,
    frozen: Option<usize>,
    cut: bool,
    random: Random,
}

impl Chaos {
    /// Half of the workers are behind a network that can be cut.
    fn start_worker(&mut self) {
        let number = self.workers.len();
        let url = match number % 2 {
            0 => self.server.url(),
            _ => self.proxy.url(),
        };
        let options = Options {
            url,
            slots: 6,
            max_attempts: 1000,
            wrapper: &[],
        };
        let worker = WorkerProcess::start_with(&self.server, &format!("w{number}"), &options);
        self.workers.push(worker);
    }

    fn happen(&mut self) {
        let alive: Vec<usize> = (0..self.workers.len())
            .filter(|n| !self.workers[*n].is_gone() && Some(*n) != self.frozen)
            .collect();
        let one = alive[self.random.below(alive.len() as u64) as usize];
        match self.random.below(6) {
            0 => {
                self.workers[one].kill();
                self.start_worker();
            }
            1 => {
                self.workers[one].stop();
                self.start_worker();
            }
            2 | 3 => match self.frozen.take() {
                Some(frozen) => self.workers[frozen].thaw(),
                None => {
                    self.workers[one].freeze();
                    self.frozen = Some(one);
                }
            },
            4 => {
                self.cut = !self.cut;
                self.proxy.set_frozen(self.cut);
            }
            _ => self.server.restart(Signal::TERM),
        }
    }

    fn calm(&mut self) {
        self.proxy.set_frozen(false);
        if let Some(frozen) = self.frozen.take() {
            self.workers[frozen].thaw();
        }
        self.start_worker();
    }
}

#[test]
fn whatever_happens_no_task_is_lost_and_the_size_holds() {
    with_server(async |server| {
        let seconds = std::env::var("AIOPOOL_FLEET_CHAOS")
            .map_or(6, |text| text.parse().expect("a number of seconds"));
        let seed = clock::now() | 1;
        println!("seed {seed}");
        let pool = pool(&server, SIZE).await;
        let proxy = Proxy::start(server.port()).await;
        let mut chaos = Chaos {
            server,
            proxy,
            workers: Vec::new(),
            frozen: None,
            cut: false,
            random: Random(seed),
        };
        (0..4).for_each(|_| chaos.start_worker());
        let mut handles = Vec::new();
        let ends = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < ends {
            for _ in 0..8 {
                let ms = 50 + chaos.random.below(700);
                handles.push(pool.spawn_n(SLEEP, &ms).await.expect("a task"));
            }
            sleep(Duration::from_millis(chaos.random.below(1500))).await;
            chaos.happen();
        }
        chaos.calm();
        let submitted = handles.len();
        for handle in handles {
            handle.await.expect("a result");
        }
        pool.join().await.expect("an end");
        assert_eq!(
            pool.stats().await.expect("figures").finished,
            submitted as u64
        );
        // A task that was given up may still be about to notice that.
        sleep(LEASE).await;
        let runs = runs_of(&chaos.workers);
        assert_eq!(starts(&runs).len(), submitted);
        let (most, above) = concurrency(&runs, SIZE);
        println!(
            "{submitted} tasks, {} runs, {most} at a time, {above} ns above",
            runs.len()
        );
        assert!(above < 100 * MS, "{most} of {SIZE}, for {above} ns");
    });
}
