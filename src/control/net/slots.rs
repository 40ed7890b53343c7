use std::collections::BTreeMap;
use std::sync::Arc;

use async_lock::OnceCell;

use crate::lock::Lock;

/// A bounded set of slots for connections. When all slots are taken, a new connection evicts the oldest.
///
/// The pending connections are in one such set: the connections that have not been admitted, and the connections that
/// are about to end. So connections that send nothing do not keep others out, and they use a bounded number of the
/// program's descriptors. Another set, of one slot, is the session that is reserved for the newest client with a token.
pub(super) struct Slots {
    state: Lock<State>,
}

struct State {
    limit: usize,
    taken: BTreeMap<u64, Arc<OnceCell<()>>>,
    next_number: u64,
    /// Number of connections that were evicted and have not ended yet.
    evicting: usize,
}

/// The slot of a connection. Dropping it frees the slot.
pub(super) struct Slot {
    slots: Arc<Slots>,
    number: u64,
    evicted: Arc<OnceCell<()>>,
}

impl Slots {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let state = Lock::new(State {
            limit,
            taken: BTreeMap::new(),
            next_number: 0,
            evicting: 0,
        });
        Arc::new(Self { state })
    }

    /// Takes a slot for a new connection, and evicts the oldest connection if there are too many.
    pub(super) fn take(self: &Arc<Self>) -> Slot {
        let evicted = Arc::new(OnceCell::new());
        let mut state = self.state.lock();
        let number = state.next_number;
        state.next_number += 1;
        state.taken.insert(number, evicted.clone());
        let limit = state.limit;
        let oldest = state.evict_beyond(limit);
        drop(state);
        signal(oldest);
        Slot {
            slots: self.clone(),
            number,
            evicted,
        }
    }

    /// Reduces the number of slots, as the system has no descriptors for another connection: evicts the older half of
    /// the connections. From then on there are no more slots than the other half, but always at least `least`.
    pub(super) fn shrink(&self, least: usize) {
        let mut state = self.state.lock();
        let half = state.taken.len() / 2;
        state.limit = state.limit.min(half.max(least));
        let older = state.evict_beyond(half);
        drop(state);
        signal(older);
    }

    /// Returns `true` if an evicted connection has not ended yet.
    pub(super) fn is_evicting(&self) -> bool {
        self.state.lock().evicting > 0
    }
}

impl State {
    /// Frees the slots of the oldest connections until at most `limit` are taken. Returns the signals to be set.
    #[must_use = "the connections have to be told"]
    fn evict_beyond(&mut self, limit: usize) -> Vec<Arc<OnceCell<()>>> {
        let beyond = self.taken.len().saturating_sub(limit);
        self.evicting += beyond;
        let oldest = std::iter::from_fn(|| self.taken.pop_first());
        oldest.take(beyond).map(|(_, evicted)| evicted).collect()
    }
}

/// Tells connections that they are evicted. Called without the lock: it wakes tasks.
fn signal(evicted: Vec<Arc<OnceCell<()>>>) {
    for connection in evicted {
        _ = connection.set_blocking(());
    }
}

impl Slot {
    /// Waits until the connection is evicted for a newer one.
    pub(super) fn evicted(&self) -> impl Future<Output = ()> + use<> {
        let evicted = self.evicted.clone();
        async move {
            evicted.wait().await;
        }
    }

    /// Returns `true` if the connection was evicted for a newer one.
    pub(super) fn is_evicted(&self) -> bool {
        self.evicted.is_initialized()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.state.lock();
        if state.taken.remove(&self.number).is_none() {
            state.evicting -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_evicted_and_no_other() {
        let slots = Slots::new(2);
        let mut taken: Vec<_> = (0..3).map(|_| slots.take()).collect();
        let are_evicted = |taken: &[Slot]| -> Vec<bool> {
            let evicted = taken.iter().map(Slot::is_evicted);
            evicted.collect()
        };
        assert_eq!(are_evicted(&taken), [true, false, false]);
        taken.remove(1);
        taken.push(slots.take());
        assert_eq!(are_evicted(&taken), [true, false, false]);
        assert!(slots.is_evicting(), "the oldest has not ended yet");
        taken.remove(0);
        assert!(!slots.is_evicting());
    }

    #[test]
    fn after_shrinking_the_newer_half_is_left() {
        let slots = Slots::new(8);
        let mut taken: Vec<_> = (0..6).map(|_| slots.take()).collect();
        slots.shrink(2);
        assert!(slots.is_evicting());
        taken.retain(|slot| !slot.is_evicted());
        assert!(!slots.is_evicting());
        let numbers = |taken: &[Slot]| taken.iter().map(|slot| slot.number).collect::<Vec<_>>();
        assert_eq!(numbers(&taken), [3, 4, 5]);
        taken.push(slots.take());
        taken.retain(|slot| !slot.is_evicted());
        assert_eq!(numbers(&taken), [4, 5, 6], "it stays smaller");
        for _ in 0..3 {
            slots.shrink(2);
            taken.retain(|slot| !slot.is_evicted());
        }
        assert_eq!(numbers(&taken), [0; 0]);
        taken.extend([slots.take(), slots.take()]);
        assert!(!slots.is_evicting(), "so many slots are always left");
    }
}
