//! The terminal, taken and given back.

use std::io;
use std::panic;
use std::sync::mpsc::Sender;
use std::thread;

use ratatui::DefaultTerminal;

use super::feed::News;
use crate::failure::Failure;

/// The alternate screen, without echo; given back when this is dropped, and before a panic is told.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) terminal: DefaultTerminal,
}

impl Screen {
    pub(super) fn take(news: Sender<News>) -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        hear_of_panics(news);
        Ok(Self { terminal })
    }
}

/// A panic of this thread gives the terminal back, by the hook of `ratatui`, and unwinds. One of another thread is news:
/// told by that thread, it would be drawn over.
fn hear_of_panics(news: Sender<News>) {
    let hook = panic::take_hook();
    let this = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == this {
            hook(info);
        } else {
            let _ = news.send(News::Failed(Failure::Bug(info.to_string())));
        }
    }));
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A second time, it would put the cursor back to where it was, and write over the panic's message.
        if !thread::panicking() {
            ratatui::restore();
        }
    }
}
