//! The syntax of a command: which words may follow its name.

/// A positional argument.
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) count: Count,
    pub(super) kind: ValueKind,
    pub(super) help: &'static str,
}

/// Number of words that a positional argument takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    One,
    Maybe,
    Many,
}

/// How a word is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Text,
    Number,
    Seconds,
    Value,
}

/// An option: `-x`, `--long`.
pub(super) struct Switch {
    pub(super) short: &'static str,
    pub(super) long: &'static str,
    /// Name and kind of its value. `None` for a flag.
    pub(super) takes: Option<(&'static str, ValueKind)>,
    pub(super) help: &'static str,
}

impl Switch {
    pub(super) fn title(&self) -> String {
        format!("{}/--{}", self.short, self.long)
    }
}
