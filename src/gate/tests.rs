//! Compares the gate with a naive model that searches its lists from the front.

use super::node::RETURNS_IN_A_ROW;
use super::{Admitted, Content, Demand, Gate, NodeId};
use crate::task::{Slot, TaskId};

/// A naive model of the gate: all tasks wait in one list, and stay there until they have all permits.
#[derive(Default)]
struct Model {
    tree: Vec<ModelLevel>,
    /// New tasks, in the order of their arrival.
    queue: Vec<Member>,
    /// Tasks that wait to get their permits back, in this order.
    returning: Vec<Member>,
    active: Vec<Member>,
    lent: Vec<Member>,
    /// The active tasks that had lent their permits, and are about to be polled with them, while a new task has its turn.
    just_back: Vec<Member>,
    is_fair: bool,
}

#[derive(Default)]
struct ModelLevel {
    parent: Option<usize>,
    size: usize,
    held: usize,
    paused: bool,
    starts: Option<u32>,
    share: u32,
    /// Number of tasks that returned here and below since one started.
    returns: u32,
    /// The virtual times: of the level, of its own queue, and of the level as a member of the one around it.
    now: u128,
    own: u128,
    member: u128,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Member {
    id: u64,
    home: usize,
    demand: Demand,
    /// It runs elsewhere, so that `withdraw` does not apply to it.
    asks: bool,
}

impl Model {
    fn add_node(&mut self, parent: Option<usize>, size: usize, share: u32) {
        self.tree.push(ModelLevel {
            parent,
            size,
            share,
            ..ModelLevel::default()
        });
    }

    fn path(&self, home: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(home), |at| self.tree[*at].parent)
    }

    fn fits(&self, at: usize, weight: usize) -> bool {
        let node = &self.tree[at];
        node.held == 0 || node.held + weight <= node.size
    }

    /// Returns the same once no task is just back.
    fn will_fit(&self, at: usize, weight: usize) -> bool {
        let just_back = self.just_back.iter();
        let just_back = just_back.filter(|member| self.path(member.home).any(|node| node == at));
        let just_back: usize = just_back.map(|member| member.demand.weight).sum();
        let node = &self.tree[at];
        let held = node.held - just_back;
        held == 0 || held + weight <= node.size
    }

    /// Returns the next entry of a node.
    fn first(&self, at: usize) -> Option<(Member, bool)> {
        if self.is_fair {
            self.first_by_turn(at)
        } else {
            self.first_by_age(at)
        }
    }

    /// Returns the first entry that wants its permits back, or else that of the member with the least virtual time, and
    /// among equal times the oldest.
    fn first_by_turn(&self, at: usize) -> Option<(Member, bool)> {
        let mut returns = self.returning.iter();
        let back = returns.find(|member| self.is_offered(at, **member, true));
        match back {
            Some(member) => Some((*member, true)),
            None => self.first_new_by_turn(at).map(|member| (member, false)),
        }
    }

    fn first_new_by_turn(&self, at: usize) -> Option<Member> {
        let own = self.queue.iter().filter(|member| member.home == at);
        let own = own.min_by_key(|member| (std::cmp::Reverse(member.demand.priority), member.id));
        let own = own.map(|member| (self.tree[at].own, *member));
        let groups = (0..self.tree.len()).filter(|group| self.tree[*group].parent == Some(at));
        let offers = groups.filter_map(|group| {
            let (first, returns) = self.first(group)?;
            let passes = !returns && self.lets_through(group, first, returns);
            passes.then_some((self.tree[group].member, first))
        });
        let now = self.tree[at].now;
        let next = own.into_iter().chain(offers);
        let next = next.min_by_key(|(time, member)| (now.max(*time), member.id));
        next.map(|(_, member)| member)
    }

