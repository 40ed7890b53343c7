//! Synchronization primitives, from one place: those of the standard library, or those of loom for the checks in
//! `models`.

#[cfg(aiopool_loom)]
pub(crate) use loom::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(not(aiopool_loom))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread, thread_local,
};

/// Loom's `thread_local!` does not accept `const`.
#[cfg(aiopool_loom)]
macro_rules! loom_thread_local {
    ($(#[$meta:meta])* static $name:ident: $type:ty = const $init:block;) => {
        loom::thread_local! { $(#[$meta])* static $name: $type = $init; }
    };
}
#[cfg(aiopool_loom)]
pub(crate) use loom_thread_local as thread_local;
