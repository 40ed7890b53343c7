//! Whether the pool is as the model says.

use std::fmt::Debug;

use aiopool::{JoinError, Refusal, TaskState};

use crate::model::{Entry, Kind, Outcome, Stage};
use crate::puppet::Puppet;
use crate::trial::{Trial, Waiting};

/// What differs, in words.
type Difference = Result<(), String>;

fn is_same<T: Copy + PartialEq + Debug>(
    what: impl Fn() -> String,
    real: T,
    model: T,
) -> Difference {
    if real == model {
        return Ok(());
    }
    Err(format!("{}: {real:?}, and {model:?} in the model", what()))
}

impl Trial {
    pub(crate) fn compare(&mut self) -> Difference {
        self.poll_outside();
        for at in 0..self.pools.len() {
            self.compare_pool(at)?;
        }
        for number in 0..self.model.entries.len() {
            self.compare_entry(number)?;
        }
        self.compare_feeds()?;
        self.compare_joins()
    }

    /// Polls what waits outside of the pool, and reads what tasks have read.
    fn poll_outside(&mut self) {
        for number in self.real.spawns.keys().copied().collect::<Vec<_>>() {
            self.poll_spawn(number);
        }
        self.poll_acquires();
        for (number, handle) in &mut self.real.handles {
            if let Some(result) = handle.try_join() {
                self.real.outcomes.insert(*number, outcome(&result));
            }
        }
        for (other, result) in self.real.puppets.values().flat_map(Puppet::take_awaited) {
            self.real.outcomes.insert(other, outcome(&result));
        }
        self.real
            .handles
            .retain(|number, _| !self.real.outcomes.contains_key(number));
    }

    fn compare_pool(&self, at: usize) -> Difference {
        let (pool, model) = (&self.pools[at], &self.model);
        let count = |is_meant: &dyn Fn(&Entry) -> bool| model.which(at, is_meant).len();
        let what = |what: &'static str| move || format!("{what} of {at}");
        let active = count(&|entry| entry.stage == Stage::Active);
        is_same(what("active"), pool.active(), active)?;
        let waiting = count(&|entry| entry.is_lent() || entry.is_in_the_queue());
        is_same(what("waiting"), pool.waiting(), waiting)?;
        is_same(what("size"), pool.size(), model.nodes[at].size)?;
        let is_paused = model.path(at).any(|at| model.nodes[at].paused);
        is_same(what("is_paused"), pool.is_paused(), is_paused)?;
        let is_closed = model.path(at).any(|at| model.nodes[at].closed);
        is_same(what("is_closed"), pool.is_closed(), is_closed)?;
        let stats = pool.stats();
        let real = [
            stats.submitted,
            stats.started,
            stats.completed,
            stats.panicked,
        ];
        let ends = [
            stats.cancelled,
            stats.timed_out,
            stats.rejected,
            stats.refused,
        ];
        let is = |outcomes: &[Outcome]| {
            let is_it = |entry: &Entry| outcomes.iter().any(|end| entry.stage == Stage::Over(*end));
            count(&|entry| entry.is_a_task() && is_it(entry)) as u64
        };
        let submitted =
            count(&|entry| entry.is_a_task() && entry.stage != Stage::Over(Outcome::Refused));
        let started = count(&|entry| entry.is_a_task() && entry.has_started);
        let model = [
            submitted as u64,
            started as u64,
            is(&[Outcome::Value]),
            is(&[Outcome::Panic]),
        ];
        is_same(what("submitted, started, completed, panicked"), real, model)?;
        let model = [
            is(&[Outcome::Cancelled]),
            is(&[Outcome::WaitedTooLong, Outcome::RanTooLong]),
            is(&[Outcome::Full, Outcome::Closed, Outcome::TooHeavy]),
            is(&[Outcome::Refused]),
        ];
        is_same(what("cancelled, timed out, rejected, refused"), ends, model)
    }

    fn compare_entry(&self, number: usize) -> Difference {
        let (entry, real) = (&self.model.entries[number], &self.real);
        let what = |what: &'static str| move || format!("{what} of {number}");
        if entry.kind == Kind::InPlace {
            let has_permit = real.permits.contains_key(&number);
            return is_same(what("the permit"), has_permit, entry.stage == Stage::Active);
        }
        if let Kind::Feed(_) = entry.kind {
            return Ok(());
        }
        let is_gone = match entry.stage {
            Stage::Over(_) => 1,
            _ => 0,
        };
        let seen = real.puppets[&number].seen();
        is_same(
            what("begun and dropped"),
            seen,
            (usize::from(entry.has_started), is_gone),
        )?;
        if let Some(handle) = real.handles.get(&number) {
            let state = match entry.stage {
                Stage::Active => TaskState::Active,
                Stage::Over(_) => TaskState::Finished,
                Stage::Waiting | Stage::Lent | Stage::Returning | Stage::Pulled => {
                    TaskState::Waiting
                }
            };
            return is_same(what("state"), handle.state(), state);
        }
        let is_over = |outcome: &Outcome| Stage::Over(*outcome);
        match real.outcomes.get(&number).map(is_over) {
            Some(stage) => is_same(what("outcome"), stage, entry.stage),
            None => Ok(()),
        }
    }

    fn compare_feeds(&self) -> Difference {
        for (number, feed) in &self.real.feeds {
            let what = |what: &'static str| move || format!("{what} of the feed {number}");
            let items = self
                .model
                .which(0, |entry| entry.kind == Kind::Item(*number));
            let items = items.into_iter().map(|item| &self.model.entries[item]);
            let is = |outcome| {
                let ended = items
                    .clone()
                    .filter(|item| item.stage == Stage::Over(outcome));
                ended.filter(|item| item.has_started).count() as u64
            };
            let report = feed.progress();
            let real = [report.completed, report.failed, report.cancelled];
            let model = [
                is(Outcome::Value),
                is(Outcome::Panic),
                is(Outcome::Cancelled),
            ];
            is_same(what("completed, failed, cancelled"), real, model)?;
            let is_over = self.model.entries[*number].is_over();
            let is_finished =
                is_over && items.clone().all(|item| item.is_over() || !item.is_there());
            is_same(what("is_finished"), feed.is_finished(), is_finished)?;
        }
        Ok(())
    }

    fn compare_joins(&mut self) -> Difference {
        for (at, mut join) in std::mem::take(&mut self.real.joins) {
            let living = self
                .model
                .which(at, |entry| !entry.is_over() && entry.is_there());
            let is_ready = Waiting::poll(&mut join).is_some();
            is_same(|| format!("a join of {at}"), is_ready, living.is_empty())?;
            if !is_ready {
                self.real.joins.push((at, join));
            }
        }
        Ok(())
    }
}

fn outcome(result: &Result<usize, JoinError>) -> Outcome {
    let Err(error) = result else {
        return Outcome::Value;
    };
    match error.refusal() {
        Some(Refusal::Full) => Outcome::Full,
        Some(Refusal::Closed) => Outcome::Closed,
        Some(Refusal::TooHeavy) => Outcome::TooHeavy,
        _ if error.is_panic() => Outcome::Panic,
        _ if error.is_cancelled() => Outcome::Cancelled,
        _ if error.is_wait_timeout() => Outcome::WaitedTooLong,
        _ if error.is_run_timeout() => Outcome::RanTooLong,
        _ => panic!("no outcome of a task here: {error}"),
    }
}
