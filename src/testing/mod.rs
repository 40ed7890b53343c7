//! Tools for tests of programs that use a pool. The tests of this crate use them, too.
//!
//! A test needs no real runtime and no real time to see what a program does with its pool:
//!
//! - [`ManualSpawner`] is a runtime without threads. Workers are polled when the test says so, and its clock stands still
//!   until the test moves it. So a test runs in the same order each time, and a wait that never ends is a failure with a
//!   message, and not a hang.
//! - [`Probe`] makes tasks that end or panic when the test says so, and tells whether they have started or been dropped.
//! - [`Recorder`] is an [`Observer`](crate::Observer) that notes the order of starts, and how many permits were in use.
//! - [`assert_idle`] and [`assert_settled`] check what a pool promises at its rest.
//!
//! Enable the feature `testing` for tests only:
//!
//! ```toml
//! [dev-dependencies]
//! aiopool = { version = "0.1", features = ["testing"] }
//! ```
//!
//! # Examples
//!
//! A queue of one: the second task starts when the first has ended, and gives up after a minute.
//!
//! ```
//! use std::time::Duration;
//!
//! use aiopool::testing::{ManualSpawner, Probe, assert_idle};
//!
//! let (spawner, pool) = ManualSpawner::pool(1);
//! let (first, second) = (Probe::new(), Probe::new());
//!
//! let first_handle = pool.spawn_n(first.task("one"));
//! let second_handle = pool.task(second.task("two")).timeout(Duration::from_secs(60)).spawn_n();
//! spawner.run();
//! assert!(first.has_started() && !second.has_started());
//!
//! first.end();
//! spawner.run();
//! assert!(second.has_started());
//!
//! spawner.advance(Duration::from_secs(60));            // takes no time
//! assert!(second.is_dropped());
//! assert_eq!(spawner.run_until(first_handle).unwrap(), "one");
//! assert!(spawner.run_until(second_handle).unwrap_err().is_run_timeout());
//! assert_idle(&pool);
//! ```

mod assertions;
mod clock;
mod flag;
mod probe;
mod recorder;
mod spawner;
mod timer;
mod workers;

pub use self::assertions::{assert_idle, assert_settled};
pub use self::probe::Probe;
pub use self::recorder::Recorder;
pub use self::spawner::ManualSpawner;
pub use self::timer::Timer;
