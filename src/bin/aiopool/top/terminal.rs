//! Takes over the terminal, and restores it.

use std::io;
use std::panic;
use std::sync::mpsc::Sender;
use std::thread;

use ratatui::DefaultTerminal;

use super::feed::News;
use crate::failure::Failure;

/// The alternate screen, without echo. The terminal is restored when this is dropped, and before a panic is reported.
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

/// Installs a panic hook. A panic of this thread restores the terminal, through the hook of `ratatui`, and unwinds. A
/// panic of another thread is sent as news: if that thread printed it, the dashboard would draw over it.
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
        // After a panic the hook has done this already. A second call would move the cursor back, and the message of
        // the panic would be overwritten.
        if !thread::panicking() {
            ratatui::restore();
        }
    }
}