    /// Counts a start: the less a member has of the shares, the further its time advances.
    fn count_turn(&mut self, home: usize, weight: usize) {
        let passed = |share| passed(share, weight);
        let level = &mut self.tree[home];
        level.now = level.now.max(level.own);
        level.own = level.now + passed(1);
        for at in self.path(home).collect::<Vec<_>>() {
            if let Some(parent) = self.tree[at].parent {
                let turn = self.tree[parent].now.max(self.tree[at].member);
                self.tree[parent].now = turn;
                self.tree[at].member = turn + passed(self.tree[at].share);
            }
        }
    }

    /// Returns the oldest of the highest priority that all nodes below this one let through.
    fn first_by_age(&self, at: usize) -> Option<(Member, bool)> {
        let mut returns = self.returning.iter();
        let back = returns.find(|member| self.is_offered(at, **member, true));
        match back {
            Some(member) => Some((*member, true)),
            None => self.first_new_by_age(at).map(|member| (member, false)),
        }
    }

    fn first_new_by_age(&self, at: usize) -> Option<Member> {
        let mut newcomers = self.queue.clone();
        newcomers.sort_by_key(|member| std::cmp::Reverse(member.demand.priority));
        let mut newcomers = newcomers.into_iter();
        newcomers.find(|member| self.is_offered(at, *member, false))
    }

    /// Returns the entry that is admitted next, if any: the first one, or a new task whose turn it is after several that
    /// returned.
    fn next(&self) -> Option<(Member, bool)> {
        let (first, returns) = self.first(0)?;
        if !self.lets_through(0, first, returns) {
            return None;
        }
        let overdue = match returns {
            true => self.overdue(first),
            false => Vec::new(),
        };
        let mut fit = overdue.iter().filter(|member| {
            let mut way = self.path(member.home);
            way.all(|at| self.fits(at, member.demand.weight))
        });
        let mut will_fit = overdue.iter().filter(|member| {
            let mut way = self.path(member.home);
            way.all(|at| self.will_fit(at, member.demand.weight))
        });
        match (fit.next_back(), will_fit.next()) {
            (Some(member), _) => Some((*member, false)),
            (None, Some(_)) => None,
            (None, None) => Some((first, returns)),
        }
    }

    /// Returns the new tasks whose turn it is after several that returned, the outermost last.
    fn overdue(&self, returning: Member) -> Vec<Member> {
        let owing = self
            .path(returning.home)
            .filter(|at| self.tree[*at].returns >= RETURNS_IN_A_ROW);
        let new = owing.filter_map(|at| match self.is_fair {
            true => self.first_new_by_turn(at),
            false => self.first_new_by_age(at),
        });
        let may_start = |member: &Member| self.path(member.home).all(|at| self.lets_start(at));
        new.filter(may_start).collect()
    }

    /// Returns `true` if an entry is at a node, or is the first at each node on the way there, and each lets it
    /// through.
    fn is_offered(&self, at: usize, member: Member, returns: bool) -> bool {
        let mut way = self.path(member.home).take_while(|below| *below != at);
        let arrives = self.path(member.home).any(|node| node == at);
        arrives
            && way.all(|below| {
                let is_first = self
                    .first(below)
                    .is_some_and(|(first, _)| first.id == member.id);
                is_first && self.lets_through(below, member, returns)
            })
    }

    fn lets_through(&self, at: usize, member: Member, returns: bool) -> bool {
        self.fits(at, member.demand.weight) && (returns || self.lets_start(at))
    }

    fn lets_start(&self, at: usize) -> bool {
        let node = &self.tree[at];
        !node.paused && node.starts != Some(0)
    }

    fn admit(&mut self) -> Option<Member> {
        let (member, returns) = self.next()?;
        self.queue.retain(|other| other.id != member.id);
        self.returning.retain(|other| other.id != member.id);
        for at in self.path(member.home).collect::<Vec<_>>() {
            let level = &mut self.tree[at];
            level.held += member.demand.weight;
            level.returns = if returns { level.returns + 1 } else { 0 };
        }
        if !returns {
            for at in self.path(member.home).collect::<Vec<_>>() {
                self.take_start(at);
            }
            self.count_turn(member.home, member.demand.weight);
        }
        if returns && !self.overdue(member).is_empty() {
            self.just_back.push(member);
        }
        self.active.push(member);
        Some(member)
    }

