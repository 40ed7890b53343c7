//! The terminal, taken and given back.

use std::io;
use std::panic;
use std::process;

use ratatui::DefaultTerminal;

/// The alternate screen, without echo; given back when this is dropped, and when any thread panics.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) terminal: DefaultTerminal,
}

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        end_after_a_panic();
        Ok(Self { terminal })
    }
}

/// `ratatui` has its own hook give the terminal back. Other threads must not go on drawing on it then.
fn end_after_a_panic() {
    const PANICKED: i32 = 101;
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        hook(info);
        process::exit(PANICKED);
    }));
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
