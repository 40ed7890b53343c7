use std::io::{self, Write};
use std::time::Instant;

use super::event::Totals;
use super::output::Output;
use super::state::State;
use crate::lock::Lock;

/// The trace that is being written: the state of the tasks, the clock, and the way to the file.
pub(super) struct Recorder {
    // Not the clock of a runtime, which tests may stop: a trace shows where the time goes.
    begin: Instant,
    /// `None` when the trace has ended.
    state: Lock<Option<State>>,
    output: Output,
}

impl Recorder {
    pub(super) fn new(writer: impl Write + Send + 'static, limit: u64) -> io::Result<Self> {
        Ok(Self {
            begin: Instant::now(),
            state: Lock::new(Some(State::default())),
            output: Output::new(writer, limit)?,
        })
    }

    pub(super) fn set_limit(&self, limit: u64) {
        self.output.set_limit(limit);
    }

    /// Changes the state at a time that never goes back, and writes the notes that come of it. `None` when the trace has
    /// ended.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State, u64) -> R) -> Option<R> {
        let mut state = self.state.lock();
        let now = self.now();
        let known = state.as_mut()?;
        let result = change(known, now);
        let notes = known.take_notes();
        drop(state);
        if !notes.is_empty() {
            self.output.push(now, &notes);
        }
        Some(result)
    }

    /// Ends the trace. `None` if it has ended before.
    pub(super) fn finish(&self) -> Option<io::Result<Totals>> {
        let ended = self.state.lock().take();
        let (now, mut state) = (self.now(), ended?);
        let unfinished = state.finish(now);
        self.output.push(now, &state.take_notes());
        self.output.finish(unfinished)
    }

    /// Returns the time since the beginning, in nanoseconds. They suffice for 584 years.
    pub(super) fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }
}
