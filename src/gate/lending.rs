use super::level::Turn;
use super::levels::LevelId;
use super::place::{Hold, Place};
use super::register::Content;
use super::state::{Admitted, Gate};
use crate::task::Slot;

/// Permits that are lent, and come back.
impl<W, A, L> Gate<W, A, L> {
    /// Gives the next its permits if it is known to the caller already, and no task that starts.
    #[inline]
    pub(crate) fn admit_known(&mut self) -> Option<A>
    where
        A: Clone,
    {
        // Those who are known have places.
        if self.places.is_empty() || !self.is_ready() {
            return None;
        }
        self.admit_placed()
    }

    #[inline(never)]
    pub(super) fn admit_placed(&mut self) -> Option<A>
    where
        A: Clone,
    {
        let (_, next) = self.first_of(LevelId::ROOT.0)?;
        match self.register.get(next)?.content {
            Content::Waiting(_) => None,
            Content::Active(_) => match self.admit(|_| None)? {
                Admitted::Back(who) => Some(who),
                Admitted::New(_) => None,
            },
        }
    }

    pub(super) fn readmit(&mut self, slot: Slot) -> Option<A>
    where
        A: Clone,
    {
        self.change_place(slot, |place| {
            (place.hold, place.turn) = (Hold::Plain, Turn::FIRST);
        });
        match &self.register.at(slot.0).content {
            Content::Active(who) => who.clone(),
            Content::Waiting(_) => unreachable!("a task returned that had not started"),
        }
    }

    /// Lets another run an active one, and returns who did.
    pub(crate) fn replace_server(&mut self, slot: Slot, by: A) -> Option<A> {
        match &mut self.register.at(slot.0).content {
            Content::Active(server) => server.replace(by),
            Content::Waiting(_) => unreachable!("a waiting task is run by nobody"),
        }
    }

    /// Takes the permits of an active one back, until it [returns](Self::come_back).
    pub(crate) fn lend(&mut self, slot: Slot) {
        let Place { standing, home, .. } = self.place(slot);
        self.levels.each_from(home, |level| {
            level.held -= standing.weight;
            level.active -= 1;
            level.lent += 1;
        });
        self.change_place(slot, |place| place.hold = Hold::Lent);
        self.refresh_all(home);
    }

    /// Lets one who lent its permits stand in line for them, before all newcomers.
    pub(crate) fn come_back(&mut self, slot: Slot) {
        let (home, turn) = (self.place(slot).home, self.turn_of_another());
        self.change_place(slot, |place| {
            (place.hold, place.turn) = (Hold::Returning, turn);
        });
        self.levels
            .at_mut(home)
            .push_returning(slot, &mut self.register);
        self.refresh(home);
    }
}
