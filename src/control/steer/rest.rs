use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many tasks a feed has yet to put into the queue, where it is one entry: all that are left but one.
///
/// It counts those of one feed, or those of all.
#[derive(Clone, Default)]
pub(super) struct Rest(Arc<AtomicU64>);

/// The inputs of a feed, which count themselves. Dropped, they count no more.
pub(super) struct Counted<I> {
    inputs: I,
    all: Rest,
    own: Rest,
}

impl Rest {
    pub(super) fn get(&self) -> usize {
        usize::try_from(self.0.load(Relaxed)).unwrap_or(usize::MAX)
    }

    /// Counts `inputs`, which are so many, here and in `own`.
    pub(super) fn count<I>(&self, inputs: I, count: u64, own: &Self) -> Counted<I> {
        let rest = count.saturating_sub(1);
        own.0.store(rest, Relaxed);
        self.0.fetch_add(rest, Relaxed);
        Counted {
            inputs,
            all: self.clone(),
            own: own.clone(),
        }
    }
}

impl<I> Counted<I> {
    fn uncount(&self, most: u64) {
        // Only one thread at a time has the inputs.
        let gone = self.own.0.load(Relaxed).min(most);
        self.own.0.fetch_sub(gone, Relaxed);
        self.all.0.fetch_sub(gone, Relaxed);
    }
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.uncount(1);
        self.inputs.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inputs.size_hint()
    }
}

impl<I> Drop for Counted<I> {
    fn drop(&mut self) {
        self.uncount(u64::MAX);
    }
}
