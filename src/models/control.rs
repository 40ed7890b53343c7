//! What workers leave for a control server.

use std::sync::Arc;

use futures_util::FutureExt;

use super::{block_on, check};
use crate::control::CallbackQueue;
use crate::sync::thread;

#[test]
fn a_callback_that_comes_while_the_server_looks_for_it_is_taken() {
    check(|| {
        let queue = CallbackQueue::default();
        let other = queue.clone();
        let worker = thread::spawn(move || other.add(async {}.boxed()));
        assert_eq!(block_on(queue.take()).len(), 1);
        worker.join().unwrap();
    });
}

#[test]
fn a_callback_that_comes_while_the_server_ends_is_left_to_it_or_dropped() {
    check(|| {
        let (queue, token) = (CallbackQueue::default(), Arc::new(()));
        let (other, kept) = (queue.clone(), token.clone());
        let worker = thread::spawn(move || other.add(async move { drop(kept) }.boxed()));
        let left = queue.end();
        worker.join().unwrap();
        let dropped = Arc::strong_count(&token) == 1;
        assert_eq!(left.len(), usize::from(!dropped));
        drop(left);
        assert!(queue.end().is_empty());
    });
}
