//! How the parts work together: the way of a task, of an abort and of a feed through the files, in order.
//!
//! # A task, from `spawn_n` to its handle
//!
//! 1. `pool/submit/spawn.rs`: [`spawn_n`](crate::AioPool::spawn_n) boxes the future into a `Body` (`task/body.rs`).
//!    `pool/submit/enter.rs` makes the `Shared` (`task/shared.rs`) that the body and the handle have in common. With
//!    options, `pool/submit/task_builder.rs` boxes the future, and `pool/submit/equipment.rs` converts the options to the
//!    `TaskExtras` that the worker needs (`pool/submit/extras.rs`) and the `Order` that the pool needs
//!    (`pool/core/order.rs`).
//! 2. `pool/core/submitting.rs`: `submit_fast`, or `submit` for all that is not on the fast path, locks the `State`
//!    (`pool/core/state.rs`), gives the task its number, and puts it into the queue of its node in the gate
//!    (`gate/fast_path.rs`, `gate/state.rs`), unless the queue is full (`pool/core/bounds.rs`). An idle worker
//!    (`pool/core/parts/idle_workers.rs`) gets the task at once. Where threads compete for the lock of a full pool,
//!    `submit_fast` leaves the task in the `SubmitBuffer` (`pool/core/submit_buffer.rs`), and many of them are put into the
//!    queue under one lock.
//! 3. `pool/core/dispatch.rs`: `start_ready` asks the gate for the next task as long as one may start. For each it takes an
//!    idle worker, or makes a new one, unlocks, and gives the [`Worker`](crate::Worker) to the runtime (`spawner`).
//! 4. `worker/run.rs`: the runtime polls the worker, and the worker polls the task. A pending task stays with its
//!    worker.
//! 5. `task/body.rs`: when the future is ready, `conclude` drops it, then calls the worker's `finish`.
//! 6. `pool/core/ending.rs`: `finish` locks the state, once. Under this lock (`pool/core/ends.rs`) the outcome goes to
//!    the handle (`task/shared.rs`), the counters change, the slot becomes free, and the permit passes to the next task, which is
//!    returned to the same worker. Wakers are called after unlocking. Without a next task the worker stays idle for two
//!    polls, and ends.
//! 7. `task/handle.rs`: the [`JoinHandle`](crate::JoinHandle) was woken, and takes the outcome.
//!
//! Blocking work leaves its worker in `pool/core/blocking_task.rs`, and comes back to one if a stage that does not block
//! follows.
//!
//! # An abort
//!
//! 1. `task/handle.rs`: [`abort`](crate::JoinHandle::abort) asks the pool, which it knows as a `PoolRef`
//!    (`task/label.rs`).
//! 2. `pool/core/ending.rs`: a waiting task is withdrawn from the queue (`pool/core/withdrawing.rs`), its future is
//!    dropped after unlocking, and a second lock makes the end known. An active task is marked in its worker's
//!    `WorkerShared` (`worker/shared.rs`), and the worker is woken.
//! 3. `worker/run.rs`: at its next poll the worker drops the future instead of polling it, or polls on for as long as
//!    the task has grace. From there it is the end of any task.
//!
//! [`cancel_all`](crate::AioPool::cancel_all) does the same to all tasks of a node: `pool/lifecycle/sweep.rs` withdraws
//! and marks them in parts (`pool/core/walk.rs`), while the gate lets none of them start, then drops the withdrawn
//! futures in parts.
//!
//! # An item of a feed
//!
//! 1. `pool/submit/feed/mod.rs`: [`feed`](crate::AioPool::feed) puts one `Source` into the queue, however many items it
//!    has.
//! 2. `pool/submit/feed/source.rs`: once the source has a permit, its worker pulls one item, without a lock. The item
//!    takes over the slot and the permit, and the source goes back to the end of the queue. If the input is a stream
//!    that is pending, the source stays with its worker instead and lends its permit, until there is an item.
//! 3. `pool/submit/feed/item.rs`: the item is a task, whose outcome goes to no handle. Its end is counted by the `Tracker`
//!    (`pool/submit/feed/tracker.rs`), which completes the [`Feed`](crate::Feed) after the last item.
//!
//! # What an observer sees
//!
//! `pool/submit/watched.rs`: in a pool with observers, a task without options carries a `Watch` (`pool/core/watch.rs`); with
//! options, it is in the `TaskExtras`. Making the `Watch` calls `capture` (`observe/watcher.rs`), before the task is numbered.
//! `task/body.rs` polls and drops the future through the extras, and these through the scope (`observe/scope.rs`). The
//! submitting thread tells of the wait. What happens to the task meanwhile is told after that by the same thread, except to
//! scopes, which are told by the thread that runs the task.
//!
//! # A task that waits for its own pool
//!
//! `worker/nested_waits.rs` counts the waits that the task has begun on its own pool, since each leaves a waker of
//! `PoolRef::waker` there. When the task is pending and has such a wait, `worker/run.rs` lends its permit to the next
//! task (`pool/core/ending.rs`, `gate/lending.rs`). When it is woken, it asks for the permit again, before all tasks
//! that have not started, and is polled once it has it. After 64 such returns in a row, a task that can start goes first:
//! tasks that are woken all the time by something else would otherwise keep those from starting that they wait for. If that
//! task is heavy and does not fit, the others wait while enough permits are at tasks that are just back: each of these is
//! about to be polled, and then lends its permit again, ends, or tells that it keeps it (`Scheduler::keep`).
//!
//! # A task that is tried again
//!
//! `pool/submit/tries.rs`: to its worker, the task is one future. This future calls the function for each try. Between
//! two tries it lends the permit until the delay is over, then takes a start of the rate as
//! [`throttle`](crate::AioPool::throttle) does (`pool/core/throttling.rs`): `pool/core/parts/throttles.rs` has the callers
//! that wait for one, in a queue of each rate, and `start_ready` serves them before it starts tasks.
//!
//! # Waiting for a pool
//!
//! `join`, `closed` and `below` wait in `pool/lifecycle/waiters.rs`, by what they wait for. The counters that decide this
//! change under the pool's lock, and so do the waiters: a change that reaches nobody's goal costs one comparison. A list of
//! listeners beside the lock, such as the crate `event-listener` has, would be a second lock for each end of a task, or would
//! wake all that wait, to look whether it is their turn. That would not do for `below`, where each caller has a bound of its
//! own, nor for a goal that was reached for a moment, which ends a wait here.
