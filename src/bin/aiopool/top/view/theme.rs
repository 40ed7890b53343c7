//! Styles, with colours or without.

use ratatui::style::{Color, Modifier, Style};

/// With colour, or with bold, underlined and reversed text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::top) enum Theme {
    Colour,
    Plain,
}

impl Theme {
    /// Takes the colour, if there are colours.
    pub(super) fn fore(self, colour: Color) -> Style {
        match self {
            Self::Colour => Style::new().fg(colour),
            Self::Plain => Style::new(),
        }
    }

    /// Stands out, also without colour.
    pub(super) fn bad(self) -> Style {
        self.fore(Color::Red).add_modifier(Modifier::BOLD)
    }
}
