use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::tracker::Tracker;
use crate::task::{BoxTask, End, Extras, Finish, Packed, Start, Task, TaskId, over};
use crate::unwind::{caught, discard, shielded};
use crate::wakes::Wakes;

pin_project! {
    /// A task that a feed has made. It has no handle: it reports its end to the tracker of the feed.
    pub(super) struct Item<Fut, X> {
        extras: X,
        seen: Seen,
        // Set when the item gets its number. `extras`, `seen` and `tracker` are used after the future has been dropped.
        tracker: Option<Arc<Tracker>>,
        #[pin]
        future: Fut,
    }
}

/// The number of the item, and its index in the tracker.
#[derive(Clone, Copy)]
struct Seen {
    id: TaskId,
    place: usize,
}

impl<Fut, X> Item<Fut, X> {
    pub(super) fn new(future: Fut, extras: X) -> Self {
        let seen = Seen {
            id: TaskId::UNNUMBERED,
            place: 0,
        };
        Self {
            extras,
            seen,
            tracker: None,
            future,
        }
    }

    pub(super) fn place(&mut self, tracker: Arc<Tracker>, id: TaskId, place: usize) {
        self.seen = Seen { id, place };
        self.tracker = Some(tracker);
    }
}

impl<Fut, X> Item<Fut, X>
where
    Fut: Future + Send + 'static,
    X: Extras + 'static,
{
    /// Drops the future, then makes the end known: what the future owned is gone before the feed or a `join` can be
    /// ready.
    fn conclude(mut self: Pin<Box<Self>>, mut end: End, finish: Finish<'_>) {
        let this = self.as_mut().project();
        let (extras, Seen { id, place }) = (std::mem::take(this.extras), *this.seen);
        let Some(tracker) = this.tracker.take() else {
            return;
        };
        if let Err(payload) = caught(|| drop(self)) {
            discard(payload);
            end = End::Panicked;
        }
        shielded(|| extras.ended(id, end));
        finish(end, &mut || tracker.end_item(place, end));
    }
}

impl<Fut, X> Task for Item<Fut, X>
where
    Fut: Future + Send + 'static,
    X: Extras + 'static,
{
    fn announce(&self, wakes: &mut Wakes) -> Start {
        self.extras.admitted(wakes)
    }

    fn begin(self: Pin<&mut Self>) {
        let this = self.project();
        shielded(|| this.extras.begin(this.seen.id));
    }

    fn poll(mut self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask> {
        let this = self.as_mut().project();
        let polled = caught(|| {
            this.extras.begin(this.seen.id);
            match this.future.poll(cx) {
                Poll::Ready(value) => {
                    discard(value);
                    Poll::Ready(End::Completed)
                }
                Poll::Pending => this.extras.poll_expired(cx).map(|()| End::TimedOut),
            }
        });
        match polled {
            Ok(Poll::Pending) => return Some(self),
            Ok(Poll::Ready(end)) => self.conclude(end, finish),
            Err(payload) => {
                discard(payload);
                self.conclude(End::Panicked, finish);
            }
        }
        None
    }

    fn poll_expired(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        over(caught(|| this.extras.poll_expired(cx)))
    }

    fn give_up(self: Pin<Box<Self>>, failure: Packed, finish: Finish<'_>) {
        let end = failure.end();
        self.conclude(end, finish);
    }
}
