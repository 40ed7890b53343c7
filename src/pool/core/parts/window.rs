use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::pool::core::parts::rate::Rate;

/// The starts in the last interval of a rate, by their times.
///
/// Starts within a small part of the interval share an entry, and become available again together, when the interval of
/// the last of them is over. So the memory has a bound, whatever the rate is, and no interval sees a start too many.
#[derive(Debug)]
pub(crate) struct Window {
    per: Duration,
    grain: Duration,
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    number: u64,
    /// Number of starts that are available again, and that the gate has not got yet.
    back: u32,
}

#[derive(Debug)]
struct Entry {
    from: Instant,
    until: Instant,
    starts: u32,
}

/// The entry that a start is in: its number plus one, so that an `Option` of it takes no more space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp(pub(crate) NonZeroU64);

/// An interval until a time that a clock cannot express lasts for this long, which is a hundred years.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Number of entries into which an interval is divided.
const GRAINS: u32 = 256;

impl Window {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            per: rate.per,
            grain: rate.per / GRAINS,
            entries: VecDeque::new(),
            number: 0,
            back: 0,
        }
    }

    pub(crate) fn per(&self) -> Duration {
        self.per
    }

    pub(crate) fn grain(&self) -> Duration {
        self.grain
    }

    /// Counts a start at this time.
    pub(crate) fn count(&mut self, now: Instant) -> Stamp {
        match self.entries.back_mut() {
            Some(last) if now.saturating_duration_since(last.from) <= self.grain => {
                last.until = last.until.max(now);
                last.starts += 1;
            }
            Some(_) | None => self.entries.push_back(Entry {
                from: now,
                until: now,
                starts: 1,
            }),
        }
        let number = self.number + self.entries.len() as u64 - 1;
        Stamp(NonZeroU64::MIN.saturating_add(number))
    }

    /// Moves a start to this later time, unless its interval is over.
    pub(crate) fn recount(&mut self, Stamp(number): Stamp, now: Instant) {
        let index = (number.get() - 1).checked_sub(self.number);
        let Some(entry) = index.and_then(|index| self.entries.get_mut(index as usize)) else {
            return;
        };
        if entry.until < now {
            entry.starts -= 1;
            self.count(now);
        }
    }

    /// Makes the starts available again whose interval is over.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(first) = self.entries.front() {
            if first.starts > 0 && !is_past(first.until, self.per, now) {
                break;
            }
            self.back += first.starts;
            self.entries.pop_front();
            self.number += 1;
        }
    }

    /// Makes all starts available again.
    pub(crate) fn clear(&mut self) {
        self.back += self.entries.iter().map(|entry| entry.starts).sum::<u32>();
        self.number += self.entries.len() as u64;
        self.entries.clear();
    }

    pub(crate) fn has_back(&self) -> bool {
        self.back > 0
    }

    /// Takes the starts that are available again.
    pub(crate) fn take_back(&mut self) -> u32 {
        std::mem::take(&mut self.back)
    }

    /// Returns the time when the next start is available again, if there is one.
    pub(crate) fn next(&self) -> Option<Instant> {
        let first = self.entries.iter().find(|entry| entry.starts > 0)?;
        first.until.checked_add(self.per)
    }

    /// Returns the time when all starts are available again, or `None` if they are.
    pub(crate) fn end(&self) -> Option<Instant> {
        let last = self.entries.iter().rfind(|entry| entry.starts > 0)?;
        let end = last.until.checked_add(self.per);
        Some(end.unwrap_or_else(|| last.until + FAR))
    }
}

fn is_past(from: Instant, per: Duration, now: Instant) -> bool {
    from.checked_add(per).is_some_and(|until| until <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Takes as many starts as it may, at random times. Returns these times, and the highest number of entries.
    fn play(starts: u32, per: Duration, steps: u32) -> (Vec<Instant>, usize) {
        let begun = Instant::now();
        let mut window = Window::new(Rate { starts, per });
        let (mut free, mut random, mut now) = (starts, 1_u64, begun);
        let (mut times, mut most) = (Vec::new(), 0);
        for _ in 0..steps {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            now += per * (random % 100) as u32 / 10_000;
            window.expire(now);
            free += window.take_back();
            if free > 0 {
                free -= 1;
                let stamp = window.count(now);
                now += per * (random >> 32 & 7) as u32 / 10_000;
                window.recount(stamp, now);
                times.push(now);
            }
            most = most.max(window.entries.len());
        }
        (times, most)
    }

    #[test]
    fn no_interval_sees_a_start_too_many_and_hardly_any_is_lost() {
        for starts in [1, 2, 7, 100] {
            let per = 100 * MILLI;
            let (times, _) = play(starts, per, 20_000);
            let pairs = times.iter().zip(&times[starts as usize..]);
            assert!(pairs.clone().all(|(first, beyond)| *beyond - *first >= per));
            let took = times[times.len() - 1] - times[0];
            let ideal = per * (times.len() as u32 / starts - 1);
            assert!(
                took < ideal + ideal / 20 || starts == 100,
                "{starts}: {took:?}"
            );
        }
    }

    #[test]
    fn its_memory_has_a_bound() {
        let (_, most) = play(u32::MAX, 100 * MILLI, 200_000);
        assert!(most <= 2 * GRAINS as usize, "{most}");
    }
}
