//! What a time of the server is on the worker's clock.

use std::time::{Instant, SystemTime};

/// The server's clock, as one answer of the server has shown it.
///
/// The server has answered after it was asked. So a time that the server gives to something else is, on the worker's
/// clock, no earlier than the same distance from the question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerClock {
    asked: Instant,
    answer: SystemTime,
}

impl ServerClock {
    /// Returns the clock of a server that was asked at `asked`, and has answered that it was `answer`.
    pub(crate) fn new(asked: Instant, answer: SystemTime) -> Self {
        Self { asked, answer }
    }

    /// Returns the earliest time that `time` of the server may have been here.
    pub(crate) fn earliest(&self, time: SystemTime) -> Option<Instant> {
        match time.duration_since(self.answer) {
            Ok(later) => self.asked.checked_add(later),
            Err(earlier) => self.asked.checked_sub(earlier.duration()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_time_of_the_server_is_never_taken_to_be_later_than_it_was() {
        let ms = Duration::from_millis;
        let epoch = Instant::now() + ms(10_000);
        let server = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30);
        // The two clocks are the same here, but the question and the answer each take a while.
        for (question, when) in [(0, 500), (40, 500), (40, 0), (40, 9000)] {
            let clock = ServerClock::new(epoch, server + ms(question));
            let stored = clock.earliest(server + ms(when)).unwrap();
            assert!(stored <= epoch + ms(when));
            assert_eq!(stored + ms(question), epoch + ms(when));
        }
    }
}
