//! Await points of the life of a pool.

use std::future::ready;
use std::sync::Arc;

use aiopool::{AioPool, Shutdown};

use crate::points::{Awaiting, Gives, MILLI, Point, Stage, point};

/// A group of the pool, which has tasks that end as the fault says: two that run, and two that wait.
fn busy(at: &Stage) -> AioPool {
    let (work, group) = (at.work.clone(), at.pool.keyed("busy", 2));
    drop(group.map_n(0..4, |_| work.future()));
    group
}

fn shut_down(at: &Stage, how: Shutdown) -> Awaiting {
    let group = busy(at);
    Box::pin(async move {
        group.shutdown(how).await;
        assert!(group.is_empty() && group.is_closed(), "after {how:?}");
        vec![]
    })
}

pub(crate) const POINTS: &[Point] = &[
    point("join", Gives::Ends(0), |at| {
        let group = busy(&at);
        Box::pin(async move {
            group.join().await;
            assert!(group.is_empty());
            vec![]
        })
    }),
    point("join of the pool", Gives::Ends(0), |at| {
        drop(busy(&at));
        Box::pin(async move {
            at.pool.join().await;
            vec![]
        })
    }),
    point("closed", Gives::Ends(0), |at| {
        let group = busy(&at);
        group.close();
        Box::pin(async move {
            group.closed().await;
            vec![]
        })
    }),
    point("below", Gives::Ends(0), |at| {
        let group = busy(&at);
        Box::pin(async move {
            group.below(1).await;
            vec![]
        })
    }),
    point("cancel_all", Gives::Stops(0), |at| {
        let group = busy(&at);
        Box::pin(async move {
            group.cancel_all().await;
            assert!(group.is_empty());
            vec![]
        })
    }),
    point("cancel_all of the pool", Gives::Stops(0), |at| {
        drop(busy(&at));
        Box::pin(async move {
            at.pool.cancel_all().await;
            vec![]
        })
    }),
    point("abort_all, then join", Gives::Stops(0), |at| {
        let group = busy(&at);
        Box::pin(async move {
            group.abort_all();
            group.join().await;
            vec![]
        })
    }),
    point("cancel_all twice", Gives::Stops(0), |at| {
        let group = busy(&at);
        Box::pin(async move {
            futures::join!(group.cancel_all(), group.cancel_all());
            vec![]
        })
    }),
    point("shutdown, drain", Gives::Ends(0), |at| {
        shut_down(&at, Shutdown::Drain)
    }),
    point("shutdown, waiting ones", Gives::Stops(0), |at| {
        shut_down(&at, Shutdown::CancelWaiting)
    }),
    point("shutdown, all", Gives::Stops(0), |at| {
        shut_down(&at, Shutdown::CancelAll)
    }),
    point("shutdown, deadline", Gives::Stops(0), |at| {
        shut_down(&at, Shutdown::Deadline(2 * MILLI))
    }),
    point("shutdown, grace", Gives::Stops(0), |at| {
        shut_down(&at, Shutdown::Grace(2 * MILLI))
    }),
    point("shutdown_on", Gives::Stops(0), |at| {
        let group = busy(&at);
        Box::pin(async move {
            group.shutdown_on(ready(()), 2 * MILLI).await;
            vec![]
        })
    }),
    point(
        "the last handle dropped, while paused",
        Gives::Ends(0),
        |at| {
            let group = busy(&at);
            group.pause();
            Box::pin(async move {
                let pool = Arc::new(at.pool);
                drop(group);
                pool.join().await;
                vec![]
            })
        },
    ),
];
