//! Signals at the prompt: Ctrl-C stops the running command, and a signal that ends the program restores the terminal
//! first.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The current effect of Ctrl-C.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    stop: Arc<Mutex<Option<Stop>>>,
    /// `true` if Ctrl-C has stopped a command and [`take`](Self::take) has not reported it yet.
    has_stopped: Arc<AtomicBool>,
}

type Stop = Box<dyn FnMut() + Send>;

/// Guard: Ctrl-C stops a command until this is dropped.
pub(crate) struct Interruptible(Interrupt);

impl Interrupt {
    /// Makes Ctrl-C call `stop`, until the returned guard is dropped.
    pub(crate) fn stops(&self, stop: impl FnMut() + Send + 'static) -> Interruptible {
        self.set(Some(Box::new(stop)));
        Interruptible(self.clone())
    }

    fn set(&self, stop: Option<Stop>) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop;
    }

    /// Returns `true` if Ctrl-C has stopped a command since the last call.
    pub(crate) fn take(&self) -> bool {
        self.has_stopped.swap(false, Relaxed)
    }

    fn raise(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = &mut *stop {
            self.has_stopped.store(true, Relaxed);
            stop();
        }
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Handles signals from now on.
#[cfg(unix)]
pub(super) fn hear(interrupt: Interrupt) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let terminal = Terminal::now();
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGINT {
                interrupt.raise();
                continue;
            }
            terminal.restore();
            _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn hear(_: Interrupt) -> std::io::Result<()> {
    Ok(())
}

/// The settings of the terminal before the prompt.
#[cfg(unix)]
struct Terminal(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Terminal {
    fn now() -> Self {
        Self(rustix::termios::tcgetattr(std::io::stdin()).ok())
    }

    fn restore(&self) {
        use std::io::Write;

        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(terminal) = &self.0 {
            _ = tcsetattr(std::io::stdin(), OptionalActions::Now, terminal);
            // Turns off bracketed paste, and puts the shell's prompt on a new line.
            _ = std::io::stdout().write_all(b"\x1b[?2004l\r\n");
            _ = std::io::stdout().flush();
        }
    }
}
