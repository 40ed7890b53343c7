use std::sync::Arc;

use super::note::{Described, Started};
use super::recorder::Recorder;
use super::state::Place;
use crate::lock::Lock;
use crate::observe::{Ended, Submission, TaskScope, TaskView};

/// One task of a trace, from its submission to its end.
pub(super) struct TimedTask {
    recorder: Arc<Recorder>,
    /// The index of the pool in the state.
    pool: usize,
    submitted: u64,
    /// Locked while the state is, since a wait may be told while the task starts or ends. Then it is no wait.
    stage: Lock<Stage>,
}

enum Stage {
    New,
    Waiting,
    Started(Arc<Started>, Place),
    Ended,
}

impl TimedTask {
    pub(super) fn new(recorder: Arc<Recorder>, pool: usize) -> Self {
        let submitted = recorder.now();
        Self {
            recorder,
            pool,
            submitted,
            stage: Lock::new(Stage::New),
        }
    }
}

impl TaskScope for TimedTask {
    fn on_wait(&self, task: &TaskView<'_>) {
        let mut stage = self.stage.lock();
        if let Stage::New = *stage {
            let group = task.submission().group();
            self.recorder
                .change(|state, now| state.wait(now, self.pool, group));
            *stage = Stage::Waiting;
        }
    }

    fn on_start(&self, task: &TaskView<'_>) {
        let task = self.described(task);
        let mut stage = self.stage.lock();
        let has_waited = matches!(*stage, Stage::Waiting);
        let started = self.recorder.change(|state, started| {
            let started = Arc::new(Started { task, started });
            let place = state.start(self.pool, &started, has_waited);
            Stage::Started(started, place)
        });
        *stage = started.unwrap_or(Stage::Ended);
    }

    fn on_lend(&self, _: &TaskView<'_>) {
        if let Stage::Started(task, place) = &mut *self.stage.lock() {
            let lent = self
                .recorder
                .change(|state, now| state.lend(now, self.pool, task, place));
            *place = lent.unwrap_or(Place::Lent(0));
        }
    }

    fn on_return(&self, _: &TaskView<'_>) {
        if let Stage::Started(task, place) = &mut *self.stage.lock() {
            let back = self
                .recorder
                .change(|state, now| state.take_back(now, self.pool, task, place));
            *place = back.unwrap_or(Place::Lent(0));
        }
    }

    fn on_end(&self, task: &TaskView<'_>, ended: Ended) {
        let mut stage = self.stage.lock();
        let outcome = ended.as_str();
        match std::mem::replace(&mut *stage, Stage::Ended) {
            Stage::Started(task, place) => {
                self.recorder
                    .change(|state, now| state.end(now, self.pool, &task, &place, outcome));
            }
            Stage::Ended => {}
            before => {
                let has_waited = matches!(before, Stage::Waiting);
                let task = self.described(task);
                self.recorder.change(|state, now| {
                    state.end_unstarted(now, self.pool, task, has_waited, outcome);
                });
            }
        }
    }

    fn item(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        Some(Arc::new(Self::new(self.recorder.clone(), self.pool)))
    }
}

impl TimedTask {
    fn described(&self, task: &TaskView<'_>) -> Described {
        let submission = task.submission();
        Described {
            id: task.id().get(),
            name: task.name().into_owned(),
            group: submission.group().map(Box::from),
            priority: submission.priority(),
            weight: submission.weight(),
            submitted: self.submitted,
        }
    }
}
