//! Await points that run the caller's own code, in the caller's own task.

use futures::stream;

use crate::points::{End, Gives, MILLI, Point, Stage, end, ends, point};

/// Keeps the pool busy with tasks that end as the fault says.
fn busy(at: &Stage) {
    let work = at.work.clone();
    drop(at.pool.map_n(0..2, |_| work.future()));
}

pub(crate) const POINTS: &[Point] = &[
    point("run", Gives::InPlace(1), |at| {
        Box::pin(async move {
            at.pool.run(at.work.future()).await;
            vec![End::Value]
        })
    }),
    point("run with a weight", Gives::InPlace(1), |at| {
        Box::pin(async move {
            at.pool.permit().weight(2).run(at.work.future()).await;
            vec![End::Value]
        })
    }),
    point("run, after others", Gives::InPlace(1), |at| {
        Box::pin(async move {
            busy(&at);
            at.pool.run(at.work.future()).await;
            vec![End::Value]
        })
    }),
    point("acquire", Gives::Ends(0), |at| {
        Box::pin(async move {
            busy(&at);
            drop(at.pool.acquire().await);
            vec![]
        })
    })
    .outside(),
    point("acquire with a weight", Gives::Ends(0), |at| {
        Box::pin(async move {
            busy(&at);
            drop(at.pool.permit().weight(2).priority(1).acquire().await);
            vec![]
        })
    })
    .outside(),
    point("exec while a permit is held", Gives::Ends(1), |at| {
        Box::pin(async move {
            let permit = at.pool.try_acquire();
            let result = at.pool.exec(at.work.future()).await;
            drop(permit);
            vec![end(result)]
        })
    })
    .outside(),
    point("throttle", Gives::Ends(0), |at| {
        Box::pin(async move {
            let group = at
                .pool
                .keyed_with("rated", |group| group.rate(1, 2 * MILLI));
            drop(group.spawn_n(at.work.future()));
            group.throttle().await;
            group.throttle().await;
            vec![]
        })
    }),
    point("a task that waits for a rate", Gives::Ends(2), |at| {
        Box::pin(async move {
            let group = at
                .pool
                .keyed_with("rated", |group| group.rate(1, 2 * MILLI));
            let handles = [(); 2].map(|()| group.spawn_n(at.work.future()));
            let mut all = vec![];
            for handle in handles {
                all.push(end(handle.await));
            }
            all
        })
    }),
    point("scope", Gives::Ends(1), |at| {
        Box::pin(async move {
            let work = at.work.clone();
            let task = at
                .pool
                .scope(|tasks| async move { vec![tasks.spawn_n(work.future())] });
            let mut all = vec![];
            for handle in task.await {
                all.push(end(handle.await));
            }
            all
        })
    }),
    point("the body of a scope", Gives::InPlace(1), |at| {
        Box::pin(async move {
            let work = at.work.clone();
            let body = at.pool.scope(|tasks| async move {
                drop(tasks.map_n(0..3, |_| work.future()));
                work.future().await
            });
            body.await;
            vec![End::Value]
        })
    }),
    point(
        "map_stream of a stream that is pending",
        Gives::InPlace(1),
        |at| {
            Box::pin(async move {
                let items = stream::once(at.work.future());
                ends(at.pool.map_stream(items, |n| async move { n }).await)
            })
        },
    ),
    point("shutdown_on the end of a future", Gives::InPlace(0), |at| {
        Box::pin(async move {
            let group = at.pool.keyed("ends", 2);
            drop(group.map_n(0..3, |_| at.work.future()));
            group.shutdown_on(at.work.future(), MILLI).await;
            vec![]
        })
    }),
];
