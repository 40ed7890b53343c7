use std::sync::Arc;
use std::task::Waker;

use super::Feed;
use super::tracker::Tracker;
use super::watchers::WatcherKey;
use crate::pool::Core;
use crate::pool::progress::{ProgressStream, Seen, Until, Watched};

impl Feed {
    /// Watches how far the feed has come: a stream of its counts, for a progress bar or a log.
    ///
    /// [`progress`](Self::progress) returns the counts of one moment. [`ProgressStream`] says when there is an item. The
    /// stream ends when the feed has finished, also if this handle is dropped before.
    ///
    /// The total is known if the size hint of the input was exact when the feed was made, and is what it said then. Of a
    /// feed that was aborted, not all of it gets done.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(8);
    /// let feed = pool.feed(0..1_000, |n: u64| async move { n * n });
    /// let mut progress = feed.progress_stream();
    /// let mut last = None;
    /// while let Some(now) = progress.next().await {
    ///     println!("{} of {}", now.done, now.total.unwrap());
    ///     last = Some(now.done);
    /// }
    /// assert_eq!(last, Some(1_000));
    /// # });
    /// ```
    pub fn progress_stream(&self) -> ProgressStream {
        ProgressStream::new(OfFeed {
            tracker: self.tracker.clone(),
            core: self.core.clone(),
            left: None,
        })
    }
}

/// The progress of a feed.
struct OfFeed {
    tracker: Arc<Tracker>,
    core: Arc<Core>,
    left: Option<WatcherKey>,
}

impl Watched for OfFeed {
    fn core(&self) -> &Core {
        &self.core
    }

    fn look(&mut self, waker: Waker, decide: &mut dyn FnMut(Seen) -> Option<Until>) {
        self.tracker.look(&mut self.left, waker, decide);
    }
}

impl Drop for OfFeed {
    fn drop(&mut self) {
        if self.left.is_some() {
            self.tracker.stop_watching(self.left.take());
        }
    }
}
