//! Whether a server of a cluster is one of the majority.
//!
//! A server that is cut off from the others of its cluster goes on for a while as what it was: it delivers tasks, and confirms
//! that leases are renewed, though the others know nothing of that, and have begun to give the same tasks away. But it stores
//! nothing, as that takes a majority. So a worker stores a message from time to time, and believes what the server has said
//! about tasks and leases only once a message is stored that was sent later.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Time within which a message has to be stored, as a part of the lease, and within limits. One that takes longer may have
/// waited for the others to come back. They take four seconds at least to have another leader.
const QUICKLY: (u32, Duration, Duration) = (10, Duration::from_secs(1), Duration::from_secs(3));

/// Time after which another message is sent if one is not stored, as a part of the lease.
const PAUSE: u32 = 20;

/// What the server has said, and is not believed yet, about the task of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    /// The server has delivered it.
    Delivered(u64),
    /// The server has confirmed that its lease was renewed at the time of this word.
    Renewed(u64),
}

/// What a worker knows about its server and the others.
#[derive(Debug)]
pub(crate) struct Majority {
    is_needed: bool,
    pause: Duration,
    quickly: Duration,
    words: BTreeSet<(Instant, Word)>,
    /// Messages that are under way.
    under_way: usize,
    asked: Option<Instant>,
    stored: Option<Instant>,
}

impl Majority {
    /// Begins with a pool of so many replicas, and with this lease.
    pub(crate) fn new(replicas: usize, lease: Duration) -> Self {
        let (part, least, most) = QUICKLY;
        Self {
            is_needed: replicas > 1,
            pause: lease / PAUSE,
            quickly: (lease / part).clamp(least, most),
            words: BTreeSet::new(),
            under_way: 0,
            asked: None,
            stored: None,
        }
    }

    /// Returns `true` if what the server has said at this time, or was asked then, is to be believed.
    pub(crate) fn covers(&self, time: Instant) -> bool {
        !self.is_needed || self.stored.is_some_and(|stored| stored >= time)
    }

    /// Keeps a word until it is to be believed.
    pub(crate) fn keep(&mut self, time: Instant, word: Word) {
        self.words.insert((time, word));
    }

    /// Returns `true` if a message is to be sent now, and counts it as sent.
    pub(crate) fn ask(&mut self, now: Instant) -> bool {
        let Some((last, _)) = self.words.last() else {
            return false;
        };
        let is_due = self.asked.is_none_or(|asked| {
            let is_late = now >= asked + self.pause;
            is_late || (self.under_way == 0 && asked < *last)
        });
        if is_due {
            self.under_way += 1;
            self.asked = Some(now);
        }
        is_due
    }

    /// The message that was sent at `sent` is stored, or is not. Returns what is to be believed from now on.
    pub(crate) fn answered(
        &mut self,
        sent: Instant,
        is_stored: bool,
        now: Instant,
    ) -> Vec<(Instant, Word)> {
        self.under_way = self.under_way.saturating_sub(1);
        if !is_stored || now.saturating_duration_since(sent) >= self.quickly {
            return Vec::new();
        }
        self.stored = self.stored.max(Some(sent));
        let mut believed = Vec::new();
        while let Some(first) = self
            .words
            .first()
            .copied()
            .filter(|(time, _)| *time <= sent)
        {
            self.words.pop_first();
            believed.push(first);
        }
        believed
    }

    /// The connection is lost. What its server has said is not to be believed any more because of what another one stores.
    pub(crate) fn connection_lost(&mut self) {
        self.words.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    fn majority(replicas: usize) -> (Majority, Instant) {
        (Majority::new(replicas, LEASE), Instant::now())
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_single_server_is_believed_at_once() {
        let (majority, now) = majority(1);
        assert!(majority.covers(now));
    }

    #[test]
    fn a_word_is_believed_once_something_is_stored_that_was_sent_later() {
        let (mut majority, now) = majority(3);
        assert!(!majority.covers(now) && !majority.ask(now));
        majority.keep(now, Word::Delivered(1));
        assert!(majority.ask(now));
        majority.keep(now + ms(1), Word::Renewed(2));
        assert!(!majority.ask(now + ms(1)));
        let believed = majority.answered(now, true, now + ms(2));
        assert_eq!(believed, vec![(now, Word::Delivered(1))]);
        assert!(majority.covers(now) && !majority.covers(now + ms(1)));
        assert!(majority.ask(now + ms(2)));
        let believed = majority.answered(now + ms(2), true, now + ms(3));
        assert_eq!(believed, vec![(now + ms(1), Word::Renewed(2))]);
        assert!(!majority.ask(now + ms(3)));
    }

    #[test]
    fn a_message_that_is_stored_late_or_never_proves_nothing_and_is_sent_again() {
        let (mut majority, now) = majority(3);
        majority.keep(now, Word::Delivered(1));
        assert!(majority.ask(now) && !majority.ask(now + ms(499)));
        assert!(majority.ask(now + ms(500)));
        assert!(majority.answered(now, true, now + ms(1000)).is_empty());
        let refused = majority.answered(now + ms(500), false, now + ms(900));
        assert!(refused.is_empty());
        assert!(!majority.covers(now) && !majority.ask(now + ms(999)));
        assert!(majority.ask(now + ms(1000)));
    }

    #[test]
    fn what_another_server_stores_proves_nothing_about_the_words_of_the_first_one() {
        let (mut majority, now) = majority(3);
        majority.keep(now, Word::Renewed(1));
        majority.connection_lost();
        majority.keep(now + ms(1), Word::Delivered(2));
        assert!(majority.ask(now + ms(1)));
        let believed = majority.answered(now + ms(1), true, now + ms(2));
        assert_eq!(believed, vec![(now + ms(1), Word::Delivered(2))]);
    }
}
