use aiopool::{AioPool, TimelineObserver};
use std::time::{Duration, Instant};
fn run(observed: bool, n: usize) -> Duration {
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    rt.block_on(async {
        let mut builder = AioPool::builder().size(100);
        let mut t = None;
        if observed {
            let timeline = TimelineObserver::create("/tmp/h1/cost.json")
                .unwrap()
                .limit(1 << 30);
            builder = builder.observer(timeline.clone());
            t = Some(timeline);
        }
        let pool = builder.build().unwrap();
        let begin = Instant::now();
        for _ in 0..n {
            pool.spawn_n(async {});
            if pool.waiting() > 1000 {
                pool.below(1).await;
            }
        }
        pool.join().await;
        let took = begin.elapsed();
        if let Some(t) = t {
            println!(
                "{:?} bytes {}",
                t.finish().unwrap(),
                std::fs::metadata("/tmp/h1/cost.json").unwrap().len()
            );
        }
        took
    })
}
fn main() {
    let n = 300_000;
    run(false, n);
    for _ in 0..5 {
        let (a, b) = (run(false, n), run(true, n));
        println!(
            "plain {:?}/task, observed {:?}/task",
            a / n as u32,
            b / n as u32
        );
    }
}
