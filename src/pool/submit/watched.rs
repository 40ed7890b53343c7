use crate::observe::{Ended, Origin};
use crate::pool::AioPool;
use crate::pool::core::watch::Watch;
use crate::task::{Body, End, Extras, JoinHandle, Start, TaskId};
use crate::wakes::Wakes;

/// The extras of a task without options, in a pool whose observers hear of it.
#[derive(Default)]
pub(crate) struct Watched {
    start: Start,
    has_begun: bool,
    /// `None` only before the submission, and in a pool whose observers hear of nothing any more.
    watch: Option<Watch>,
}

impl Extras for Watched {
    #[inline]
    fn admitted(&self, _: &mut Wakes) -> Start {
        if let Some(watch) = &self.watch {
            watch.admit();
        }
        self.start
    }

    #[inline]
    fn begin(&mut self, id: TaskId) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        if let Some(watch) = &self.watch {
            watch.start(id);
        }
    }

    #[inline]
    fn poll<R>(&self, id: TaskId, poll: impl FnOnce() -> R) -> R {
        match &self.watch {
            Some(watch) => watch.poll(id, poll),
            None => poll(),
        }
    }

    fn lends(&self, id: TaskId) {
        if let Some(watch) = &self.watch {
            watch.lend(id);
        }
    }

    #[inline]
    fn drop_future(&self, id: TaskId, drop: impl FnOnce()) {
        match &self.watch {
            Some(watch) => watch.drop_future(id, drop),
            None => drop(),
        }
    }

    #[inline]
    fn ended(self, id: TaskId, end: End) {
        if let Some(watch) = &self.watch {
            watch.end(id, Ended::from(end));
        }
    }
}

impl AioPool {
    /// Submits a future without options, of which the observers of the pool hear.
    #[track_caller]
    pub(crate) fn submit_watched<F>(
        &self,
        mut body: Box<Body<F, Watched>>,
        start: Start,
        origin: Origin,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // As in `equip`.
        self.core().spawner();
        let watch = self.core().settings.heard_by().map(|watcher| {
            let observed = self.bare_observed(watcher);
            Watch::new(observed, origin)
        });
        let of_submission = watch.as_ref().and_then(Watch::of_submission);
        *body.extras_mut() = Watched {
            start,
            has_begun: false,
            watch,
        };
        let submitted = self.try_submit_bare(body);
        if let Some(watch) = of_submission {
            watch.end_submission(submitted.as_ref().ok().map(JoinHandle::id));
        }
        submitted.unwrap_or_else(|rejected| rejected.into_handle(self.core()))
    }
}
