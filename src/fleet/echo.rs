//! How long a delivery was under way.
//!
//! A delivery may wait in a stalled connection for any time, and looks the same when it arrives. The worker sends
//! messages to itself, through the server, on the connection and to the address of its deliveries: what arrives after
//! such an echo was sent by the server after the echo was sent by the worker. What arrives before the first echo of a new
//! connection was sent on an earlier one.

use std::collections::VecDeque;
use std::time::Instant;

/// Echoes that are under way, at most. More are not sent: the connection is stalled.
const UNDER_WAY: usize = 64;

/// The echoes of a worker.
#[derive(Debug)]
pub(crate) struct Echoes {
    under_way: VecDeque<(u64, Instant)>,
    next: u64,
    required: u64,
    sent_after: Option<Instant>,
    answered: bool,
}

impl Echoes {
    pub(crate) fn new() -> Self {
        Self {
            under_way: VecDeque::new(),
            next: 0,
            required: 0,
            sent_after: None,
            answered: false,
        }
    }

    /// Returns the number of the echo that is sent now, or `None` if none should be.
    pub(crate) fn send(&mut self, now: Instant) -> Option<u64> {
        if self.under_way.len() >= UNDER_WAY {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.under_way.push_back((number, now));
        Some(number)
    }

    /// The echo `number` has arrived. The ones before it that have not are lost.
    pub(crate) fn arrived(&mut self, number: u64) {
        while let Some((first, sent)) = self.under_way.front().copied() {
            if first > number {
                return;
            }
            self.under_way.pop_front();
            if first == number {
                self.sent_after = Some(sent);
                if number >= self.required {
                    self.required = 0;
                    self.answered = true;
                }
            }
        }
    }

    /// What is known about the connection is no longer true: an echo that is sent from now on has to arrive first.
    pub(crate) fn invalidate(&mut self) {
        self.required = self.next.max(1);
        self.next = self.required;
        self.under_way.clear();
    }

    /// The connection is lost, or is another one: what arrives now belongs to the earlier one.
    pub(crate) fn connection_lost(&mut self) {
        self.invalidate();
        self.answered = false;
    }

    /// Returns `true` if what arrives now was sent on the connection that there is.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered
    }

    /// Returns the time after which the server has sent what arrives now, unless nothing is known about the connection.
    pub(crate) fn sent_after(&self) -> Option<Instant> {
        self.sent_after
    }

    /// Returns `true` if tasks may be asked for.
    pub(crate) fn is_fresh(&self) -> bool {
        self.required == 0 && self.sent_after.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_arrives_was_sent_after_the_last_echo_that_has_arrived() {
        let mut echoes = Echoes::new();
        let start = Instant::now();
        assert!(!echoes.is_fresh());
        let at = |n: u64| start + Duration::from_secs(n);
        let numbers: Vec<u64> = (0..3).filter_map(|n| echoes.send(at(n))).collect();
        echoes.arrived(numbers[1]);
        assert_eq!(
            (echoes.sent_after(), echoes.is_fresh()),
            (Some(at(1)), true)
        );
        echoes.arrived(numbers[0]);
        echoes.arrived(99);
        assert_ne!(echoes.sent_after(), Some(at(0)));
    }

    #[test]
    fn after_a_lost_connection_only_an_echo_that_is_sent_later_counts() {
        let mut echoes = Echoes::new();
        let now = Instant::now();
        let old = echoes.send(now).unwrap();
        echoes.connection_lost();
        echoes.arrived(old);
        assert!(!echoes.is_fresh() && !echoes.has_answered());
        let new = echoes.send(now).unwrap();
        echoes.arrived(new);
        assert!(echoes.is_fresh() && echoes.has_answered());
    }

    #[test]
    fn a_silent_server_is_not_another_connection() {
        let mut echoes = Echoes::new();
        let first = echoes.send(Instant::now()).unwrap();
        echoes.arrived(first);
        echoes.invalidate();
        assert!(!echoes.is_fresh() && echoes.has_answered());
    }

    #[test]
    fn a_stalled_connection_does_not_fill_with_echoes() {
        let mut echoes = Echoes::new();
        let now = Instant::now();
        let sent = (0..1000).filter_map(|_| echoes.send(now)).count();
        assert_eq!(sent, UNDER_WAY);
    }
}
