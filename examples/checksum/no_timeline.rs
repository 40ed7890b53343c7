//! Without the feature `timeline` there is no such option.

use std::io;

use aiopool::AioPool;

#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) struct Trace;

impl Options {
    pub(crate) fn pool(&self, size: usize) -> io::Result<(AioPool, Trace)> {
        Ok((AioPool::new(size), Trace))
    }
}

impl Trace {
    pub(crate) fn finish(self) -> io::Result<()> {
        Ok(())
    }
}
