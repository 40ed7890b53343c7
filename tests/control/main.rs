//! A pool steered from outside, by clients of every manner, over real sockets.

mod support;

#[cfg(target_os = "linux")]
mod descriptors;
mod groups;
mod json;
mod large;
mod limits;
mod many;
mod python;
mod rude;
mod runtimes;
mod rust_client;
mod safety;
mod seats;
mod session;
mod setup;
mod stopping;
mod times;
mod tree;
mod unix;
#[cfg(target_os = "linux")]
mod unread;
mod watch;
