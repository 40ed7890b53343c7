//! How many tasks a worker asks the server for.
//!
//! A worker asks for as many tasks as it has free slots, so that none is delivered and waits while another worker could
//! run it. The server does not say which request a delivery answers: only the sum of what is asked for is known.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Time after its end for which a request is still counted.
const GRACE: Duration = Duration::from_millis(500);

/// What a worker has asked for and not got.
#[derive(Debug)]
pub(crate) struct Demand {
    expires: Duration,
    asked: usize,
    requests: VecDeque<(Instant, usize)>,
    heard: Instant,
    not_before: Instant,
}

impl Demand {
    /// Requests end after `expires`.
    pub(crate) fn new(expires: Duration, now: Instant) -> Self {
        Self {
            expires,
            asked: 0,
            requests: VecDeque::new(),
            heard: now,
            not_before: now,
        }
    }

    /// Returns for how many tasks to ask now, with `free` slots, and counts them as asked for. While as many as half of
    /// the free slots are asked for, no more are: tasks arrive as they would, and a request is a message.
    pub(crate) fn ask(&mut self, free: usize, now: Instant) -> Option<usize> {
        self.forget_ended(now);
        let more = free.saturating_sub(self.asked);
        if more == 0 || more < self.asked || now < self.not_before {
            return None;
        }
        if self.asked == 0 {
            self.heard = now;
        }
        self.asked += more;
        self.requests.push_back((now + self.expires, more));
        Some(more)
    }

    /// A task was delivered.
    pub(crate) fn delivered(&mut self, now: Instant) {
        self.returned(1, now);
    }

    /// A request has ended with `rest` tasks not delivered.
    pub(crate) fn returned(&mut self, rest: usize, now: Instant) {
        self.heard = now;
        self.asked = self.asked.saturating_sub(rest);
        if self.asked == 0 {
            self.requests.clear();
        }
    }

    /// The server has sent a heartbeat.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Returns `true` if requests are under way and nothing was heard for `patience`: they are gone.
    pub(crate) fn is_silent(&self, patience: Duration, now: Instant) -> bool {
        self.asked > 0 && now.saturating_duration_since(self.heard) > patience
    }

    /// All requests are gone. The next one is not sent before `pause` is over.
    pub(crate) fn reset(&mut self, pause: Duration, now: Instant) {
        self.asked = 0;
        self.requests.clear();
        self.heard = now;
        self.not_before = now + pause;
    }

    /// Requests that have ended deliver nothing any more, whatever the server has said about them.
    fn forget_ended(&mut self, now: Instant) {
        while self
            .requests
            .front()
            .is_some_and(|(ends, _)| *ends + GRACE <= now)
        {
            self.requests.pop_front();
        }
        let open = self.requests.iter().map(|(_, batch)| batch).sum();
        self.asked = self.asked.min(open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRES: Duration = Duration::from_secs(5);

    fn demand() -> (Demand, Instant) {
        let now = Instant::now();
        (Demand::new(EXPIRES, now), now)
    }

    #[test]
    fn never_more_is_asked_for_than_slots_are_free() {
        let (mut demand, now) = demand();
        assert_eq!(demand.ask(8, now), Some(8));
        assert_eq!(demand.ask(8, now), None);
        (0..4).for_each(|_| demand.delivered(now));
        assert_eq!(demand.ask(4, now), None);
        assert_eq!(demand.ask(8, now), Some(4));
        demand.returned(8, now);
        assert_eq!(demand.ask(8, now), Some(8));
    }

    #[test]
    fn a_worker_without_requests_asks_for_each_slot_that_becomes_free() {
        let (mut demand, now) = demand();
        demand.ask(1, now);
        for _ in 0..10 {
            demand.delivered(now);
            assert_eq!((demand.ask(0, now), demand.ask(1, now)), (None, Some(1)));
        }
    }

    #[test]
    fn a_worker_with_many_slots_does_not_send_a_request_for_each_of_them() {
        let (mut demand, now) = demand();
        assert_eq!(demand.ask(100, now), Some(100));
        let requests = (101..=1600).filter_map(|free| demand.ask(free, now));
        assert_eq!(requests.collect::<Vec<_>>(), [100, 200, 400, 800]);
    }

    #[test]
    fn what_an_ended_request_did_not_bring_is_asked_for_again() {
        let (mut demand, now) = demand();
        assert_eq!(demand.ask(8, now), Some(8));
        assert_eq!(demand.ask(8, now + EXPIRES), None);
        assert_eq!(demand.ask(8, now + EXPIRES + GRACE), Some(8));
    }

    #[test]
    fn silence_counts_only_while_something_is_asked_for() {
        let (mut demand, now) = demand();
        let patience = Duration::from_secs(2);
        let later = now + Duration::from_secs(3);
        assert!(!demand.is_silent(patience, later));
        demand.ask(1, now);
        assert!(demand.is_silent(patience, later));
        demand.heard(later);
        assert!(!demand.is_silent(patience, later));
    }

    #[test]
    fn after_a_refusal_the_next_request_waits() {
        let (mut demand, now) = demand();
        demand.ask(4, now);
        let pause = Duration::from_millis(250);
        demand.reset(pause, now);
        assert_eq!(demand.ask(4, now), None);
        assert_eq!(demand.ask(4, now + pause), Some(4));
    }
}
