//! What all handles, workers and tasks of a pool share.
//!
//! - `base`: the [`Core`], and what it consists of. `settings`: what never changes. `inner`: what the users of a pool or
//!   group hold of it.
//! - `submitting`: takes new tasks in, each with its `order`, on the runtime of its `arrival`; `dispatch`: starts them;
//!   `ending`: how a task ends, and how the next one starts; `ends` and `goals`: what that changes in the state, and which
//!   waits it ends.
//! - `state`: all that changes, behind one lock (`state_lock`). It is made of [`parts`], which are plain data.
//!   `submit_buffer`: new tasks that wait beside it while threads compete for that lock.
//! - `blocking_task`: a task that leaves its worker for a thread that it may block.
//! - `adapt`: lets the size of the pool follow the ends of its tasks. `bounds`: how many tasks may wait. `withdrawing`:
//!   takes tasks out of the queue.
//! - `walk`: visits many tasks in parts; `tidy`: gives back the memory that ended tasks and groups leave.
//! - `timekeeping`: does what is due by the clock, with one `timer` and the end of each `wait_limit`; a `sleeper` thread
//!   covers waits that are too short for the timers of a runtime. `timer_check`: whether the runtime has a timer at all.
//! - `starts`: counts the starts of tasks in their rates, `group_rates` in those of groups, and `throttling` takes some of
//!   them for code that has started. `holds`: the pools and groups that start nothing for a time.
//! - `watch`: tells the observers about a task, and `sizes` about the size of the pool; `survey` and
//!   `group_survey`: for the control server.

pub(super) mod adapt;
pub(super) mod arrival;
pub(super) mod base;
pub(super) mod blocking_task;
pub(super) mod bounds;
pub(super) mod dispatch;
pub(super) mod ending;
pub(super) mod ends;
pub(super) mod goals;
pub(super) mod group_rates;
#[cfg(feature = "control")]
pub(super) mod group_survey;
pub(super) mod holds;
pub(super) mod inner;
pub(super) mod order;
pub(super) mod parts;
pub(super) mod settings;
pub(super) mod sizes;
pub(super) mod sleeper;
pub(super) mod starts;
pub(super) mod state;
pub(super) mod state_lock;
pub(super) mod submit_buffer;
pub(super) mod submitting;
#[cfg(feature = "control")]
pub(super) mod survey;
pub(super) mod throttling;
pub(super) mod tidy;
pub(super) mod timekeeping;
pub(super) mod timer;
pub(super) mod timer_check;
pub(super) mod wait_limit;
pub(super) mod walk;
pub(super) mod watch;
pub(super) mod withdrawing;

pub(crate) use self::base::Core;
pub(crate) use self::inner::Inner;
