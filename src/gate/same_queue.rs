use super::node::Node;
use super::queue_entry::{EntryState, QueueEntry};
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
    pub(crate) fn finish_into_next_of_queue(&mut self, slot: Slot) -> Option<(Slot, TaskId, W)> {
        let queue_entry = self.queue_entry(slot);
        let (next, priority) = self.next_of_queue(queue_entry)?;
        let home = self.tree.at_mut(queue_entry.home);
        home.unlink(next, priority, &mut self.register);
        self.tree
            .each_from(queue_entry.home, |node| node.waiting -= 1);
        let Content::Active(by) = self.take(slot) else {
            unreachable!("a waiting task left as an active one");
        };
        let entry = self.register.at(next.0);
        match std::mem::replace(&mut entry.content, Content::Active(by)) {
            Content::Waiting(task) => Some((next, entry.id, task)),
            Content::Active(_) => unreachable!("an next_of_queue waits"),
        }
    }

    /// The next of the queue of one that leaves, if it takes the same permits, and nobody else may want them.
    fn next_of_queue(&self, leaving: QueueEntry) -> Option<(Slot, i32)> {
        let home = self.tree.at(leaving.home);
        let is_settled =
            leaving.state == EntryState::BySlot && home.is_just_full() && home.is_simple();
        if !is_settled || self.starts.is_some() || !self.is_alone_on_its_way(home) {
            return None;
        }
        let (next, priority) = home.first()?;
        let waits = matches!(self.register.get(next)?.content, Content::Waiting(_));
        let weighs_the_same = self.demand(next).weight == leaving.demand.weight;
        (waits && weighs_the_same).then_some((next, priority))
    }

    /// Whether nobody waits around a node, and its permits may be passed on there.
    fn is_alone_on_its_way(&self, node: &Node<L>) -> bool {
        let around = node.parent.map(|at| self.tree.path(at));
        let mut around = around.into_iter().flatten();
        around.all(|(_, node)| node.is_simple() && node.first().is_none() && node.may_pass_on())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Admitted, Demand, NodeId};

    type Twin = Gate<u64, u64, ()>;

    /// A pool with groups, one of them inside of another.
    fn twin() -> (Twin, [NodeId; 4]) {
        let mut gate = Twin::new(6, ());
        let outer = gate.add_node(NodeId::ROOT, 4, ());
        let inner = gate.add_node(outer, 2, ());
        let other = gate.add_node(NodeId::ROOT, 3, ());
        (gate, [NodeId::ROOT, outer, inner, other])
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
        let ((mut short, tree), (mut long, _)) = (twin(), twin());
        let (mut active, mut lent) = (Vec::new(), Vec::new());
        let (mut state, mut number, mut followed) = (1_u64, 0, 0);
        for _ in 0..30_000 {
            match random(&mut state) % 16 {
                0..7 if long.living(NodeId::ROOT) < 30 => {
                    let home = tree[(random(&mut state) % 4) as usize];
                    let rare = |state: &mut u64| random(state) % 8 == 0;
                    let demand = Demand {
                        weight: 1 + usize::from(rare(&mut state)),
                        priority: i32::from(rare(&mut state)) - i32::from(rare(&mut state)),
                    };
                    for gate in [&mut short, &mut long] {
                        gate.enter(number.into(), home, demand, |_| number);
                    }
                    number += 1;
                }
                7..13 if !active.is_empty() => {
                    let at = random(&mut state) as usize % active.len();
                    let slot = active.swap_remove(at);
                    let (by, _) = long.leave(slot);
                    match short.finish_into_next_of_queue(slot) {
                        None => assert_eq!(short.leave(slot).0, by),
                        Some((next, id, task)) => {
                            followed += 1;
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
                    let node = tree[(random(&mut state) % 4) as usize];
                    let (size, pauses) = (1 + random(&mut state) as usize % 5, random(&mut state));
                    for gate in [&mut short, &mut long] {
                        gate.resize(node, size);
                        gate.set_paused(node, pauses % 6 == 0);
                    }
                }
                _ => {}
            }
            assert_eq!(admit_all(&mut short), admit_all(&mut long));
            assert_eq!(describe(&short), describe(&long));
            let holds = |(slot, _, content): (Slot, _, &Content<u64, u64>)| {
                let runs = matches!(content, Content::Active(Some(_)));
                (runs && long.queue_entry(slot).state == EntryState::BySlot).then_some(slot)
            };
            active = long.tasks().filter_map(holds).collect();
        }
        assert!(followed > 200, "{followed}");
    }

    fn describe(gate: &Twin) -> String {
        // The groups of a node are in no order.
        format!("{gate:?}").replace("{3, 1}", "{1, 3}")
    }
}
