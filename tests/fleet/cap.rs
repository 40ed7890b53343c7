use crate::support::jobs::SLEEP;
use crate::support::log::{concurrency, starts};
use crate::support::worker::runs_of;
use crate::support::{WorkerProcess, pool, with_server};

#[test]
fn never_more_tasks_run_than_the_size_says_and_the_permits_are_used() {
    with_server(async |server| {
        let pool = pool(&server, 20).await;
        let workers: Vec<_> = (0..3)
            .map(|n| WorkerProcess::start(&server, &format!("w{n}"), 16))
            .collect();
        let started = std::time::Instant::now();
        let outcomes = pool.map(SLEEP, vec![20_u64; 1500]).await;
        let took = started.elapsed();
        assert!(outcomes.iter().all(Result::is_ok));
        let runs = runs_of(&workers);
        assert!(starts(&runs).values().all(|starts| *starts == 1));
        assert_eq!((runs.len(), concurrency(&runs, 20)), (1500, (20, 0)));
        println!("{took:?}, at best 1.5 s");
    });
}
