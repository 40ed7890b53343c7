//! Synchronization primitives, from one place: those of the standard library, or those of loom or shuttle for the checks
//! in `models`.

#[cfg(aiopool_loom)]
pub(crate) use loom::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(aiopool_shuttle)]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread, thread_local,
};
#[cfg(not(any(aiopool_loom, aiopool_shuttle)))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread, thread_local,
};

/// `true` in the checks in `models`: there, each run of a program has to take the same path, so that time must not matter.
pub(crate) const MODELLED: bool = cfg!(any(aiopool_loom, aiopool_shuttle));

/// Loom's `thread_local!` does not accept `const`.
#[cfg(aiopool_loom)]
macro_rules! loom_thread_local {
    ($(#[$meta:meta])* static $name:ident: $type:ty = const $init:block;) => {
        loom::thread_local! { $(#[$meta])* static $name: $type = $init; }
    };
}
#[cfg(aiopool_loom)]
pub(crate) use loom_thread_local as thread_local;
