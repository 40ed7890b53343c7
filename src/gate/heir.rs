use super::level::Level;
use super::place::{Hold, Place};
use super::register::Content;
use super::state::Gate;
use crate::task::{Slot, TaskId};

/// The short way of those who are followed by one of their own queue, as tasks of one group or one weight are.
impl<W, A, L> Gate<W, A, L> {
    /// Takes an active one out, and lets the next of its queue have its permits and whoever runs it. Returns the next
    /// one's slot and number, too.
    ///
    /// It comes to the same as [`leave`](Self::leave) and [`admit`](Self::admit), where nobody else may be the next.
    #[inline(never)]
    pub(crate) fn succeed_at_home(&mut self, slot: Slot) -> Option<(Slot, TaskId, W)> {
        let place = self.place(slot);
        let (next, priority) = self.heir(place)?;
        let home = self.levels.at_mut(place.home);
        home.unlink(next, priority, &mut self.register);
        self.levels
            .each_from(place.home, |level| level.waiting -= 1);
        let Content::Active(by) = self.take(slot) else {
            unreachable!("a waiting task left as an active one");
        };
        let entry = self.register.at(next.0);
        match std::mem::replace(&mut entry.content, Content::Active(by)) {
            Content::Waiting(task) => Some((next, entry.id, task)),
            Content::Active(_) => unreachable!("an heir waits"),
        }
    }

    /// The next of the queue of one that leaves, if it takes the same permits, and nobody else may want them.
    fn heir(&self, leaving: Place) -> Option<(Slot, i32)> {
        let home = self.levels.at(leaving.home);
        let is_settled = leaving.hold == Hold::Plain && home.is_just_full() && home.is_simple();
        if !is_settled || self.starts.is_some() || !self.is_alone_on_its_way(home) {
            return None;
        }
        let (next, priority) = home.first()?;
        let waits = matches!(self.register.get(next)?.content, Content::Waiting(_));
        let weighs_the_same = self.standing(next).weight == leaving.standing.weight;
        (waits && weighs_the_same).then_some((next, priority))
    }

    /// Whether nobody waits around a level, and its permits may be passed on there.
    fn is_alone_on_its_way(&self, level: &Level<L>) -> bool {
        let around = level.parent.map(|at| self.levels.path(at));
        let mut around = around.into_iter().flatten();
        around.all(|(_, level)| level.is_simple() && level.first().is_none() && level.may_pass_on())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Admitted, LevelId, Standing};

    type Twin = Gate<u64, u64, ()>;

    /// A pool with groups, one of them inside of another.
    fn twin() -> (Twin, [LevelId; 4]) {
        let mut gate = Twin::new(6, ());
        let outer = gate.add_level(LevelId::ROOT, 4, ());
        let inner = gate.add_level(outer, 2, ());
        let other = gate.add_level(LevelId::ROOT, 3, ());
        (gate, [LevelId::ROOT, outer, inner, other])
    }

    /// Admits whoever is next. Returns those who start.
    fn admit_all(gate: &mut Twin) -> Vec<u64> {
        let mut started = Vec::new();
        while gate.is_ready() {
            match gate.admit(|slot| Some(u64::from(slot.0))) {
                Some(Admitted::New(task)) => started.push(task),
                Some(Admitted::Back(_)) => {}
                None => break,
            }
        }
        started
    }

    fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state >> 20
    }

    #[test]
    fn the_short_way_comes_to_the_same_as_the_long_one() {
        let ((mut short, levels), (mut long, _)) = (twin(), twin());
        let (mut active, mut lent) = (Vec::new(), Vec::new());
        let (mut state, mut number, mut heirs) = (1_u64, 0, 0);
        for _ in 0..30_000 {
            match random(&mut state) % 16 {
                0..7 if long.living(LevelId::ROOT) < 30 => {
                    let home = levels[(random(&mut state) % 4) as usize];
                    let rare = |state: &mut u64| random(state) % 8 == 0;
                    let standing = Standing {
                        weight: 1 + usize::from(rare(&mut state)),
                        priority: i32::from(rare(&mut state)) - i32::from(rare(&mut state)),
                    };
                    for gate in [&mut short, &mut long] {
                        gate.enter(number.into(), home, standing, |_| number);
                    }
                    number += 1;
                }
                7..13 if !active.is_empty() => {
                    let at = random(&mut state) as usize % active.len();
                    let slot = active.swap_remove(at);
                    let (by, _) = long.leave(slot);
                    match short.succeed_at_home(slot) {
                        None => assert_eq!(short.leave(slot).0, by),
                        Some((next, id, task)) => {
                            heirs += 1;
                            let admitted = long.admit(|at| {
                                assert_eq!(at, next);
                                by
                            });
                            assert_eq!(admitted, Some(Admitted::New(task)));
                            assert_eq!(id.get(), task);
                        }
                    }
                }
                13 if !active.is_empty() => {
                    let slot = active.swap_remove(0);
                    short.lend(slot);
                    long.lend(slot);
                    lent.push(slot);
                }
                14 if !lent.is_empty() => {
                    let slot = lent.swap_remove(0);
                    short.come_back(slot);
                    long.come_back(slot);
                }
                15 => {
                    let level = levels[(random(&mut state) % 4) as usize];
                    let (size, pauses) = (1 + random(&mut state) as usize % 5, random(&mut state));
                    for gate in [&mut short, &mut long] {
                        gate.resize(level, size);
                        gate.set_paused(level, pauses % 6 == 0);
                    }
                }
                _ => {}
            }
            assert_eq!(admit_all(&mut short), admit_all(&mut long));
            assert_eq!(describe(&short), describe(&long));
            let holds = |(slot, _, content): (Slot, _, &Content<u64, u64>)| {
                let runs = matches!(content, Content::Active(Some(_)));
                (runs && long.place(slot).hold == Hold::Plain).then_some(slot)
            };
            active = long.tasks().filter_map(holds).collect();
        }
        assert!(heirs > 200, "{heirs}");
    }

    fn describe(gate: &Twin) -> String {
        // The groups of a level are in no order.
        format!("{gate:?}").replace("{3, 1}", "{1, 3}")
    }
}
