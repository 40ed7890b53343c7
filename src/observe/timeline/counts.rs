use serde::Serialize;

/// The least time between two points of a curve, in nanoseconds.
const STEP: u64 = 1_000_000;

/// How many tasks wait, hold permits, and have lent theirs: the points of three curves.
///
/// A burst of changes becomes one point for each [`STEP`]. What was true before a pause is always a point.
#[derive(Debug, Default)]
pub(super) struct Counts {
    now: Count,
    /// When `now` became so.
    changed_at: u64,
    shown_at: Option<u64>,
    is_shown: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Count {
    pub(super) waiting: usize,
    pub(super) active: usize,
    pub(super) lent: usize,
}

/// A point of the curves: when, and how many.
pub(super) type Point = (u64, Count);

impl Counts {
    /// Changes the counts, and adds the points to `points` that come of it.
    pub(super) fn change(
        &mut self,
        now: u64,
        points: &mut Vec<Point>,
        change: impl FnOnce(&mut Count),
    ) {
        let is_due = self.shown_at.is_none_or(|shown| now >= shown + STEP);
        if is_due {
            self.show(points);
        }
        change(&mut self.now);
        (self.changed_at, self.is_shown) = (now, false);
        if is_due {
            self.show(points);
        }
    }

    /// Adds the last point, if that is not there yet.
    pub(super) fn show(&mut self, points: &mut Vec<Point>) {
        if !self.is_shown && self.changed_at >= self.shown_at.unwrap_or(0) {
            points.push((self.changed_at, self.now));
            (self.shown_at, self.is_shown) = (Some(self.changed_at), true);
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.now == Count::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_thinned_out_and_what_holds_before_a_pause_is_shown() {
        let (mut counts, mut points) = (Counts::default(), Vec::new());
        for now in 10..20 {
            counts.change(now, &mut points, |count| count.active += 1);
        }
        counts.change(9 * STEP, &mut points, |count| count.active = 0);
        counts.show(&mut points);
        let active: Vec<_> = points
            .iter()
            .map(|(at, count)| (*at, count.active))
            .collect();
        let first = [(0, 0), (10, 1), (19, 10), (9 * STEP, 0)];
        assert_eq!(active, first);
    }
}
