//! Which first deliveries may be second ones.
//!
//! A server before 2.10.14 that has a task to deliver again, and finds that nobody listens any more for the requests that
//! it has, counts one task back: the one that it has delivered last is delivered once more, as if for the first time. The
//! worker that has it is not told.
//!
//! Messages and deliveries are numbered. As long as each delivery is a first one, the two numbers grow alike. If the
//! number of the message has fallen behind since the last first delivery to a worker, there were others meanwhile.

/// What a worker knows of the numbers of its first deliveries.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// By how much the number of the message was ahead of that of the delivery.
    ahead: Option<i128>,
}

impl Repeats {
    /// Notes a first delivery. Returns `true` if the message may have been delivered to another worker before.
    pub(crate) fn may_be_one(&mut self, message: u64, delivery: u64) -> bool {
        let ahead = i128::from(message) - i128::from(delivery);
        let before = self.ahead.replace(ahead);
        before.is_none_or(|before| ahead < before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_delivery_is_doubtful_after_one_that_was_none() {
        let mut repeats = Repeats::default();
        let mut next = |message, delivery| repeats.may_be_one(message, delivery);
        assert!(next(3, 3));
        // 4 to 8 went to others, as deliveries 4 to 8.
        assert!(!next(9, 9));
        // Message 9 is delivered once more, or message 10 after another one was.
        assert!(next(9, 10));
        assert!(!next(10, 11));
        assert!(next(11, 13));
        assert!(!next(12, 14));
    }
}
