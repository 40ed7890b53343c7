//! Coming from Python: what the methods of asyncio-pool, asyncio-taskpool and cf-taskpool are here.
//!
//! This module has no items. Its page answers, for each method, property, callback and exception of the three
//! libraries, what to write here, and says where it behaves differently. Versions: asyncio-pool 0.6, asyncio-taskpool 1.2,
//! cf-taskpool 0.2.
//!
//! - [What is different everywhere](#what-is-different-everywhere)
//! - [What is written by hand in Python](#what-is-written-by-hand-in-python)
//! - [asyncio-pool](#asyncio-pool)
//! - [asyncio-taskpool](#asyncio-taskpool)
//! - [cf-taskpool](#cf-taskpool)
//!
//! # What is different everywhere
//!
//! | in Python | here |
//! |---|---|
//! | a coroutine raises | A task's own `Result` is its value. [`JoinError`] is for what kept it from a value: it panicked, was cancelled, timed out, or never ran. |
//! | `KeyboardInterrupt`, `SystemExit` in a task | They do not exist. A panic is caught, becomes the task's outcome, and the pool goes on. |
//! | "exception was never retrieved" | A result that nobody reads is dropped in silence. [`Stats::panicked`] counts, an [`Observer`] is told. |
//! | cancelling throws `CancelledError` into the coroutine, which may catch it | Cancelling drops the future; its destructors clean up. A task that is to finish something first has a [`grace`], and sees [`aborted`]. |
//! | cancelling a future, or whoever awaits it, leaves the work running | Three things: [`abort`] and [`cancel`] stop the task; dropping its [`JoinHandle`] lets it run on; dropping [`spawn`], [`exec`], [`map`] or a stream of results aborts what nobody could read any more. |
//! | a task that awaits its own pool may wait for ever | It lends its permit meanwhile: in a pool of size 1 too. |
//! | the event loop ends first | Its tasks are dropped, their handles settle, nothing is run a second time. |
//! | `size=0` | An error said at once. [`pause`] holds tasks back. |
//! | the coroutine is created, and does nothing until awaited | So do futures. `spawn_n(fetch(url))` calls `fetch` now and runs it later; an `async` block around it puts off the call as well. |
//! | arguments are handed over with the function | They are moved into the future: `pool.spawn_n(fetch(url, 3))`. |
//! | a function that is none, or no coroutine: `TypeError`, `NotCoroutine` | It does not compile. |
//! | `contextvars` | Nothing is inherited. Clone the value into the `async` block, or scope the future (below). |
//! | `asyncio.current_task()` | [`current`]: the number, the name and the pool of the task. |
//!
//! A task-local of tokio belongs to a future, and not to whoever submits it:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! tokio::task_local! {
//!     static REQUEST: u32;
//! }
//!
//! let pool = aiopool::AioPool::new(2);
//! let answer = REQUEST.scope(7, async {
//!     let request = REQUEST.get();
//!     pool.spawn_n(REQUEST.scope(request, async { REQUEST.get() })).await
//! });
//! assert_eq!(answer.await.unwrap(), 7);
//! # });
//! ```
//!
//! # What is written by hand in Python
//!
//! None of the three libraries has it, and here it is a verb or an option:
//!
//! | by hand | here | what differs |
//! |---|---|---|
//! | `async for item in source: await pool.spawn(fn(item))`, where an iterable was asked for | [`map_stream`], [`itermap_stream`], [`feed_stream`] | In a chain it is [`map_on`] of the stream. |
//! | a loop in the coroutine: `try`, `except`, `await asyncio.sleep(delay)` | [`task_fn`] with [`retry`] | The task lends its permit during the delay, and each try counts in a [`rate`]. |
//! | after "too many requests", a flag or a lock that all coroutines check | [`hold`] of the pool, or of the [`keyed`] group of this host | Tasks that have started run on. |
//! | a limiter of the rate around each coroutine | [`rate`]; [`throttle`] before each further request of a task | Waiting for a start costs no permit. |
//! | a bound on `n_active` or the queue, and an exception of one's own | [`max_waiting`], and [`refusal`](crate::JoinError::refusal) of the [`JoinError`] | It tells a full pool from a closed one. |
//! | `asyncio.to_thread` in the coroutine | [`spawn_blocking`], [`map_blocking`], [`task_blocking`] | The permit is held until the thread has finished. |
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use std::time::Duration;
//!
//! use aiopool::{AioPool, Refusal};
//! use futures::stream;
//!
//! let pool = AioPool::builder().size(1).max_waiting(0).build().unwrap();
//! let task = pool.task_fn(|attempt| async move { if attempt == 1 { Err("busy") } else { Ok(attempt) } });
//! assert_eq!(task.retry([Duration::from_millis(1); 3]).exec().await.unwrap(), Ok(2));
//!
//! let pages = pool.map_stream(stream::iter(1..=3), |page| async move { page }).await;
//! assert_eq!(pages.len(), 3);
//!
//! let _busy = pool.spawn(std::future::pending::<()>()).await;
//! let error = pool.exec(async {}).await.unwrap_err();
//! assert_eq!(error.refusal(), Some(Refusal::Full));
//! # });
//! ```
//!
//! # asyncio-pool
//!
//! | asyncio-pool | here | what differs |
//! |---|---|---|
//! | `AioPool(size=1024, loop=None)` | [`AioPool::new`], [`with_spawner`] | Say a size; that of a [`builder`] is the number of processors. The runtime is found at the first spawn. |
//! | `async with AioPool() as pool` | [`join`] at the end; [`scope`] | A scope waits too, and does cancel its tasks if its body panics or it is dropped. |
//! | `await pool.spawn(coro)` | [`spawn`] | It does not overtake what [`spawn_n`] has parked. Dropped before it has resolved, the task is cancelled. |
//! | `pool.spawn_n(coro)` | [`spawn_n`] | It starts at once if a permit is free. Parked, it is a queue entry and no task of the runtime. |
//! | `cb=`, `ctx=` of `spawn`, `spawn_n` | [`task`] with [`then`]; the closure has `ctx` in it | Not a task of its own: a cancel stops it too. |
//! | `cb(res, err, ctx)`, of one, two or three arguments | a closure of one `Result` | The compiler sees whether it fits. |
//! | a `cb` that fails | the value that it returns, or its panic, is the outcome | The same. |
//! | `err = (exception, traceback)` | [`JoinError::panic_message`], or the `Err` of the task | The panic hook prints where; a backtrace is its to take. |
//! | `await pool.exec(coro, cb, ctx)` | [`exec`]; of a builder [`TaskBuilder::exec`] | Dropping it aborts the task. |
//! | `await pool.map(fn, iterable)` | [`map`] | Nothing in, nothing out: no `ValueError`. If `fn` panics or it is dropped, what it has started is aborted. |
//! | `cb=`, `ctx=` of `map`, `map_n`, `itermap` | do it in the closure | See below. |
//! | `pool.map_n(fn, iterable)` | [`map_n`] | |
//! | `pool.itermap(fn, iterable)` | [`itermap`] | Results come as tasks end; [`ordered`], [`buffer`] for endless inputs. Leaving the loop aborts the rest. |
//! | `itermap(flat=False)`, `yield_when=ALL_COMPLETED` | [`batches`](crate::IterMap::batches) with a [`ReturnWhen`] | `FIRST_EXCEPTION` is [`FirstError`](crate::ReturnWhen::FirstError): a [`JoinError`], and not the `Err` of a task. |
//! | `itermap(timeout=)` | [`Batches::timeout`] | No batch is empty. |
//! | `iterwait(futures, …)` of `mx_asyncgen` | [`iterwait`], with [`batches`](crate::IterWait::batches) | Each result costs the same, however many there are. |
//! | `await pool.join()` | [`join`] | From inside a task too: it waits for all others. |
//! | `await pool.cancel(*futures)` | [`AioPool::cancel`] of handles | Also right after `spawn`: a task that was never polled leaves the queue. |
//! | `await pool.cancel()` | [`cancel_all`] | Counts what was cancelled, and each once. |
//! | `future.cancel()` | [`abort`], [`cancel`] | The task stops, and not the future only. |
//! | `future.result()`, `done()`, `cancelled()` | [`try_join`], [`is_finished`], [`is_cancelled`] | |
//! | `future.add_done_callback(f)` | [`on_end`], when the task is made | |
//! | `len(pool)`, `pool.n_active` | [`len`], [`active`]; [`waiting`] | |
//! | `pool.is_empty` | [`is_empty`] | |
//! | `pool.is_full` | [`is_full`] | No permit is free; tasks that wait do not make a paused pool full. |
//! | `pool._executed` | [`stats`] | Callbacks do not count as tasks. |
//! | `get_result=getres.dont` | the [`JoinHandle`] | |
//! | `get_result=getres.flat` | `Result<T, JoinError>`, which every verb gives | |
//! | `get_result=getres.pair` | split it, below | |
//! | `CancelledError` among the results | [`JoinError::is_cancelled`], with a [`reason`] | Of a task cancelled while it waited, too. |
//! | `InvalidStateError` among the results | does not happen: every handle settles | |
//! | `RuntimeError: no running event loop` | the first submission panics, and says what to do | |
//! | `tests/loadtest.py` | `cargo bench -p benches --bench ratios` | |
//!
//! The callback of a single task, and of each of many. `ctx` is what the closure captures:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let pool = aiopool::AioPool::new(2);
//! let unit = "kB";
//! let size = pool.task(async { 3 }).then(move |size| async move { format!("{} {unit}", size.unwrap()) });
//! assert_eq!(size.exec().await.unwrap(), "3 kB");
//!
//! let sizes = pool.map([1, 2], |page| async move {
//!     let size = async { page * 100 }.await;
//!     format!("{size} {unit}")
//! });
//! assert_eq!(*sizes.await[1].as_ref().unwrap(), "200 kB");
//! # });
//! ```
//!
//! The three `getres`:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use aiopool::JoinError;
//!
//! let pool = aiopool::AioPool::new(2);
//! let dont = pool.spawn_n(async { 1 });
//! let flat: Result<i32, JoinError> = dont.await;
//! let pair: (Option<i32>, Option<JoinError>) = match flat {
//!     Ok(value) => (Some(value), None),
//!     Err(error) => (None, Some(error)),
//! };
//! assert_eq!(pair.0, Some(1));
//! # });
//! ```
//!
//! # asyncio-taskpool
//!
//! | asyncio-taskpool: pools | here | what differs |
//! |---|---|---|
//! | `TaskPool(pool_size=inf, name=None)` | [`AioPool::new`], [`builder`]; [`UNBOUNDED`] | No list of all pools keeps it. |
//! | `str(pool)` | [`name`](crate::AioPool::name), `"AioPool-{n}"` unless given | Without the class. |
//! | `pool_size` | [`size`] | The size, and not what is free: that is `size() - active()`. |
//! | `pool_size = n` | [`resize`] | Growing starts waiting tasks at once, shrinking takes effect as tasks end. |
//! | `lock()`, `unlock()`, `is_locked` | [`close`], [`reopen`], [`is_closed`] | All that was submitted before it runs, also what [`apply`] has parked. A [`feed`] goes on, as their `map` does; a [`map`] or [`itermap`] that still pulls has its further items rejected. |
//! | `num_running` | [`active`] | |
//! | `num_cancelled`, `num_ended` | [`stats`] | Counters since the start: nothing is kept of the tasks. |
//! | `is_full` | [`is_full`] | |
//! | `get_group_ids(*names)` | [`tasks`] of [`find_group`] | Those that are there; not those that have ended. |
//! | `cancel(*ids, msg=None)` | [`AioPool::abort`]: all or none | The message goes with [`abort_with`] of a handle. |
//! | `cancel_group(name, msg=None)` | [`find_group`], then [`abort_all`] or [`cancel_all`] | What waits in it never starts. The group stays for those who hold it. |
//! | `cancel_all(msg=None)` | [`abort_all`] asks; [`cancel_all`] also waits | |
//! | `await flush(return_exceptions)` | not needed | Of a task that has ended nothing is kept but counters. Its result is with the handle, and dropping that drops it. |
//! | `await gather_and_close(return_exceptions)` | [`shutdown`] with [`Shutdown::Drain`] | It closes whatever the tasks come to, and what [`apply`] submitted before it does run. Failures are in the handles, and counted in [`stats`]. |
//! | `await until_closed()` | [`closed`] | |
//! | the task's result, which cannot be had | every verb gives handles, results, or both | |
//! | names `"{pool}_Task-{id}"` | `"{pool}-{id}"`, or [`name`](crate::TaskBuilder::name) | Numbers are given at submission, and not at the start. |
//! | the log | an [`Observer`] | |
//!
//! | asyncio-taskpool: starting tasks | here | what differs |
//! |---|---|---|
//! | `apply(func, args, kwargs, num)` | [`apply`] with a closure that calls `func` | Returns handles; [`JoinHandle::id`] for the numbers. A panic of the closure passes to the caller. |
//! | `map(func, arg_iter, num_concurrent)` | [`feed`] in a group of that size; [`itermap`] or [`map`] to have the results | By default as many at once as the pool has permits, and not 1. |
//! | `starmap(func, args_iter, …)` | the closure takes a tuple apart | Below. |
//! | `doublestarmap(func, kwargs_iter, …)` | the closure takes a struct apart | Below. |
//! | `group_name=` | [`group`], and the verb on that; [`keyed`] to find or make one | A group has a size and all verbs of a pool; groups nest. |
//! | names such as `apply-work-group-0` | no group, no name; [`scope`] for one without | |
//! | `end_callback=` | [`on_end`] | It is called before the handle settles, and holds its permit. A panic in it changes nothing. |
//! | `cancel_callback=` | [`on_cancel`] | The same. |
//! | callbacks that are `async` | [`then`] for the result; a callback may [`spawn_n`] | [`then`] is not called for a cancelled task. |
//! | a wrong item of the iterable is logged and skipped | the closure decides: it returns a future, which may say `Err` | A panic of the closure, or of the iterator, ends a [`feed`] and is counted; [`map`] and [`itermap`] pass it on. |
//! | `SimpleTaskPool(func, args, kwargs, pool_size, name)` | [`SimpleTaskPool::new`] of a pool and a closure | |
//! | its `end_callback=`, `cancel_callback=` | an [`Observer`] of the pool; or what the closure's future does at its end | |
//! | `func_name` | name the pool after it | |
//! | `start(num)` | [`SimpleTaskPool::start`] | Returns the numbers, and no name of a group. |
//! | `stop(num)` | [`SimpleTaskPool::stop`] | The newest first, those that wait before those that run. |
//! | `stop_all()` | [`SimpleTaskPool::stop_all`] | Those that wait do not start instead. |
//!
//! Stars are patterns, and group and concurrency are a pool inside the pool:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use aiopool::AioPool;
//!
//! async fn area(width: u32, height: u32) -> u32 {
//!     width * height
//! }
//!
//! struct Size {
//!     width: u32,
//!     height: u32,
//! }
//!
//! let pool = AioPool::new(100);
//! let measuring = pool.group("measuring", 2).unwrap();        // group_name=, num_concurrent=
//!
//! // starmap(area, [(2, 3), (4, 5)])
//! let areas = measuring.map([(2, 3), (4, 5)], |(width, height)| area(width, height)).await;
//! assert_eq!(areas.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [6, 20]);
//!
//! // doublestarmap(area, [{"width": 2, "height": 3}])
//! let sizes = [Size { width: 2, height: 3 }];
//! let areas = measuring.map(sizes, |Size { width, height }| area(width, height)).await;
//! assert_eq!(*areas[0].as_ref().unwrap(), 6);
//!
//! // map(area, …), results unread: it pulls items as permits free, and never blocks.
//! let report = measuring.feed(1..=1000, |side| area(side, side)).await;
//! assert_eq!(report.completed, 1000);
//! # });
//! ```
//!
//! `apply` with its group and callbacks, `cancel_group`, and `gather_and_close`, which neither loses work nor needs `flush`:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use aiopool::{AioPool, Shutdown};
//!
//! let pool = AioPool::new(2);
//! let workers = pool.group("workers", AioPool::UNBOUNDED).unwrap();
//! for _ in 0..3 {
//!     let task = workers.task(std::future::pending::<()>());
//!     task.on_end(|id| println!("{id} has ended")).on_cancel(|id| println!("{id} was stopped")).spawn_n();
//! }
//! assert_eq!(pool.find_group("workers").unwrap().cancel_all().await, 3);
//!
//! let handles = pool.apply(6, || async { "done" });
//! pool.shutdown(Shutdown::Drain).await;
//! assert!(handles.iter().all(|handle| handle.is_finished()));
//! assert_eq!(pool.stats().completed, 6);
//! # });
//! ```
//!
//! | asyncio-taskpool: exceptions | here |
//! |---|---|
//! | `PoolException` | No common parent: errors of asking ([`TrySpawnError`], [`AbortError`], [`GroupError`], [`BuildError`], [`ZeroSize`]) and the outcome of a task ([`JoinError`]) are two families. |
//! | `PoolIsClosed`, `PoolIsLocked` | [`Refusal::Closed`] of [`try_spawn`]; the other verbs give a handle whose error has it as its [`refusal`](crate::JoinError::refusal) |
//! | `TaskEnded`, `AlreadyEnded` | [`AbortError::AlreadyFinished`] |
//! | `AlreadyCancelled` | [`AbortError::AlreadyAborted`] |
//! | `InvalidTaskID`, `TaskNotFound` | [`AbortError::NotFound`] |
//! | `InvalidGroupName`, `TaskGroupNotFound` | [`find_group`] returns `None` |
//! | `TaskGroupAlreadyExists` | [`GroupError::AlreadyExists`] |
//! | `NotCoroutine`, `NotCoroutineFunction` | does not compile |
//! | `ValueError`: the pool's size | [`BuildError::ZeroSize`], [`ZeroSize`], a panic of [`AioPool::new`] |
//! | `ValueError`: `num_concurrent` | [`GroupError::ZeroSize`] |
//! | `ServerException`, `ServerNotInitialized`, `HelpRequested`, `ParserError`, `ParserNotInitialized`, `SubParsersNotInitialized`, `CommandError` | A server is made by its builder, which says `io::Error`. What a client did wrong is told to the client. |
//!
//! | asyncio-taskpool: queue and control | here |
//! |---|---|
//! | `queue_context.Queue` | any channel, whose end is the end of the work |
//! | `async with queue as item` | [`spawn`] for each item, below |
//! | `queue.item_processed()`, `queue.join()` | not needed: [`join`] of the pool |
//! | `TCPControlServer`, `UnixControlServer`: `pool`, `is_serving()`, `serve_forever()`, `client_class_name` | `control::ControlServer`, with the feature `control`: `serve_tcp` and `serve_unix` return it and the future that serves, to be spawned. `stop().await` ends all sessions, frees the port, removes the file. What clients may start is registered by name, with `command`. |
//! | `TCPControlClient`, `UnixControlClient`: `start()` | The wire is the same, and described in the module `control`. |
//! | `python -m asyncio_taskpool.control` | That of 1.1.4 works with this server. |
//! | its commands, as `pool-size 5`, `num-running`, `stop 2` | methods, on any clone of the pool: [`resize`], [`active`], [`SimpleTaskPool::stop`] |
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let pool = aiopool::AioPool::new(4);
//! let (queue, mut items) = tokio::sync::mpsc::channel(10);
//! let producer = tokio::spawn(async move {
//!     for item in 0..100 {
//!         queue.send(item).await.unwrap();
//!     }
//! });
//! while let Some(item) = items.recv().await {
//!     pool.spawn(async move { item }).await;
//! }
//! pool.join().await;
//! assert_eq!(pool.stats().completed, 100);
//! # producer.await.unwrap();
//! # });
//! ```
//!
//! # cf-taskpool
//!
//! | cf-taskpool | here | what differs |
//! |---|---|---|
//! | `TaskPoolExecutor(max_workers=None)` | [`AioPool::new`]; the default of a [`builder`] is the number of processors as well | |
//! | `task_name_prefix=` | [`name`](crate::Builder::name) of the builder | A task is `"{name}-{id}"`; theirs names the worker. [`name`](crate::TaskBuilder::name) for a single task. |
//! | `submit(fn, *args, **kwargs)` | [`spawn_n`] of `fn(args)` | `spawn_n(async move { fn(args).await })` calls it late, as theirs does. |
//! | `submit(awaitable)` | [`spawn_n`] | |
//! | the queue, which has no bound | [`max_waiting`], [`try_spawn`], [`below`], or [`spawn`] | |
//! | workers that stay, and are reused | A worker goes when nothing waits, and is reused until then. | |
//! | `future.cancel()` of what waits | [`abort`] | Its future is dropped right there. |
//! | `future.cancel()` of what runs | [`abort`], which stops it; dropping the handle lets it run on | Theirs runs on. |
//! | `asyncio.wait_for(future, t)` | [`timeout`] of the task; or your runtime's, over the handle | A timeout of the runtime drops the handle: the task runs on, as theirs does. [`abort_on_drop`] to stop it. |
//! | `future.result()`, `exception()` | await the handle; [`try_join`] if it is there now | |
//! | `future.done()`, `cancelled()` | [`is_finished`]; [`is_cancelled`] | |
//! | `future.add_done_callback(f)` | [`on_end`], or [`then`] for the result | |
//! | a coroutine that raises `CancelledError` itself | the task says so in its value | Only others cancel a task. |
//! | `asyncio.wait(futures, return_when=, timeout=)` | [`wait`], with the same three ends and a timeout | Gives the pending handles back, and each result once. |
//! | `asyncio.as_completed(futures)` | [`iterwait`] | A timeout is that of its [`batches`](crate::IterWait::batches). |
//! | `asyncio.gather(*futures)` | [`map`], [`try_map`]; or await the handles one by one | |
//! | `async for x in await executor.map(fn, *iterables)` | [`itermap`] of a `zip`, with [`ordered`] | Nothing is submitted before the first poll. |
//! | `map(buffersize=n)` | [`buffer`] | At most `n` are pulled and unread, and not `n` and 1. |
//! | `map(buffersize=None)` | without [`buffer`] | |
//! | an error in `map` raises at its place, and cancels the rest | `?` at its place drops the stream, which aborts the rest; [`try_map`] to collect | Those that run are stopped too. |
//! | `break`, `aclose()` of a `map` | dropping the stream | The same. |
//! | a `map` whose executor is gone ends short | it keeps its pool | |
//! | `await shutdown(wait=True)` | [`shutdown`] with [`Shutdown::Drain`] | |
//! | `await shutdown(cancel_futures=True)` | [`Shutdown::CancelWaiting`] | [`Shutdown::CancelAll`] and [`Shutdown::Deadline`] stop what runs. |
//! | `await shutdown(wait=False)` | [`close`] | |
//! | `async with TaskPoolExecutor() as executor` | [`shutdown`] at the end; [`scope`] | A scope is joined, and cancelled if its body panics. |
//! | the executor is garbage-collected | the last clone of the pool is dropped: what was submitted runs on to its end | The same. |
//! | `RuntimeError`: after shutdown | [`is_rejected`], and [`refusal`](crate::JoinError::refusal) says why; [`try_spawn`] gives the future back | |
//! | `TypeError`: args with an awaitable, `buffersize` | does not compile | |
//! | `ValueError`: `max_workers`, `buffersize` | a panic, or [`BuildError::ZeroSize`] | |
//! | jobs run in the worker's context | in none: see [above](#what-is-different-everywhere) | |
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # async fn run() -> Result<(), aiopool::JoinError> {
//! let executor = aiopool::AioPool::builder().size(2).name("hosts").build().unwrap();
//! assert_eq!(executor.spawn_n(async {}).name(), "hosts-0");
//!
//! // async for line in await executor.map(fetch, hosts, ports, buffersize=8)
//! let (hosts, ports) = (["a", "b"], 8000..);
//! let pairs = hosts.into_iter().zip(ports);
//! let mut lines = executor.itermap(pairs, |(host, port)| async move { format!("{host}:{port}") }).ordered().buffer(8);
//! while let Some(line) = lines.next().await {
//!     println!("{}", line?);                                  // the first error leaves, and aborts the rest
//! }
//! # Ok(())
//! # }
//! # run().await.unwrap();
//! # });
//! ```
//!
//! Work that a timeout is to stop, and work that is to run on:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use std::time::Duration;
//!
//! let pool = aiopool::AioPool::new(2);
//! let stopped = pool.task(std::future::pending::<()>()).timeout(Duration::from_millis(1));
//! assert!(stopped.exec().await.unwrap_err().is_timeout());
//!
//! let handle = pool.spawn_n(std::future::pending::<()>());
//! let _ = tokio::time::timeout(Duration::from_millis(1), handle).await.unwrap_err();
//! assert_eq!(pool.active(), 1);                               // nobody waits for it, and it runs on
//! # pool.cancel_all().await;
//! # });
//! ```
//!
//! [`AbortError::AlreadyAborted`]: crate::AbortError::AlreadyAborted
//! [`AbortError::AlreadyFinished`]: crate::AbortError::AlreadyFinished
//! [`AbortError::NotFound`]: crate::AbortError::NotFound
//! [`AbortError`]: crate::AbortError
//! [`AioPool::abort`]: crate::AioPool::abort
//! [`AioPool::cancel`]: crate::AioPool::cancel
//! [`AioPool::new`]: crate::AioPool::new
//! [`Batches::timeout`]: crate::Batches::timeout
//! [`BuildError::ZeroSize`]: crate::BuildError::ZeroSize
//! [`BuildError`]: crate::BuildError
//! [`GroupError::AlreadyExists`]: crate::GroupError::AlreadyExists
//! [`GroupError::ZeroSize`]: crate::GroupError::ZeroSize
//! [`GroupError`]: crate::GroupError
//! [`JoinError::is_cancelled`]: crate::JoinError::is_cancelled
//! [`JoinError::panic_message`]: crate::JoinError::panic_message
//! [`JoinError`]: crate::JoinError
//! [`JoinHandle::id`]: crate::JoinHandle::id
//! [`JoinHandle`]: crate::JoinHandle
//! [`Observer`]: crate::Observer
//! [`Refusal::Closed`]: crate::Refusal::Closed
//! [`ReturnWhen`]: crate::ReturnWhen
//! [`Shutdown::CancelAll`]: crate::Shutdown::CancelAll
//! [`Shutdown::CancelWaiting`]: crate::Shutdown::CancelWaiting
//! [`Shutdown::Deadline`]: crate::Shutdown::Deadline
//! [`Shutdown::Drain`]: crate::Shutdown::Drain
//! [`SimpleTaskPool::new`]: crate::SimpleTaskPool::new
//! [`SimpleTaskPool::start`]: crate::SimpleTaskPool::start
//! [`SimpleTaskPool::stop_all`]: crate::SimpleTaskPool::stop_all
//! [`SimpleTaskPool::stop`]: crate::SimpleTaskPool::stop
//! [`Stats::panicked`]: crate::Stats::panicked
//! [`TaskBuilder::exec`]: crate::TaskBuilder::exec
//! [`TrySpawnError`]: crate::TrySpawnError
//! [`UNBOUNDED`]: crate::AioPool::UNBOUNDED
//! [`ZeroSize`]: crate::ZeroSize
//! [`abort_all`]: crate::AioPool::abort_all
//! [`abort_on_drop`]: crate::JoinHandle::abort_on_drop
//! [`abort_with`]: crate::JoinHandle::abort_with
//! [`abort`]: crate::JoinHandle::abort
//! [`aborted`]: crate::Current::aborted
//! [`active`]: crate::AioPool::active
//! [`apply`]: crate::AioPool::apply
//! [`below`]: crate::AioPool::below
//! [`buffer`]: crate::IterMap::buffer
//! [`builder`]: crate::AioPool::builder
//! [`cancel_all`]: crate::AioPool::cancel_all
//! [`cancel`]: crate::JoinHandle::cancel
//! [`close`]: crate::AioPool::close
//! [`closed`]: crate::AioPool::closed
//! [`current`]: crate::current()
//! [`exec`]: crate::AioPool::exec
//! [`feed_stream`]: crate::AioPool::feed_stream
//! [`feed`]: crate::AioPool::feed
//! [`find_group`]: crate::AioPool::find_group
//! [`grace`]: crate::TaskBuilder::grace
//! [`group`]: crate::AioPool::group
//! [`hold`]: crate::AioPool::hold
//! [`is_cancelled`]: crate::JoinError::is_cancelled
//! [`is_closed`]: crate::AioPool::is_closed
//! [`is_empty`]: crate::AioPool::is_empty
//! [`is_finished`]: crate::JoinHandle::is_finished
//! [`is_full`]: crate::AioPool::is_full
//! [`is_rejected`]: crate::JoinError::is_rejected
//! [`itermap_stream`]: crate::AioPool::itermap_stream
//! [`itermap`]: crate::AioPool::itermap
//! [`iterwait`]: crate::iterwait()
//! [`join`]: crate::AioPool::join
//! [`keyed`]: crate::AioPool::keyed
//! [`len`]: crate::AioPool::len
//! [`map_blocking`]: crate::AioPool::map_blocking
//! [`map_n`]: crate::AioPool::map_n
//! [`map_on`]: crate::PoolStreamExt::map_on
//! [`map_stream`]: crate::AioPool::map_stream
//! [`map`]: crate::AioPool::map
//! [`max_waiting`]: crate::Builder::max_waiting
//! [`on_cancel`]: crate::TaskBuilder::on_cancel
//! [`on_end`]: crate::TaskBuilder::on_end
//! [`ordered`]: crate::IterMap::ordered
//! [`pause`]: crate::AioPool::pause
//! [`rate`]: crate::Builder::rate
//! [`reason`]: crate::JoinError::reason
//! [`reopen`]: crate::AioPool::reopen
//! [`resize`]: crate::AioPool::resize
//! [`retry`]: crate::TaskBuilder::retry
//! [`scope`]: crate::AioPool::scope
//! [`shutdown`]: crate::AioPool::shutdown
//! [`size`]: crate::AioPool::size
//! [`spawn_blocking`]: crate::AioPool::spawn_blocking
//! [`spawn_n`]: crate::AioPool::spawn_n
//! [`spawn`]: crate::AioPool::spawn
//! [`stats`]: crate::AioPool::stats
//! [`task_blocking`]: crate::AioPool::task_blocking
//! [`task_fn`]: crate::AioPool::task_fn
//! [`task`]: crate::AioPool::task
//! [`tasks`]: crate::AioPool::tasks
//! [`then`]: crate::TaskBuilder::then
//! [`throttle`]: crate::AioPool::throttle
//! [`timeout`]: crate::TaskBuilder::timeout
//! [`try_join`]: crate::JoinHandle::try_join
//! [`try_map`]: crate::AioPool::try_map
//! [`try_spawn`]: crate::AioPool::try_spawn
//! [`wait`]: crate::wait()
//! [`waiting`]: crate::AioPool::waiting
//! [`with_spawner`]: crate::AioPool::with_spawner
