//! Styles, with or without colours.

use ratatui::style::{Color, Modifier, Style};

/// With colours, or only with bold, underlined and reversed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    Colour,
    Plain,
}

impl Theme {
    /// Returns a style with this colour, or the default style without colours.
    pub(super) fn fore(self, colour: Color) -> Style {
        match self {
            Self::Colour => Style::new().fg(colour),
            Self::Plain => Style::new(),
        }
    }

    /// Returns a style that stands out, also without colours.
    pub(super) fn bad(self) -> Style {
        self.fore(Color::Red).add_modifier(Modifier::BOLD)
    }
}
