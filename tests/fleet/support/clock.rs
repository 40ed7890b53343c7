use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the clock that all processes of this machine share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).expect("a time after the start");
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).expect("a part of a second")
}

pub(crate) const MS: u64 = 1_000_000;
