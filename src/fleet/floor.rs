//! Up to which task everything is over.
//!
//! A task that is tried again has an old origin in a new message, so that the first message of the work stream does not
//! say which tasks are over. The finder marks a moment at which no task was between two tries. Once all messages of that
//! moment are gone, and no task has gone into the delayed stream since, all tasks of that moment have their outcome.

/// The first and last sequence numbers of the work stream, and what is in the delayed stream, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) delayed: u64,
    pub(crate) delayed_last: u64,
}

/// Finds out which tasks are over.
#[derive(Debug, Default)]
pub(crate) struct FloorFinder {
    mark: Option<Moment>,
}

impl FloorFinder {
    /// Returns the number below which no task has its origin, if something new is known about it.
    pub(crate) fn observe(&mut self, now: Moment) -> Option<u64> {
        // A server that was killed may have forgotten which numbers it has given.
        let same = |mark: &Moment| mark.delayed_last == now.delayed_last && mark.last <= now.last;
        if now.delayed > 0 {
            self.mark = None;
            return None;
        }
        let Some(mark) = self.mark.filter(same) else {
            self.mark = Some(now);
            return None;
        };
        if now.first <= mark.last {
            return None;
        }
        self.mark = Some(now);
        Some(mark.last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(first: u64, last: u64) -> Moment {
        Moment {
            first,
            last,
            delayed: 0,
            delayed_last: 0,
        }
    }

    #[test]
    fn tasks_are_over_once_all_messages_of_an_earlier_moment_are_gone() {
        let mut finder = FloorFinder::default();
        assert_eq!(finder.observe(moment(3, 10)), None);
        assert_eq!(finder.observe(moment(10, 20)), None);
        assert_eq!(finder.observe(moment(11, 20)), Some(11));
        assert_eq!(finder.observe(moment(21, 20)), Some(21));
    }

    #[test]
    fn a_task_between_two_tries_keeps_the_floor_where_it_was() {
        let mut finder = FloorFinder::default();
        finder.observe(moment(3, 10));
        let delayed = Moment {
            delayed: 1,
            delayed_last: 1,
            ..moment(11, 20)
        };
        assert_eq!(finder.observe(delayed), None);
        // It is back in the work stream, as message 21, with an old origin.
        let back = Moment {
            delayed_last: 1,
            ..moment(21, 21)
        };
        assert_eq!(finder.observe(back), None);
        assert_eq!(finder.observe(Moment { first: 22, ..back }), Some(22));
    }

    #[test]
    fn a_server_that_gives_numbers_again_ends_no_task_and_stops_no_finder() {
        let mut finder = FloorFinder::default();
        finder.observe(moment(51, 50));
        assert_eq!(finder.observe(moment(1, 2)), None);
        assert_eq!(finder.observe(moment(3, 2)), Some(3));
    }
}
