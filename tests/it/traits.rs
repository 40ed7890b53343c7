//! What the types are, pinned.

use aiopool::*;

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn is_static<T: 'static>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn the_pool_and_its_handles_go_everywhere() {
    send::<AioPool>();
    sync::<AioPool>();
    send::<JoinHandle<Vec<u8>>>();
    sync::<JoinHandle<Vec<u8>>>();
    unpin::<JoinHandle<std::marker::PhantomPinned>>();
    send::<AbortHandle>();
    sync::<AbortHandle>();
    send::<AbortOnDrop<u8>>();
    send::<Worker>();
    unpin::<Worker>();
    is_static::<Worker>();
    send::<IterWait<u8>>();
    unpin::<IterWait<std::marker::PhantomPinned>>();
    send::<IterMap<std::ops::Range<u8>, fn(u8), u8>>();
    unpin::<IterMap<std::ops::Range<u8>, fn(u8), std::marker::PhantomPinned>>();
    send::<Builder>();
    send::<GroupBuilder>();
    sync::<GroupBuilder>();
    unpin::<GroupBuilder>();
    send::<Blocking>();
    send::<Permit>();
    sync::<Permit>();
    send::<Feed>();
    sync::<Feed>();
    unpin::<Feed>();
    send::<Current>();
    sync::<Current>();
    send::<SimpleTaskPool<fn()>>();
    sync::<SimpleTaskPool<fn()>>();
}

#[test]
fn errors_are_errors() {
    error::<JoinError>();
    error::<BuildError>();
    error::<ZeroSize>();
    error::<AbortError>();
    error::<GroupError>();
    error::<TrySpawnError<u8>>();
    error::<TryMapError<std::fmt::Error>>();
}

#[test]
fn the_futures_of_the_verbs_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let pool = AioPool::new(1);
    is_send(&pool.spawn(async {}));
    is_send(&pool.exec(async {}));
    is_send(&pool.task(async {}).spawn());
    is_send(
        &pool
            .task_fn(|_| async { Ok::<(), ()>(()) })
            .retry([])
            .exec(),
    );
    is_send(&pool.throttle());
    is_send(&async {
        let task = pool.task_fn(|_| async { Err::<(), &str>("busy") });
        task.retry([]).exec().await
    });
    is_send(&async {
        let task = pool.task(async { Err::<(), &str>("busy") });
        task.then(|first| async move { first }).exec().await
    });
    is_send(&async {
        let task = pool.task(async { Err::<(), &str>("busy") });
        task.then_blocking(|first| first).exec().await
    });
    is_send(&pool.map(0..1, |_| async {}));
    is_send(&pool.try_map(0..1, |_| async { Ok::<(), ()>(()) }));
    is_send(&pool.join());
    is_send(&pool.closed());
    is_send(&pool.below(1));
    is_send(&pool.cancel_all());
    is_send(&pool.cancel(Vec::<JoinHandle<()>>::new()));
    is_send(&pool.shutdown(Shutdown::Drain));
    is_send(&pool.run(async {}));
    is_send(&pool.acquire());
    is_send(&pool.permit().run(async {}));
    is_send(&pool.permit().acquire());
    is_send(&pool.scope(|tasks| async move { drop(tasks) }));
    is_send(&lend(async {}));
    let stream = || futures::stream::iter(0..1);
    is_send(&pool.map_stream(stream(), |_| async {}));
    is_send(&pool.try_map_stream(stream(), |_| async { Ok::<(), ()>(()) }));
    is_send(&pool.itermap_stream(futures::stream::iter(0..1), |_| async {}));
}

#[test]
fn ids_are_ordered_and_printed_as_numbers() {
    assert!(TaskId::from(2) < TaskId::from(10));
    assert_eq!(TaskId::from(7).to_string(), "7");
}
