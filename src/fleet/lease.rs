//! The right of a worker to run a task, as the server sees it.
//!
//! The server gives a delivered task to another worker once it has heard nothing of it for the *lease*. It cannot take
//! the task away from the first worker, so that worker has to stop by itself, and before that:
//!
//! ```text
//! 0           0.3                          0.8            1.0     of the lease, since the last time that
//! |------------|----------------------------|--------------|      the server is known to have heard of the task
//!   valid        renewed, again and again     lost: the      the server gives
//!                                             task is        the task to
//!                                             dropped        another worker
//! ```
//!
//! A short lease is lost earlier, 1.2 seconds before its end: a server that is restarted has stored times in seconds.
//!
//! The times are those at which the worker *sent* something that the server has confirmed. The server heard of it
//! later, so that its count ends later than the worker's.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// How much earlier than it should the server may give a task away, after a restart: it stores times in whole seconds.
const EARLY: Duration = Duration::from_millis(1200);

/// How long leases are, and when they are renewed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseRules {
    renew_after: Duration,
    ask_every: Duration,
    valid_for: Duration,
}

impl LeaseRules {
    /// Returns the rules of a server that waits for `lease`.
    pub(crate) fn new(lease: Duration) -> Self {
        let valid_for = lease.mul_f64(0.8).min(lease.saturating_sub(EARLY));
        Self {
            renew_after: valid_for.mul_f64(0.375),
            ask_every: valid_for / 8,
            valid_for,
        }
    }

    /// How often the worker has to look at its leases.
    pub(crate) fn granularity(&self) -> Duration {
        (self.ask_every / 4).clamp(Duration::from_millis(5), Duration::from_millis(250))
    }

    /// Returns `true` if a lease that began at `start` should be renewed by now.
    pub(crate) fn is_due(&self, start: Instant, now: Instant) -> bool {
        now >= start + self.renew_after
    }

    /// Returns the time from which a lease that began at `start` is lost.
    pub(crate) fn lost_at(&self, start: Instant) -> Instant {
        start + self.valid_for
    }
}

/// The lease of one task.
#[derive(Clone, Copy, Debug)]
struct Lease {
    start: Instant,
    asked: Option<Instant>,
}

impl Lease {
    fn next_ask(&self, rules: &LeaseRules) -> Instant {
        let renew = self.start + rules.renew_after;
        self.asked
            .map_or(renew, |asked| renew.max(asked + rules.ask_every))
    }

    fn next_step(&self, rules: &LeaseRules) -> Instant {
        self.next_ask(rules).min(rules.lost_at(self.start))
    }
}

/// What has to be done about a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseStep {
    /// Send a renewal.
    Renew,
    /// Drop the task: another worker may get it. The lease is gone.
    Lost,
}

/// The leases of a worker.
///
/// # Invariants
///
/// 1. `steps` has one entry for each lease, at the time of its next step.
#[derive(Debug)]
pub(crate) struct Leases {
    rules: LeaseRules,
    leases: HashMap<u64, Lease>,
    steps: BTreeSet<(Instant, u64)>,
}

impl Leases {
    pub(crate) fn new(rules: LeaseRules) -> Self {
        Self {
            rules,
            leases: HashMap::new(),
            steps: BTreeSet::new(),
        }
    }

    /// Adds the lease `key`, which began at `start` at the latest. Returns `false`, and adds nothing, if it is lost.
    pub(crate) fn add(&mut self, key: u64, start: Instant, now: Instant) -> bool {
        if now >= self.rules.lost_at(start) {
            return false;
        }
        self.remove(key);
        let lease = Lease { start, asked: None };
        self.steps.insert((lease.next_step(&self.rules), key));
        self.leases.insert(key, lease);
        true
    }

    /// Returns the next step that is due at `now`, and notes that it is taken.
    pub(crate) fn step(&mut self, now: Instant) -> Option<(u64, LeaseStep)> {
        let (due, key) = *self.steps.first()?;
        if due > now {
            return None;
        }
        let lease = self.leases.get_mut(&key)?;
        if now >= self.rules.lost_at(lease.start) {
            self.remove(key);
            return Some((key, LeaseStep::Lost));
        }
        lease.asked = Some(now);
        let next = lease.next_step(&self.rules);
        self.steps.remove(&(due, key));
        self.steps.insert((next, key));
        Some((key, LeaseStep::Renew))
    }

    /// Notes that the server has confirmed the renewal that was sent at `sent`, and returns the time at which the lease
    /// is lost from now on. A confirmation that comes after the lease is lost changes nothing.
    pub(crate) fn renewed(&mut self, key: u64, sent: Instant, now: Instant) -> Option<Instant> {
        let lease = self.leases.get_mut(&key)?;
        if now >= self.rules.lost_at(lease.start) {
            return None;
        }
        self.steps.remove(&(lease.next_step(&self.rules), key));
        lease.start = lease.start.max(sent);
        lease.asked = None;
        self.steps.insert((lease.next_step(&self.rules), key));
        Some(self.rules.lost_at(lease.start))
    }

