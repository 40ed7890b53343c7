//! The option `--timeline`, with the feature of this name.

use std::io;
use std::path::PathBuf;

use aiopool::{AioPool, TimelineObserver};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write a trace of the run to this file: `aiopool timeline FILE > run.html` makes a page of it
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,
}

/// The trace that is being written, if there is one.
pub(crate) struct Trace(Option<TimelineObserver>);

impl Options {
    pub(crate) fn pool(&self, size: usize) -> io::Result<(AioPool, Trace)> {
        let builder = AioPool::builder().name("checksum").size(size);
        let timeline = self.timeline.as_ref().map(TimelineObserver::create);
        let timeline = timeline.transpose()?;
        let builder = match &timeline {
            Some(timeline) => builder.observer(timeline.clone()),
            None => builder,
        };
        let pool = builder.build().expect("a size, and a runtime with a timer");
        Ok((pool, Trace(timeline)))
    }
}

impl Trace {
    pub(crate) fn finish(self) -> io::Result<()> {
        let report = self.0.map(|timeline| timeline.finish());
        report.transpose().map(|_| ())
    }
}