    fn take_start(&mut self, at: usize) -> bool {
        match &mut self.tree[at].starts {
            Some(0) => return false,
            Some(left) => *left -= 1,
            None => {}
        }
        true
    }

    /// Returns `true` if this task is the next that is admitted.
    fn is_next(&self, id: u64) -> bool {
        self.next().is_some_and(|(next, _)| next.id == id)
    }

    fn release(&mut self, id: u64) -> Member {
        let queue_entry = self.active.iter().position(|member| member.id == id);
        let member = self.active.remove(queue_entry.unwrap());
        self.keep(id);
        for at in self.path(member.home).collect::<Vec<_>>() {
            self.tree[at].held -= member.demand.weight;
        }
        member
    }

    fn keep(&mut self, id: u64) {
        self.just_back.retain(|member| member.id != id);
    }

    fn lend(&mut self, id: u64) {
        let member = self.release(id);
        self.lent.push(member);
    }

    fn come_back(&mut self, id: u64) {
        let queue_entry = self.lent.iter().position(|member| member.id == id);
        self.returning.push(self.lent.remove(queue_entry.unwrap()));
    }

    /// Ends an entry that has lent its permits, in the queue or not.
    fn leave_lent(&mut self, id: u64) {
        self.lent.retain(|member| member.id != id);
        self.returning.retain(|member| member.id != id);
    }

    fn withdraw(&mut self, id: u64) {
        self.queue.retain(|member| member.id != id);
    }

    fn waiting(&self) -> Vec<u64> {
        ids(&self.queue)
    }

    fn is_asking(&self, id: u64) -> bool {
        self.queue
            .iter()
            .any(|member| member.id == id && member.asks)
    }

    /// Number of these entries at a node or below it.
    fn count(&self, node: usize, members: &[Member]) -> usize {
        let is_below = |member: &&Member| self.path(member.home).any(|at| at == node);
        members.iter().filter(is_below).count()
    }
}

/// The gate, the model, and a source of random choices.
struct Trial {
    gate: Gate<u64, u64, ()>,
    model: Model,
    slots: Vec<(u64, Slot)>,
    random: u64,
    given: u64,
    /// Number of new tasks that went before one that returned.
    overdue: usize,
    /// Number of times that a task had to wait for its permits, since a heavy new one will fit soon.
    held_back: usize,
}

impl Trial {
    /// Returns a pool with two groups, the second of which contains a group.
    fn new(seed: u64, is_fair: bool) -> Self {
        let mut gate = Gate::new(3, ());
        let mut model = Model {
            is_fair,
            ..Model::default()
        };
        if is_fair {
            gate.share_fairly();
        }
        model.add_node(None, 3, 1);
        let other = 1 + (seed % 4) as u32;
        for (parent, size, share) in [(0, 2, 2), (0, 2, other), (2, 1, 3)] {
            let group = gate.add_node(NodeId(parent), size, ());
            gate.set_share(group, share);
            model.add_node(Some(parent as usize), size, share);
        }
        let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self {
            gate,
            model,
            slots: Vec::new(),
            random,
            given: 0,
            overdue: 0,
            held_back: 0,
        }
    }

