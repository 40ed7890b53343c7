//! What is shown, and what the keys mean.

/// The list that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    #[default]
    Tasks,
    /// The tasks that have run longest.
    Running,
    /// The tasks that have waited longest.
    Waiting,
    Groups,
}

/// The mode, which determines what the keys mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Mode {
    #[default]
    Looking,
    /// The help, with so many of its lines scrolled out of sight.
    Help(usize),
    /// The digits of the new size that have been typed so far.
    Typing {
        /// The group to be resized; the whole pool without it.
        group: Option<String>,
        digits: String,
    },
    Asking(Question),
}

/// An action that cannot be undone, and that the user has to confirm.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    Cancel { id: u64, name: String },
    CancelGroup(String),
    CancelAll,
}

impl View {
    /// All views, in the order of their keys `1`, `2` …
    pub(super) const ALL: [Self; 4] = [Self::Tasks, Self::Running, Self::Waiting, Self::Groups];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Groups => "groups",
        }
    }

    /// Returns the view so many places further, as if they were in a circle.
    pub(super) fn after(self, places: usize) -> Self {
        let at = Self::ALL.iter().position(|view| *view == self);
        Self::ALL[(at.unwrap_or(0) + places) % Self::ALL.len()]
    }
}
