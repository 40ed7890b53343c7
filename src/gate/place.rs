use super::level::{Standing, Turn};
use super::levels::LevelId;
use super::register::NONE;

/// Where somebody stands who is not at the pool's own level, or is more than a plain task there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) standing: Standing,
    /// The level it was submitted to, in whose queue it stands.
    pub(super) home: u32,
    /// When it came there, among those of all levels.
    pub(super) turn: Turn,
    pub(super) hold: Hold,
    /// The neighbours in the list of those who were submitted to the same group.
    pub(super) prev: u32,
    pub(super) next: u32,
}

/// Whether somebody has its permits, where its slot alone does not say so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hold {
    /// As its slot says: an active one has them.
    Plain,
    /// It has lent them, and does not want them now.
    Lent,
    /// It has lent them, and is on its way back.
    Returning,
    /// It stands in the queue, for code that runs elsewhere.
    Asking,
}

impl Place {
    pub(super) const PLAIN: Self = Self {
        standing: Standing::PLAIN,
        home: LevelId::ROOT.0,
        turn: Turn::FIRST,
        hold: Hold::Plain,
        prev: NONE,
        next: NONE,
    };

    pub(super) fn new(home: LevelId, standing: Standing, hold: Hold, turn: Turn) -> Self {
        Self {
            standing,
            home: home.0,
            turn,
            hold,
            prev: NONE,
            next: NONE,
        }
    }
}