    fn pick(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn step(&mut self) {
        match self.pick(26) {
            0..=5 => self.enter(),
            6 => self.ask(),
            7..=9 => self.leave(),
            10..=12 => self.withdraw(),
            13..=15 => self.lend(),
            16..=18 => self.come_back(),
            19 => self.leave_lent(),
            20 => self.resize(),
            21 => self.allow(),
            22 => self.take_start(),
            23..=24 => self.keep(),
            _ => self.pause(),
        }
        self.admit_all();
        self.compare();
    }

    fn enter(&mut self) {
        let (id, home) = (self.given, self.pick(4) as usize);
        let demand = self.pick_demand();
        let node = NodeId(home as u32);
        let had_room = self.gate.has_room(node, demand);
        self.given += 1;
        let slot = self.gate.enter(TaskId::from(id), node, demand, |_| id);
        self.slots.push((id, slot));
        let asks = false;
        self.model.queue.push(Member {
            id,
            home,
            demand,
            asks,
        });
        let starts = self.model.is_next(id);
        assert_eq!(had_room, starts, "what is said of room");
    }

    fn ask(&mut self) {
        let (id, home) = (self.given, self.pick(4) as usize);
        let (demand, asks) = (self.pick_demand(), true);
        let node = NodeId(home as u32);
        let had_room = self.gate.has_room(node, demand);
        self.given += 1;
        let slot = self.gate.enqueue_elsewhere(node, demand, id);
        self.slots.push((id, slot));
        self.model.queue.push(Member {
            id,
            home,
            demand,
            asks,
        });
        assert_eq!(had_room, self.model.is_next(id), "what is said of room");
    }

    fn pick_demand(&mut self) -> Demand {
        let weight = 1 + self.pick(4).saturating_sub(2) as usize;
        let priority = self.pick(4) as i32 - 2;
        Demand { weight, priority }
    }

    fn lend(&mut self) {
        let Some(id) = self.pick_one(&ids(&self.model.active)) else {
            return;
        };
        self.gate.lend(self.slot(id));
        self.model.lend(id);
    }

    fn keep(&mut self) {
        let Some(id) = self.pick_one(&ids(&self.model.just_back)) else {
            return;
        };
        self.gate.keep(self.slot(id));
        self.model.keep(id);
    }

    fn come_back(&mut self) {
        let Some(id) = self.pick_one(&ids(&self.model.lent)) else {
            return;
        };
        self.gate.come_back(self.slot(id));
        self.model.come_back(id);
    }

    fn leave_lent(&mut self) {
        let mut gone = ids(&self.model.lent);
        gone.extend(ids(&self.model.returning));
        let Some(id) = self.pick_one(&gone) else {
            return;
        };
        self.gate.leave(self.slot(id));
        self.slots.retain(|(other, _)| *other != id);
        self.model.leave_lent(id);
    }

    fn allow(&mut self) {
        let (node, starts) = (self.pick(4) as usize, (self.pick(3) * self.pick(9)) as u32);
        self.gate.allow(NodeId(node as u32), starts);
        self.model.tree[node].starts = Some(starts);
    }

    fn take_start(&mut self) {
        let node = self.pick(4) as usize;
        let taken = self.gate.take_start(NodeId(node as u32));
        assert_eq!(taken, self.model.take_start(node));
    }

    fn pick_one(&mut self, ids: &[u64]) -> Option<u64> {
        match ids.len() as u64 {
            0 => None,
            len => Some(ids[self.pick(len) as usize]),
        }
    }

    fn leave(&mut self) {
        if self.model.active.is_empty() {
            return;
        }
        let queue_entry = self.pick(self.model.active.len() as u64) as usize;
        let id = self.model.active[queue_entry].id;
        self.gate.leave(self.slot(id));
        self.slots.retain(|(other, _)| *other != id);
        self.model.release(id);
    }

    fn withdraw(&mut self) {
        let waiting = self.model.waiting();
        if waiting.is_empty() {
            return;
        }
        let id = waiting[self.pick(waiting.len() as u64) as usize];
        let slot = self.slot(id);
        if self.model.is_asking(id) {
            assert_eq!(self.gate.withdraw(slot), None);
            self.gate.leave(slot);
        } else {
            assert_eq!(self.gate.withdraw(slot), Some(id));
            assert_eq!(self.gate.withdraw(slot), None);
            self.gate.forget(slot);
        }
        self.slots.retain(|(other, _)| *other != id);
        self.model.withdraw(id);
    }

    fn resize(&mut self) {
        let (node, size) = (self.pick(4) as usize, 1 + self.pick(4) as usize);
        self.gate.resize(NodeId(node as u32), size);
        self.model.tree[node].size = size;
    }

    fn pause(&mut self) {
        let (node, paused) = (self.pick(4) as usize, self.pick(3) == 0);
        self.gate.set_paused(NodeId(node as u32), paused);
        self.model.tree[node].paused = paused;
    }

    fn admit_all(&mut self) {
        while self.gate.is_ready() {
            let waiting = self.model.queue.len();
            let admitted = match self.pick(2) {
                0 => self.gate.admit_known(),
                _ => None,
            };
            let id_at = |at| self.slots.iter().find(|(_, slot)| *slot == at);
            let admitted = admitted.or_else(|| {
                let admitted = self.gate.admit(|at| id_at(at).map(|(id, _)| *id))?;
                let (Admitted::New(id) | Admitted::Back(id)) = admitted;
                Some(id)
            });
            let returns = self.model.first(0).is_some_and(|(_, returns)| returns);
            let next = self.model.admit().map(|member| member.id);
            self.overdue += usize::from(returns && self.model.queue.len() < waiting);
            assert_eq!(admitted, next);
            assert!(admitted.is_some());
        }
        let first = self.model.first(0);
        let may_return = |(first, returns)| returns && self.model.lets_through(0, first, true);
        self.held_back += usize::from(first.is_some_and(may_return));
        assert_eq!(self.model.admit(), None);
    }

    fn compare(&self) {
        for (node, model) in self.model.tree.iter().enumerate() {
            let id = NodeId(node as u32);
            assert_eq!(self.gate.size(id), model.size);
            assert_eq!(self.gate.starts(id), model.starts);
            assert_eq!(self.gate.is_full(id), model.held >= model.size);
            let counted = |members: &[Member]| self.model.count(node, members);
            let lent = counted(&self.model.lent) + counted(&self.model.returning);
            let (waiting, active) = (counted(&self.model.queue), counted(&self.model.active));
            assert_eq!(self.gate.waiting(id), waiting);
            assert_eq!(self.gate.active(id), active);
            assert_eq!(self.gate.lent(id), lent);
            assert_eq!(self.gate.living(id), waiting + active + lent);
            assert_eq!(slots_inside(&self.gate, id).len(), waiting + active + lent);
        }
        assert_eq!(self.gate.living(NodeId::ROOT), self.slots.len());
        for member in &self.model.active {
            let is_just_back = self.model.just_back.contains(member);
            assert_eq!(self.gate.is_just_back(self.slot(member.id)), is_just_back);
        }
        let tasks = self.gate.tasks();
        assert!(
            tasks
                .into_iter()
                .all(|(slot, id, _)| self.slot(id.get()) == slot)
        );
    }

    fn slot(&self, id: u64) -> Slot {
        self.slots.iter().find(|(other, _)| *other == id).unwrap().1
    }
}

/// How far the virtual time of a member advances.
fn passed(share: u32, weight: usize) -> u128 {
    weight as u128 * u128::from((1_u64 << 40) / u64::from(share))
}

fn ids(members: &[Member]) -> Vec<u64> {
    members.iter().map(|member| member.id).collect()
}

#[test]
fn the_gate_does_what_a_naive_model_does() {
    play(200, false);
}

#[test]
fn the_gate_shares_fairly_as_a_naive_model_does() {
    play(100, true);
}

fn play(seeds: u64, is_fair: bool) {
    let (mut overdue, mut held_back) = (0, 0);
    for seed in 1..=seeds {
        let mut trial = Trial::new(seed, is_fair);
        for _ in 0..500 {
            trial.step();
        }
        overdue += trial.overdue;
        held_back += trial.held_back;
    }
    assert!(overdue > 20, "{overdue} new tasks had their turn");
    assert!(held_back > 20, "{held_back} times a task had to wait");
}

fn enter_default(gate: &mut Gate<u64, u64, ()>, id: u64) -> Slot {
    gate.enter(TaskId::from(id), NodeId::ROOT, Demand::DEFAULT, |_| id)
}

#[test]
fn a_slot_is_given_again_and_knows_whose_it_is() {
    let mut gate = Gate::new(1, ());
    let first = enter_default(&mut gate, 0);
    gate.admit(|_| Some(0));
    gate.leave(first);
    let second = enter_default(&mut gate, 1);
    assert_eq!(first, second);
    assert!(gate.get(first, TaskId::from(0)).is_none());
    assert!(matches!(
        gate.get(second, TaskId::from(1)),
        Some(Content::Waiting(1))
    ));
}

#[test]
fn an_entry_of_the_register_is_thirty_two_bytes() {
    use crate::task::BoxTask;
    use crate::worker::WorkerShared;
    use std::sync::Arc;
    assert_eq!(super::entry_size::<BoxTask, Arc<WorkerShared>>(), 32);
}

#[test]
fn the_register_gives_its_memory_back_though_one_task_stays() {
    let mut gate = Gate::new(1, ());
    enter_default(&mut gate, 0);
    gate.admit(|_| Some(0));
    let crowd: Vec<Slot> = (1..100_000)
        .map(|id| enter_default(&mut gate, id))
        .collect();
    assert!(gate.capacity() >= 100_000);
    let mut before = gate.end();
    let mut is_small_step = |end: u32| std::mem::replace(&mut before, end) - end <= 1024;
    for slot in crowd {
        gate.withdraw(slot);
        gate.forget(slot);
        assert!(
            is_small_step(gate.end()),
            "one end takes no longer than others"
        );
    }
    while gate.has_excess() {
        gate.trim();
        assert!(is_small_step(gate.end()));
    }
    assert!(
        gate.capacity() <= 1024,
        "{} slots are kept",
        gate.capacity()
    );
}

#[test]
fn waiting_and_leaving_in_turns_behind_a_stuck_head_takes_no_more_memory() {
    let mut gate = Gate::new(1, ());
    enter_default(&mut gate, 0);
    gate.admit(|_| Some(0));
    enter_default(&mut gate, 1);
    let mut last = enter_default(&mut gate, 2);
    for id in 3..100_000 {
        let next = enter_default(&mut gate, id);
        gate.withdraw(last);
        gate.forget(last);
        last = next;
    }
    assert!(
        gate.capacity() <= 64,
        "{} slots for four tasks",
        gate.capacity()
    );
}

/// Returns the slots of all tasks at a node or below it. For a group, checks them against `few_slots`.
fn slots_inside<L>(gate: &Gate<u64, u64, L>, node: NodeId) -> Vec<Slot> {
    let all = (0..gate.end()).map(Slot);
    let inside: Vec<Slot> = all
        .filter(|slot| gate.inside(*slot, node).0.is_some())
        .collect();
    if let Some(mut known) = gate.few_slots(node, usize::MAX) {
        known.sort_by_key(|slot| slot.0);
        assert_eq!(known, inside);
    }
    inside
}

#[test]
fn withdrawing_all_leaves_the_gate_as_if_they_had_never_come() {
    for plain in [true, false] {
        let mut gate = Gate::new(2, ());
        let group = gate.add_node(NodeId::ROOT, 1, ());
        let home = if plain { NodeId::ROOT } else { group };
        let enter = |gate: &mut Gate<u64, u64, ()>, id| {
            gate.enter(TaskId::from(id), home, Demand::DEFAULT, |_| id)
        };
        for id in 0..10 {
            enter(&mut gate, id);
        }
        while gate.admit(|_| Some(0)).is_some() {}
        let active = gate.active(NodeId::ROOT);
        let slots = slots_inside(&gate, home);
        assert_eq!(gate.few_slots(home, 9), None);
        let withdrawn = slots.into_iter();
        let withdrawn = withdrawn.filter_map(|slot| Some((slot, gate.withdraw(slot)?)));
        let mut withdrawn: Vec<(Slot, u64)> = withdrawn.collect();
        withdrawn.sort_by_key(|(_, id)| *id);
        let ids: Vec<u64> = withdrawn.iter().map(|(_, id)| *id).collect();
        assert_eq!(ids, (active as u64..10).collect::<Vec<_>>());
        assert_eq!(
            (gate.waiting(NodeId::ROOT), gate.living(NodeId::ROOT)),
            (0, 10)
        );
        withdrawn
            .into_iter()
            .for_each(|(slot, _)| gate.forget(slot));
        assert_eq!(
            (gate.living(NodeId::ROOT), gate.active(NodeId::ROOT)),
            (active, active)
        );
        enter(&mut gate, 10);
        assert_eq!(gate.waiting(NodeId::ROOT), 1);
    }
}

#[test]
fn nobody_starts_where_it_is_held() {
    let mut gate: Gate<u64, u64, ()> = Gate::new(2, ());
    let group = gate.add_node(NodeId::ROOT, 2, ());
    for (id, home) in (0..).zip([group, NodeId::ROOT, group]) {
        gate.enter(TaskId::from(id), home, Demand::DEFAULT, |_| id);
    }
    gate.hold(group);
    gate.hold(group);
    assert_eq!(gate.admit(|_| Some(0)), Some(Admitted::New(1)));
    gate.release(group);
    assert!(!gate.is_ready());
    gate.release(group);
    assert_eq!(gate.admit(|_| Some(0)), Some(Admitted::New(0)));
    gate.hold(NodeId::ROOT);
    assert_eq!(gate.admit(|_| Some(0)), None);
    gate.release(NodeId::ROOT);
}

#[test]
fn groups_that_come_and_go_take_no_more_memory_than_those_that_are_there() {
    let mut gate: Gate<u64, u64, ()> = Gate::new(1, ());
    let stays = gate.add_node(NodeId::ROOT, 1, ());
    for _ in 0..1000 {
        let outer = gate.add_node(NodeId::ROOT, 1, ());
        let inner = gate.add_node(outer, 1, ());
        assert!(gate.remove_node(outer).is_none(), "a group is in it");
        let slot = gate.enter(TaskId::from(0), inner, Demand::DEFAULT, |_| 0);
        assert!(gate.remove_node(inner).is_none(), "a task is in it");
        gate.admit(|_| Some(0));
        gate.leave(slot);
        assert_eq!(gate.remove_node(inner), Some(((), outer)));
        assert_eq!(gate.remove_node(outer), Some(((), NodeId::ROOT)));
    }
    assert!(gate.node_capacity() <= 16);
    // Many groups at a time leave no memory behind either, though one group stays.
    let crowd: Vec<NodeId> = (0..10_000)
        .map(|_| gate.add_node(NodeId::ROOT, 1, ()))
        .collect();
    for group in crowd {
        gate.remove_node(group);
    }
    assert!(gate.node_capacity() <= 16);
    gate.remove_node(stays);
    assert!(gate.node_capacity() <= 4);
}

#[test]
fn a_crowd_that_is_more_than_plain_leaves_no_memory_behind() {
    let mut gate: Gate<u64, u64, ()> = Gate::new(2, ());
    gate.set_paused(NodeId::ROOT, true);
    let group = gate.add_node(NodeId::ROOT, 1, ());
    let heavy = Demand {
        weight: 2,
        ..Demand::DEFAULT
    };
    for home in [NodeId::ROOT, group] {
        let enter = |id| gate.enter(TaskId::from(id), home, heavy, |_| id);
        let crowd: Vec<Slot> = (0..100_000).map(enter).collect();
        assert!(gate.place_capacity() >= 100_000);
        for slot in crowd {
            gate.withdraw(slot);
            gate.forget(slot);
        }
        assert!(gate.place_capacity() <= 128);
    }
    let enter = |user| gate.enqueue_elsewhere(group, heavy, user);
    let crowd: Vec<Slot> = (0..100_000).map(enter).collect();
    assert!(gate.place_capacity() >= 200_000, "each has a ticket, too");
    for slot in crowd {
        gate.leave(slot);
    }
    assert!(gate.tickets.is_empty() && gate.place_capacity() <= 256);
}
