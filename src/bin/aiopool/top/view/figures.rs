//! Formats times and rates.

use std::time::Duration;

use crate::top::tasks::Age;

/// Formats the age of a task, with `>` in front of a lower bound.
pub(super) fn age(age: Age) -> String {
    match age {
        Age::Exactly(age) => span(age),
        Age::AtLeast(age) => format!(">{}", span(age)),
    }
}

/// Formats a rate per second, with a decimal if it is small.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 100.0 => format!("{rate:.0} a second"),
        rate => format!("{rate:.1} a second"),
    }
}

/// Formats a duration in at most seven characters.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_millis() as f64 / 1000.0),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::span;

    #[test]
    fn times_are_short() {
        for (seconds, expected) in [
            (0.0, "0 ms"),
            (0.25, "250 ms"),
            (9.99, "10.0 s"),
            (59.9, "59.9 s"),
            (62.0, "1m 02s"),
            (7384.0, "2h 03m"),
            (90000.0, "1d 01h"),
        ] {
            assert_eq!(span(Duration::from_secs_f64(seconds)), expected);
        }
    }
}
