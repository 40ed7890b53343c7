use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Values with deadlines, of which the earliest is found first.
///
/// Most deadlines are later than all that were filed before, because most tasks of a pool may wait for the same time.
/// These are in a line, where filing one and removing one cost the same however many there are. The others are in an
/// ordered map.
///
/// # Invariants
///
/// 1. No deadline in the line is earlier than one in front of it.
/// 2. The first page of the line, if there is one, has a deadline.
#[derive(Debug)]
pub(crate) struct Deadlines<T> {
    line: VecDeque<Option<Box<Page<T>>>>,
    /// The number of the first place in the line.
    front: u64,
    /// The number of the next place in the line.
    back: u64,
    /// The last deadline that was put into the line.
    latest: Option<Instant>,
    others: BTreeMap<(Instant, u64), T>,
    /// The number of the next one of the others, which tells equal deadlines apart.
    next_other: u64,
}

/// The place of a deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Filed {
    InLine(u64),
    Apart(Instant, u64),
}

/// [`PAGE`] consecutive places of the line. Its memory is given back when none of them is in use, even if the line goes
/// on in front of it.
#[derive(Debug)]
struct Page<T> {
    places: [Option<(Instant, T)>; PAGE],
    used: usize,
    /// No place in front of this one is in use.
    first: usize,
}

const PAGE: usize = 64;

/// Capacity of the list of pages that stays when the line is empty.
const KEPT: usize = 64;

impl<T> Default for Deadlines<T> {
    fn default() -> Self {
        Self {
            line: VecDeque::new(),
            front: 0,
            back: 0,
            latest: None,
            others: BTreeMap::new(),
            next_other: 0,
        }
    }
}

