//! Await points of many tasks.

use aiopool::{
    FeedReport, JoinError, PoolStreamExt, ReturnWhen, SimpleTaskPool, TryMapError, iterwait, wait,
};
use futures::{StreamExt, stream};

use crate::points::{End, Gives, MILLI, Point, Stage, end, ends, one, point};
use crate::work::Doing;

/// A function that makes a task of an item.
fn make(at: &Stage) -> impl FnMut(u32) -> Doing + Send + use<> {
    let work = at.work.clone();
    move |_| work.future()
}

/// The same, for tasks that may fail.
fn make_tried(
    at: &Stage,
) -> impl FnMut(u32) -> futures::future::BoxFuture<'static, Result<u32, ()>> + Send + use<> {
    let work = at.work.clone();
    move |_| {
        let work = work.future();
        Box::pin(async move { Ok(work.await) })
    }
}

fn of_map(result: Result<Vec<u32>, TryMapError<()>>) -> Vec<End> {
    match result {
        Ok(values) => vec![End::Value; values.len()],
        Err(TryMapError::Join(error)) => one::<()>(Err(error)),
        Err(error) => unreachable!("{error:?}"),
    }
}

/// The ends that a feed has counted. What was rejected or has failed is not told apart.
fn of_feed(report: FeedReport) -> Vec<End> {
    let count = |end, count| vec![end; count as usize];
    let failed = if report.rejected {
        End::Rejected
    } else {
        End::Panic
    };
    let mut all = count(End::Value, report.completed);
    all.extend(count(failed, report.failed));
    all.extend(count(End::Cancelled, report.cancelled));
    all
}

async fn read<S, T>(results: S) -> Vec<End>
where
    S: futures::Stream<Item = Result<T, JoinError>>,
{
    results.map(end).collect().await
}

pub(crate) const POINTS: &[Point] = &[
    point("map", Gives::Ends(3), |at| {
        Box::pin(async move { ends(at.pool.map(0..3, make(&at)).await) })
    }),
    point("try_map", Gives::Ends(3), |at| {
        Box::pin(async move { of_map(at.pool.try_map(0..3, make_tried(&at)).await) })
    }),
    point("map_stream", Gives::Ends(3), |at| {
        Box::pin(async move { ends(at.pool.map_stream(stream::iter(0..3), make(&at)).await) })
    }),
    point("try_map_stream", Gives::Ends(3), |at| {
        Box::pin(async move {
            of_map(
                at.pool
                    .try_map_stream(stream::iter(0..3), make_tried(&at))
                    .await,
            )
        })
    }),
    point("map_blocking", Gives::Stops(3), |at| {
        Box::pin(async move {
            let work = at.work.clone();
            ends(at.pool.map_blocking(0..3, move |_| work.block()).await)
        })
    }),
    point("try_map_blocking", Gives::Stops(3), |at| {
        Box::pin(async move {
            let work = at.work.clone();
            let results = at.pool.try_map_blocking(0..3, move |_| Ok(work.block()));
            of_map(results.await)
        })
    }),
    point("itermap", Gives::Ends(5), |at| {
        Box::pin(async move { read(at.pool.itermap(0..5, make(&at))).await })
    }),
    point("next of itermap", Gives::Ends(2), |at| {
        Box::pin(async move {
            let mut results = at.pool.itermap(0..5, make(&at)).ordered().buffer(2);
            let first = results.next().await.map(end);
            first
                .into_iter()
                .chain(results.next().await.map(end))
                .collect()
        })
    }),
    point("itermap_stream", Gives::Ends(5), |at| {
        Box::pin(async move { read(at.pool.itermap_stream(stream::iter(0..5), make(&at))).await })
    }),
    point("try_map_on", Gives::Ends(3), |at| {
        Box::pin(async move {
            let items = stream::iter((0..3).map(Ok::<u32, ()>));
            let results = items.try_map_on(&at.pool, make_tried(&at));
            let of_one =
                |result: Result<u32, TryMapError<()>>| of_map(result.map(|value| vec![value]));
            results.map(of_one).concat().await
        })
    }),
    point("batches of itermap", Gives::Ends(5), |at| {
        Box::pin(async move {
            let results = at.pool.itermap(0..5, make(&at));
            results
                .batches(ReturnWhen::FirstError)
                .map(ends)
                .concat()
                .await
        })
    }),
    point("batches with a timeout", Gives::Ends(3), |at| {
        Box::pin(async move {
            let handles = iterwait(at.pool.map_n(0..3, make(&at)));
            let batches = handles.batches(ReturnWhen::AllCompleted).timeout(2 * MILLI);
            batches.map(ends).concat().await
        })
    }),
    point("iterwait", Gives::Ends(3), |at| {
        Box::pin(async move { read(iterwait(at.pool.map_n(0..3, make(&at)))).await })
    }),
    point("wait for the first", Gives::Ends(3), |at| {
        Box::pin(async move {
            let handles = at.pool.map_n(0..3, make(&at));
            let waited = wait(handles, ReturnWhen::FirstCompleted, None).await;
            waited
                .done
                .into_iter()
                .map(|(_, result)| end(result))
                .collect()
        })
    }),
    point("wait for all, for some time", Gives::Ends(3), |at| {
        Box::pin(async move {
            let handles = at.pool.map_n(0..3, make(&at));
            let waited = wait(handles, ReturnWhen::AllCompleted, Some(2 * MILLI)).await;
            waited
                .done
                .into_iter()
                .map(|(_, result)| end(result))
                .collect()
        })
    }),
    point("feed", Gives::Ends(4), |at| {
        Box::pin(async move { of_feed(at.pool.feed(0..4, make(&at)).await) })
    }),
    point("feed_stream", Gives::Ends(4), |at| {
        Box::pin(async move { of_feed(at.pool.feed_stream(stream::iter(0..4), make(&at)).await) })
    }),
    point("feed of a stream that is pending", Gives::Ends(1), |at| {
        Box::pin(async move {
            let work = at.work.future();
            // Its items are values that the work gives, so that the work is in the stream.
            let items = stream::once(work);
            of_feed(at.pool.feed_stream(items, |n| async move { n }).await)
        })
    }),
    point("try_for_each_on", Gives::Ends(3), |at| {
        Box::pin(async move {
            let items = stream::iter((0..3).map(Ok::<u32, ()>));
            let report = items.try_for_each_on(&at.pool, make(&at)).await;
            of_feed(report.expect("no item is an error"))
        })
    }),
    point("a feed that is aborted", Gives::Stops(4), |at| {
        Box::pin(async move {
            let feed = at.pool.feed(0..4, make(&at));
            feed.abort();
            of_feed(feed.await)
        })
    }),
    point("cancel of many", Gives::Stops(4), |at| {
        Box::pin(async move {
            let handles = at.pool.map_n(0..4, make(&at));
            ends(at.pool.cancel(handles).await.results)
        })
    }),
    point("copies, then join", Gives::Ends(0), |at| {
        Box::pin(async move {
            let (work, group) = (at.work.clone(), at.pool.keyed("copies", 2));
            let copies = SimpleTaskPool::new(group, move || work.future());
            copies.start(3);
            copies.pool().join().await;
            vec![]
        })
    }),
    point(
        "copies that are stopped, then join",
        Gives::Stops(0),
        |at| {
            Box::pin(async move {
                let (work, group) = (at.work.clone(), at.pool.keyed("copies", 2));
                let copies = SimpleTaskPool::new(group, move || work.future());
                copies.start(3);
                copies.stop(1);
                copies.stop_all();
                copies.pool().join().await;
                vec![]
            })
        },
    ),
];
