use super::node::Node;
use super::queue_entry::{EntryState, QueueEntry};
use super::register::Content;
use super::state::Gate;
use crate::task::{EntryId, Slot};

/// The shortcut for a task whose successor waits in the same queue, as in a group, or among tasks of one weight.
impl<W, A, L> Gate<W, A, L> {
    /// Removes an active task, and starts the next one of its queue with its permits and its worker. Returns the
    /// slot, the number and the content of the next task, or `None` if a task of another queue may be the next.
    ///
    /// Same effect as [`leave`](Self::leave), then [`admit`](Self::admit). The permits pass from one task to the
    /// next, so that no `held` or `active` changes, and no offer has to be updated.
    #[inline(never)]
    pub(crate) fn finish_into_next_of_queue(&mut self, slot: Slot) -> Option<(Slot, EntryId, W)> {
        let queue_entry = self.queue_entry(slot);
        let (next, priority) = self.next_of_queue(queue_entry)?;
        let home = self.tree.at_mut(queue_entry.home);
        home.unlink(next, priority, &mut self.register);
        self.tree.each_from(queue_entry.home, |node| {
            node.waiting -= 1;
            node.returns = 0;
        });
        let Content::Active(by) = self.take(slot) else {
            unreachable!("a waiting task left as an active one");
        };
        self.count_start(queue_entry.home);
        self.take_turn(queue_entry.home, queue_entry.demand.weight);
        let entry = self.register.at(next.0);
        match std::mem::replace(&mut entry.content, Content::Active(by)) {
            Content::Waiting(task) => Some((next, entry.id, task)),
            Content::Active(_) => unreachable!("the next task of a queue waits"),
        }
    }

    /// Returns the task that may take over the permits of `leaving`: the next of the same queue, if it has the same
    /// weight and no other task competes for them.
    fn next_of_queue(&self, leaving: QueueEntry) -> Option<(Slot, i32)> {
        let home = self.tree.at(leaving.home);
        let is_settled =
            leaving.state == EntryState::BySlot && home.is_just_full() && home.is_simple();
        if !is_settled || !self.is_alone_on_its_way(home) {
            return None;
        }
        let (next, priority) = home.first()?;
        let waits = matches!(self.register.get(next)?.content, Content::Waiting(_));
        let weighs_the_same = self.demand(next).weight == leaving.demand.weight;
        (waits && weighs_the_same).then_some((next, priority))
    }

    /// Returns `true` if no task waits at the nodes around this node, and permits may be passed on there.
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
    use crate::task::TaskId;

    type Twin = Gate<u64, u64, ()>;

    /// Returns a pool with groups, one of them inside another.
    fn twin(is_fair: bool) -> (Twin, [NodeId; 4]) {
        let mut gate = Twin::new(6, ());
        if is_fair {
            gate.share_fairly();
        }
        let outer = gate.add_node(NodeId::ROOT, 4, ());
        let inner = gate.add_node(outer, 2, ());
        let other = gate.add_node(NodeId::ROOT, 3, ());
        (gate, [NodeId::ROOT, outer, inner, other])
    }

    /// Admits tasks as long as one is ready. Returns the ones that start.
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
        compare(false);
        compare(true);
    }

    fn compare(is_fair: bool) {
        let ((mut short, tree), (mut long, _)) = (twin(is_fair), twin(is_fair));
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
                        gate.enter(TaskId::from(number), home, demand, |_| number);
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
                            assert_eq!(id.task(), Some(TaskId::from(task)));
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
                15 if !active.is_empty() && long.is_just_back(active[0]) => {
                    short.keep(active[0]);
                    long.keep(active[0]);
                }
                15 if random(&mut state) % 2 == 0 => {
                    let starts = random(&mut state) as u32 % 300;
                    let node = tree[(random(&mut state) % 4) as usize];
                    short.allow(node, starts);
                    long.allow(node, starts);
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
                let state = long.queue_entry(slot).state;
                let holds = matches!(state, EntryState::BySlot | EntryState::JustBack);
                (runs && holds).then_some(slot)
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