impl<T> Deadlines<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty() && self.others.is_empty()
    }

    pub(crate) fn insert(&mut self, until: Instant, value: T) -> Filed {
        if self.latest.is_none_or(|latest| latest <= until) {
            self.latest = Some(until);
            return self.line_up(until, value);
        }
        let number = self.next_other;
        self.next_other += 1;
        self.others.insert((until, number), value);
        Filed::Apart(until, number)
    }

    /// Removes a deadline, unless it was taken before.
    pub(crate) fn remove(&mut self, filed: Filed) {
        match filed {
            Filed::Apart(until, number) => {
                self.others.remove(&(until, number));
            }
            Filed::InLine(number) => {
                self.leave_line(number);
            }
        }
    }

    /// Returns the earliest deadline.
    pub(crate) fn first(&self) -> Option<Instant> {
        let of_line = self.first_of_line().map(|(until, _)| until);
        let other = self.others.first_key_value().map(|((until, _), _)| *until);
        match (of_line, other) {
            (Some(of_line), Some(other)) => Some(of_line.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Takes the earliest deadline out, if it is not later than `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<T> {
        let first = self.first().filter(|first| *first <= now)?;
        match self.first_of_line() {
            Some((until, number)) if until == first => self.leave_line(number),
            _ => self.others.pop_first().map(|(_, value)| value),
        }
    }

    /// Returns the values of all deadlines, in no order that means anything.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        let pages = self.line.into_iter().flatten();
        let in_line = pages.flat_map(|page| page.places).flatten();
        let in_line = in_line.map(|(_, value)| value);
        in_line.chain(self.others.into_values())
    }

    fn line_up(&mut self, until: Instant, value: T) -> Filed {
        let (page, at) = self.place(self.back);
        if page == self.line.len() {
            self.line.push_back(None);
        }
        let page = self.line[page].get_or_insert_with(|| Page::new(at));
        page.places[at] = Some((until, value));
        page.used += 1;
        self.back += 1;
        Filed::InLine(self.back - 1)
    }

    /// Returns the page of a place in the line, counted from the first page, and the place in the page.
    fn place(&self, number: u64) -> (usize, usize) {
        let (page, at) = (number / PAGE as u64, number % PAGE as u64);
        let first = self.front / PAGE as u64;
        ((page - first) as usize, at as usize)
    }

    fn first_of_line(&self) -> Option<(Instant, u64)> {
        let page = self.line.front()?.as_ref()?;
        let (until, _) = page.places[page.first].as_ref()?;
        let before = self.front - self.front % PAGE as u64;
        Some((*until, before + page.first as u64))
    }

    fn leave_line(&mut self, number: u64) -> Option<T> {
        if number < self.front {
            return None;
        }
        let (at_page, at) = self.place(number);
        let page = self.line.get_mut(at_page)?.as_mut()?;
        let (_, value) = page.places[at].take()?;
        page.used -= 1;
        if page.used == 0 {
            self.drop_page(at_page);
        } else if page.first == at {
            page.advance();
        }
        Some(value)
    }

    /// Frees a page that is not in use, and the free pages at the front of the line.
    fn drop_page(&mut self, page: usize) {
        self.line[page] = None;
        while let Some(None) = self.line.front() {
            self.line.pop_front();
            self.front = (self.front / PAGE as u64 + 1) * PAGE as u64;
        }
        if self.line.is_empty() {
            // Places that were never used are left out, so that the line begins with a page of its own.
            self.back = self.front;
            self.latest = None;
            self.line.shrink_to(KEPT);
        }
    }
}

impl<T> Page<T> {
    fn new(first: usize) -> Box<Self> {
        Box::new(Self {
            places: [const { None }; PAGE],
            used: 0,
            first,
        })
    }

    /// Moves `first` on to the next place in use. There is one.
    fn advance(&mut self) {
        let is_used = |place: &Option<_>| place.is_some();
        let next = self.places[self.first..].iter().position(is_used);
        self.first += next.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Returns numbers that look random.
    fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut random = seed;
        move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        }
    }

    #[test]
    fn it_does_what_an_ordered_list_does() {
        for seed in 1..20 {
            let (mut deadlines, mut naive) = (Deadlines::default(), Vec::new());
            let (begin, mut random) = (Instant::now(), random(seed));
            for step in 0..5_000_u64 {
                // In some runs most of the deadlines are in order, and in others none of them is.
                let at = step * (seed % 4) + random() % 50;
                match random() % 8 {
                    0..4 => {
                        let until = begin + Duration::from_millis(at);
                        naive.push((until, step, deadlines.insert(until, step)));
                    }
                    4..6 if !naive.is_empty() => {
                        let (.., filed) = naive.remove(random() as usize % naive.len());
                        deadlines.remove(filed);
                        // It is not there any more, and no other is in its place.
                        deadlines.remove(filed);
                    }
                    6 => {
                        let now = begin + Duration::from_millis(at / 2);
                        let due = deadlines.take_due(now);
                        let earliest = naive.iter().map(|(until, ..)| *until).min();
                        assert_eq!(due.is_some(), earliest.is_some_and(|first| first <= now));
                        let taken = naive.iter().position(|(_, value, _)| Some(*value) == due);
                        if let Some(taken) = taken {
                            assert_eq!(Some(naive.remove(taken).0), earliest);
                        }
                    }
                    _ => {}
                }
                let earliest = naive.iter().map(|(until, ..)| *until).min();
                assert_eq!(deadlines.first(), earliest);
                assert_eq!(deadlines.is_empty(), naive.is_empty());
            }
        }
    }

    #[test]
    fn one_that_waits_long_does_not_keep_the_memory_of_those_behind_it() {
        let mut deadlines = Deadlines::default();
        let until = Instant::now();
        deadlines.insert(until, 0);
        for value in 1..100_000 {
            let filed = deadlines.insert(until, value);
            deadlines.remove(filed);
        }
        assert!(deadlines.line.iter().flatten().count() <= 2);
        assert_eq!(deadlines.take_due(until), Some(0));
        assert!(deadlines.is_empty() && deadlines.line.capacity() <= 2 * KEPT);
    }
}
