//! Reading the control stream: which tasks are cancelled, and whether the pool is paused.
//!
//! Nothing starts before all is read that was stored until the worker was connected.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::state::State;
use crate::fleet::fence::Fences;
use crate::fleet::nats::tail::{Tail, TailItem};

/// Time within which a message that is published for the control stream comes from there.
const CONTROL: Duration = Duration::from_millis(500);

/// How far the control stream is read: the fences, and whether the pool is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// What was stored before the worker, or before its connection, is read. Until then nothing starts.
    CaughtUp,
    Behind,
    /// It has to be read with a new request, as an earlier one may be gone.
    Anew,
}

/// What comes from the control stream, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Controls {
    pub(super) items: mpsc::UnboundedReceiver<TailItem>,
    reading: AbortHandle,
}

impl Controls {
    /// Reads all of it: a server that was killed may have given its numbers again.
    pub(super) fn read(state: &State) -> Self {
        let names = &state.link.names;
        let tail = Tail {
            link: state.link.clone(),
            stream: names.control_stream(),
            filter: names.all("c.>"),
            from: 1,
        };
        let (send, items) = mpsc::unbounded_channel();
        let reading = tokio::spawn(tail.run(move |item| match send.send(item) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }));
        Self {
            items,
            reading: reading.abort_handle(),
        }
    }
}

impl Drop for Controls {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl State {
    /// Something has come from the control stream.
    pub(super) fn control_item(&mut self, item: TailItem) {
        self.control_due = None;
        match item {
            TailItem::Message { message, .. } => self.controlled(&message),
            TailItem::CaughtUp => self.controls = Reading::CaughtUp,
            TailItem::Interrupted => self.controls = Reading::Anew,
        }
    }

    /// A message for the control stream is under way to the server that stores it, and back.
    pub(super) fn control_published(&mut self, now: Instant) {
        self.control_due.get_or_insert(now + CONTROL);
    }

    /// Returns `true`, once, if the control stream has to be read with a new request: before anything starts, as there was no
    /// connection, or since a message does not arrive. The server that had the request may be gone, though the worker is
    /// connected to another one.
    pub(super) fn takes_controls_anew(&mut self, now: Instant) -> bool {
        let is_late = self.control_due.is_some_and(|due| due <= now);
        let anew = is_late || self.controls == Reading::Anew;
        if anew {
            self.control_due = None;
            self.controls = Reading::Behind;
            self.fences = Fences::default();
        }
        anew
    }
}