    /// Removes a lease that is no longer needed.
    pub(crate) fn remove(&mut self, key: u64) {
        if let Some(lease) = self.leases.remove(&key) {
            self.steps.remove(&(lease.next_step(&self.rules), key));
        }
    }

    /// Returns the time at which a lease is lost if it is not renewed.
    pub(crate) fn lost_at(&self, key: u64) -> Option<Instant> {
        let lease = self.leases.get(&key)?;
        Some(self.rules.lost_at(lease.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Leases {
        fn holds(&self, key: u64, now: Instant) -> bool {
            self.lost_at(key).is_some_and(|lost_at| now < lost_at)
        }
    }

    const LEASE: Duration = Duration::from_millis(10_000);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(10 * ms)
    }

    /// The server's side: it waits for a lease since it last heard of the task.
    struct Server {
        heard: Instant,
    }

    impl Server {
        fn gives_it_away(&self, now: Instant) -> bool {
            now >= self.heard + LEASE
        }
    }

    #[test]
    fn a_short_lease_is_lost_more_than_a_second_before_its_end() {
        let start = Instant::now();
        let lease = Duration::from_secs(2);
        let lost_after = LeaseRules::new(lease).lost_at(start) - start;
        assert_eq!(lost_after, Duration::from_millis(800));
    }

    #[test]
    fn a_lease_that_is_confirmed_is_never_lost() {
        let start = Instant::now();
        let mut leases = Leases::new(LeaseRules::new(LEASE));
        assert!(leases.add(1, start, start));
        for step in 0..10_000 {
            let now = start + ms(step);
            if let Some((1, LeaseStep::Renew)) = leases.step(now) {
                assert!(leases.renewed(1, now, now + ms(1)).is_some());
            }
            assert!(leases.holds(1, now));
        }
    }

    #[test]
    fn a_lease_that_nobody_confirms_is_asked_for_and_lost_before_the_server_gives_the_task_away() {
        let start = Instant::now();
        let mut leases = Leases::new(LeaseRules::new(LEASE));
        leases.add(1, start, start);
        let mut asked = 0;
        let lost = (0..2000).find(|step| match leases.step(start + ms(*step)) {
            Some((1, LeaseStep::Renew)) => {
                asked += 1;
                false
            }
            step => step == Some((1, LeaseStep::Lost)),
        });
        assert_eq!((lost, asked), (Some(800), 5));
        assert!(leases.steps.is_empty() && leases.leases.is_empty());
    }

    #[test]
    fn a_delivery_that_was_under_way_for_too_long_gets_no_lease() {
        let start = Instant::now();
        let mut leases = Leases::new(LeaseRules::new(LEASE));
        assert!(!leases.add(1, start, start + ms(800)));
        assert!(leases.add(1, start, start + ms(799)));
        assert_eq!(leases.step(start + ms(799)), Some((1, LeaseStep::Renew)));
    }

    #[test]
    fn a_confirmation_that_comes_too_late_does_not_bring_a_lease_back() {
        let start = Instant::now();
        let mut leases = Leases::new(LeaseRules::new(LEASE));
        leases.add(1, start, start);
        assert_eq!(leases.renewed(1, start + ms(300), start + ms(800)), None);
        assert!(!leases.holds(1, start + ms(801)));
    }

    /// Random delays in both directions, random losses, random stalls of the worker: whenever the server gives a task
    /// away, the worker has dropped it, at the latest at its first look after the stall.
    #[test]
    fn whatever_is_late_or_lost_the_worker_drops_a_task_before_the_server_gives_it_away() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        for _ in 0..2000 {
            let epoch = Instant::now();
            let mut server = Server {
                heard: epoch + ms(next(50)),
            };
            let mut leases = Leases::new(LeaseRules::new(LEASE));
            let mut holds = leases.add(1, epoch, epoch + ms(next(900)).min(ms(700)));
            let mut confirmations: Vec<(Instant, Instant)> = Vec::new();
            let mut now = epoch;
            for _ in 0..400 {
                now += ms(if next(50) == 0 { next(1500) } else { 5 });
                holds &= leases.holds(1, now);
                assert!(!(holds && server.gives_it_away(now)));
                if server.gives_it_away(now) {
                    break;
                }
                while let Some((1, step)) = leases.step(now) {
                    if step == LeaseStep::Renew && next(3) > 0 {
                        let heard = now + ms(next(400));
                        confirmations.push((now, heard));
                    }
                }
                confirmations.retain(|(sent, heard)| {
                    if *heard > now {
                        return true;
                    }
                    if !server.gives_it_away(*heard) {
                        server.heard = server.heard.max(*heard);
                    }
                    leases.renewed(1, *sent, now);
                    false
                });
            }
        }
    }
}
