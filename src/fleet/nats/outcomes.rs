//! Reading the outcomes of a client's tasks.

use std::collections::VecDeque;
use std::future::pending;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::admin::last_sequence;
use super::attach;
use super::link::Link;
use super::patience::patiently;
use super::tail::{Tail, TailItem};
use super::waiters::Waiters;

/// What was read in this time is read again after an interruption: servers of a cluster may have been divided, and not have
/// agreed on it.
const DOUBTFUL: Duration = Duration::from_secs(60);

/// How exactly it is remembered when something was read.
const MARK: Duration = Duration::from_secs(1);

/// Reads the outcomes that are addressed to this client, from the number `from` on. An outcome that is read again finds
/// nobody who waits for it.
pub(super) async fn read(
    link: Link,
    waiters: Arc<Waiters>,
    owner: String,
    from: u64,
    mut connections: watch::Receiver<bool>,
) {
    let names = link.names.clone();
    let (stream, filter) = (names.result_stream(), names.results_of(&owner));
    let mut reading = Reading::new(from, Instant::now());
    loop {
        connections.borrow_and_update();
        let tail = Tail {
            link: link.clone(),
            stream: stream.clone(),
            filter: filter.clone(),
            from: reading.start(),
        };
        let interrupted = tail.run(|item| {
            match item {
                TailItem::Interrupted => return ControlFlow::Break(()),
                TailItem::CaughtUp => {}
                TailItem::Message { message, sequence } => {
                    reading.read(sequence, Instant::now());
                    if let Some((id, origin, outcome)) = attach::outcome(&names, &message) {
                        waiters.settle(&id, origin, outcome);
                    }
                }
            }
            ControlFlow::Continue(())
        });
        tokio::select! {
            () = interrupted => {}
            () = connected_anew(&mut connections) => {}
        }
        let last = patiently(Duration::MAX, || last_sequence(&link, &stream));
        if let Ok(last) = last.await {
            reading.resume(last, Instant::now());
        }
    }
}

async fn connected_anew(connections: &mut watch::Receiver<bool>) {
    while connections.changed().await.is_ok() {
        if *connections.borrow_and_update() {
            return;
        }
    }
    pending::<()>().await;
}

/// How far the outcomes are read.
#[derive(Debug)]
struct Reading {
    /// The number that was next at some times, the first of which is that of the last number that is beyond doubt.
    marks: VecDeque<(Instant, u64)>,
    next: u64,
}

impl Reading {
    fn new(next: u64, now: Instant) -> Self {
        let marks = VecDeque::from([(now, next)]);
        Self { marks, next }
    }

    /// The message with this number is read.
    fn read(&mut self, sequence: u64, now: Instant) {
        self.next = sequence + 1;
        let is_due = self.marks.back().is_none_or(|(at, _)| now >= *at + MARK);
        if is_due {
            self.marks.push_back((now, self.next));
        }
        while self
            .marks
            .get(1)
            .is_some_and(|(at, _)| now >= *at + DOUBTFUL)
        {
            self.marks.pop_front();
        }
    }

    /// Goes on after an interruption. A single server that was killed while it had no outcomes may have given all its numbers
    /// before.
    fn resume(&mut self, last: u64, now: Instant) {
        if last + 1 < self.next {
            *self = Self::new(1, now);
        }
    }

    /// Returns the number with which reading begins again.
    fn start(&self) -> u64 {
        self.marks.front().map_or(self.next, |(_, next)| *next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_within_a_minute_is_read_again() {
        let start = Instant::now();
        let mut reading = Reading::new(5, start);
        assert_eq!(reading.start(), 5);
        let second = |n| start + Duration::from_secs(n);
        for n in 1..=200 {
            reading.read(100 + n, second(n));
            let begins = reading.start();
            assert!(n <= 60 || begins + 60 <= 101 + n, "{begins} after {n}");
            assert!(n <= 62 || begins + 62 >= 101 + n, "{begins} after {n}");
        }
        assert!(reading.marks.len() <= 62);
    }

    #[test]
    fn numbers_that_begin_again_are_read_from_the_first_on() {
        let now = Instant::now();
        let mut reading = Reading::new(8, now);
        reading.resume(7, now);
        assert_eq!(reading.start(), 8);
        reading.resume(6, now);
        assert_eq!((reading.start(), reading.next), (1, 1));
    }
}
