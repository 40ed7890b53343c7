use indicatif::ProgressBar;

use super::{Progress, ProgressStream};

/// With the feature `indicatif`.
impl ProgressStream {
    /// Draws the progress on a bar of the crate [`indicatif`] until the stream ends, and returns the last counts.
    ///
    /// It sets the position to the number of tasks that are done, the length to the total if that is known, and the message
    /// to what else there is to say: `4 active, 96 waiting`, and `, 1 failed` if there are such tasks. The template of the bar
    /// decides what is seen: `{eta}` is the time left.
    ///
    /// When the stream ends, the bar finishes as its [`ProgressFinish`](indicatif::ProgressFinish) says, which is to be
    /// cleared by default. If not all of the total is done, it is abandoned instead: it stays as it is.
    ///
    /// Let it run beside the work, in a task of the runtime or in a `join!`, and not in a task of the pool. indicatif writes to
    /// the terminal from where this future is polled, and writes nothing if there is no terminal.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the bar as it is, neither finished nor abandoned.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use indicatif::{ProgressBar, ProgressStyle};
    ///
    /// let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}, {eta} left, {msg}").unwrap();
    /// let bar = ProgressBar::no_length().with_style(style);
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let drawing = pool.progress().total(100).draw_on(bar);
    /// let work = pool.map(0..100, |n: u64| async move { n * n });
    /// let (results, last) = tokio::join!(work, drawing);
    /// assert_eq!((results.len(), last.done), (100, 100));
    /// # });
    /// ```
    pub async fn draw_on(mut self, bar: ProgressBar) -> Progress {
        let mut last = Progress::default();
        while let Some(now) = self.next().await {
            draw(&bar, now);
            last = now;
        }
        if last.total.is_none_or(|total| last.done >= total) {
            bar.finish_using_style();
        } else {
            bar.abandon();
        }
        last
    }
}

fn draw(bar: &ProgressBar, now: Progress) {
    // Each of these may draw. Setting the same length again would do so for nothing.
    if let Some(total) = now.total.filter(|total| bar.length() != Some(*total)) {
        bar.set_length(total);
    }
    bar.set_position(now.done);
    let failed = match now.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let Progress {
        active, waiting, ..
    } = now;
    bar.set_message(format!("{active} active, {waiting} waiting{failed}"));
}
