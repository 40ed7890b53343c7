use std::collections::BTreeMap;
use std::sync::Arc;

use async_lock::OnceCell;

use crate::lock::Lock;

/// A bounded room for connections: where another one comes, the oldest has to go.
///
/// One is for the connections without a seat: those that have not been admitted, and those that are about to end. So
/// connections that say nothing keep nobody out, and take no more descriptors of the program than this. Another one has
/// the seat that is kept for a client with a token.
pub(super) struct Lobby {
    most: usize,
    places: Lock<Places>,
}

#[derive(Default)]
struct Places {
    taken: BTreeMap<u64, Arc<OnceCell<()>>>,
    given: u64,
}

/// The place of a connection, until this is dropped.
pub(super) struct Place {
    lobby: Arc<Lobby>,
    number: u64,
    withdrawn: Arc<OnceCell<()>>,
}

impl Lobby {
    pub(super) fn new(most: usize) -> Arc<Self> {
        let places = Lock::default();
        Arc::new(Self { most, places })
    }

    /// Takes a connection in.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let withdrawn = Arc::new(OnceCell::new());
        let mut places = self.places.lock();
        let number = places.given;
        places.given += 1;
        places.taken.insert(number, withdrawn.clone());
        let is_over = places.taken.len() > self.most;
        let oldest = is_over.then(|| places.taken.pop_first()).flatten();
        drop(places);
        if let Some((_, oldest)) = oldest {
            _ = oldest.set_blocking(());
        }
        Place {
            lobby: self.clone(),
            number,
            withdrawn,
        }
    }
}

impl Place {
    /// Waits until another connection needs the place.
    pub(super) fn withdrawal(&self) -> impl Future<Output = ()> + use<> {
        let withdrawn = self.withdrawn.clone();
        async move {
            withdrawn.wait().await;
        }
    }

    /// Returns whether another connection has got the place.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.withdrawn.is_initialized()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lobby.places.lock().taken.remove(&self.number);
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
    }
}
