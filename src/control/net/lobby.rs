use std::collections::BTreeMap;
use std::sync::Arc;

use async_lock::OnceCell;

use crate::lock::Lock;

/// A bounded set of places for connections: when it is full, a new connection takes the place of the oldest.
///
/// One lobby is for the connections without a seat: those that have not been admitted, and those that are about to end.
/// So connections that send nothing do not keep others out, and they use a bounded number of the program's descriptors.
/// Another lobby, of size 1, is the seat that is reserved for the newest client with a token.
pub(super) struct Lobby {
    places: Lock<Places>,
}

struct Places {
    most: usize,
    taken: BTreeMap<u64, Arc<OnceCell<()>>>,
    given: u64,
    /// Number of connections whose place was withdrawn and that have not ended yet.
    leaving: usize,
}

/// The place of a connection. Dropping it frees the place.
pub(super) struct Place {
    lobby: Arc<Lobby>,
    number: u64,
    withdrawn: Arc<OnceCell<()>>,
}

impl Lobby {
    pub(super) fn new(most: usize) -> Arc<Self> {
        let places = Lock::new(Places {
            most,
            taken: BTreeMap::new(),
            given: 0,
            leaving: 0,
        });
        Arc::new(Self { places })
    }

    /// Gives a place to a new connection, and withdraws that of the oldest if there are too many.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let withdrawn = Arc::new(OnceCell::new());
        let mut places = self.places.lock();
        let number = places.given;
        places.given += 1;
        places.taken.insert(number, withdrawn.clone());
        let most = places.most;
        let oldest = places.withdraw_beyond(most);
        drop(places);
        send_away(oldest);
        Place {
            lobby: self.clone(),
            number,
            withdrawn,
        }
    }

    /// Reduces the number of places, as the system has no descriptors for another connection: withdraws the places of
    /// the older half. From then on there are no more places than the other half, but always at least `least`.
    pub(super) fn shrink(&self, least: usize) {
        let mut places = self.places.lock();
        let half = places.taken.len() / 2;
        places.most = places.most.min(half.max(least));
        let older = places.withdraw_beyond(half);
        drop(places);
        send_away(older);
    }

    /// Returns `true` if all connections with a withdrawn place have ended.
    pub(super) fn is_settled(&self) -> bool {
        self.places.lock().leaving == 0
    }
}

impl Places {
    /// Withdraws the oldest places until at most `most` are left.
    #[must_use = "they have to be told"]
    fn withdraw_beyond(&mut self, most: usize) -> Vec<Arc<OnceCell<()>>> {
        let beyond = self.taken.len().saturating_sub(most);
        self.leaving += beyond;
        let oldest = std::iter::from_fn(|| self.taken.pop_first());
        oldest.take(beyond).map(|(_, place)| place).collect()
    }
}

/// Tells connections that their places are withdrawn. Called without the lock: it wakes tasks.
fn send_away(withdrawn: Vec<Arc<OnceCell<()>>>) {
    for place in withdrawn {
        _ = place.set_blocking(());
    }
}

impl Place {
    /// Waits until the place is withdrawn for another connection.
    pub(super) fn withdrawal(&self) -> impl Future<Output = ()> + use<> {
        let withdrawn = self.withdrawn.clone();
        async move {
            withdrawn.wait().await;
        }
    }

    /// Returns `true` if the place was withdrawn for another connection.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.withdrawn.is_initialized()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.lobby.places.lock();
        if places.taken.remove(&self.number).is_none() {
            places.leaving -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_nobody_else() {
        let lobby = Lobby::new(2);
        let mut places: Vec<_> = (0..3).map(|_| lobby.enter()).collect();
        let are_withdrawn = |places: &[Place]| -> Vec<bool> {
            let withdrawn = places.iter().map(Place::is_withdrawn);
            withdrawn.collect()
        };
        assert_eq!(are_withdrawn(&places), [true, false, false]);
        places.remove(1);
        places.push(lobby.enter());
        assert_eq!(are_withdrawn(&places), [true, false, false]);
        assert!(!lobby.is_settled(), "the oldest is there yet");
        places.remove(0);
        assert!(lobby.is_settled());
    }

    #[test]
    fn a_smaller_room_has_the_newer_half() {
        let lobby = Lobby::new(8);
        let mut places: Vec<_> = (0..6).map(|_| lobby.enter()).collect();
        lobby.shrink(2);
        assert!(!lobby.is_settled());
        places.retain(|place| !place.is_withdrawn());
        assert!(lobby.is_settled());
        let numbers =
            |places: &[Place]| places.iter().map(|place| place.number).collect::<Vec<_>>();
        assert_eq!(numbers(&places), [3, 4, 5]);
        places.push(lobby.enter());
        places.retain(|place| !place.is_withdrawn());
        assert_eq!(numbers(&places), [4, 5, 6], "it stays smaller");
        for _ in 0..3 {
            lobby.shrink(2);
            places.retain(|place| !place.is_withdrawn());
        }
        assert_eq!(numbers(&places), [0; 0]);
        places.extend([lobby.enter(), lobby.enter()]);
        assert!(lobby.is_settled(), "there is always room for so many");
    }
}
