use std::sync::Arc;

use serde_json::Value;

use super::super::protocol::{Inputs, Launch, Refusal, RefusalKind, Reply};
use super::Handler;
use super::callbacks::Callbacks;
use super::groups::Feeding;
use super::ids::Ids;
use super::wait::wait_briefly_until;
use super::work::Work;
use crate::lock::Lock;
use crate::{AbortHandle, AioPool, Feed, current};

/// Maximum number of tasks that one `start` submits, as it submits all of them at once.
const AT_ONCE: i64 = 100_000;

/// Commands that start tasks.
impl Handler {
    pub(super) fn start(&self, count: i64) -> Result<Reply, Refusal> {
        let Some(copies) = &self.target.copies else {
            return Err(Refusal::new(
                RefusalKind::NotFound,
                "this pool has no function",
            ));
        };
        if count > AT_ONCE {
            let message = format!("no more than {AT_ONCE} tasks can be started by one command");
            return Err(Refusal::new(RefusalKind::TooMany, message));
        }
        self.refuse_if_closed()?;
        let mut ids = Ids::default();
        for id in copies.start(usize::try_from(count).unwrap_or(0)) {
            ids.add(id.get());
        }
        self.forget_groups(|| copies.living());
        let mut records = self.records();
        let name = format!("start-group-{}", records.starts);
        records.starts += 1;
        records.groups.add_copies(name.clone(), ids);
        drop(records);
        Ok(Reply::Name(name))
    }

    pub(super) async fn launch(&self, launch: Launch) -> Result<Reply, Refusal> {
        let name = self.launch_group(launch)?;
        let pool = &self.target.pool;
        wait_briefly_until(|| {
            let records = self.records();
            let group = records.groups.get(&name);
            group.is_none_or(|group| group.rests(pool))
        })
        .await;
        Ok(Reply::Name(name))
    }

    fn launch_group(&self, launch: Launch) -> Result<String, Refusal> {
        let work = self.work(&launch.function)?;
        let named = |name: &Option<String>| name.as_deref().map(|name| self.work(name)).transpose();
        let callbacks = Callbacks {
            cancel: named(&launch.on_cancel)?,
            end: named(&launch.on_end)?,
            callback_queue: self.callback_queue.clone(),
        };
        self.refuse_if_closed()?;
        let at_once = match &launch.inputs {
            Inputs::Copies { .. } => AioPool::UNBOUNDED,
            Inputs::Each { at_once, .. } => positive(*at_once)?,
        };
        let (name, group) = self.make_group(&launch, at_once)?;
        let ids = Arc::new(Lock::new(Ids::default()));
        let (feed, count) = match launch.inputs {
            Inputs::Copies { count, input } => {
                let count = u64::try_from(count).unwrap_or(0);
                let copies = (0..count).map(move |_| input.clone());
                (feed(&group, copies, work, callbacks, &ids), count)
            }
            Inputs::Each { items, .. } => {
                let count = items.len() as u64;
                (
                    feed(&group, items.into_iter(), work, callbacks, &ids),
                    count,
                )
            }
        };
        if feed.progress().rejected {
            let message =
                "the pool takes no more tasks now: its queue is full, or it has been closed";
            return Err(Refusal::new(RefusalKind::TooMany, message));
        }
        let feeding = Feeding {
            pool: group,
            feed,
            count,
        };
        self.forget_groups(Vec::new);
        self.records().groups.add_fed(name.clone(), ids, feeding);
        Ok(name)
    }

    /// Forgets ended groups if there are too many. A group of copies has ended if none of the `living` tasks is in it.
    fn forget_groups(&self, living: impl FnOnce() -> Vec<AbortHandle>) {
        if !self.records().groups.are_too_many() {
            return;
        }
        let living: Vec<u64> = living().iter().map(|task| task.id().get()).collect();
        // Dropping the handle of a pool may start tasks, which must not happen under the lock.
        let forgotten = self.records().groups.forget(&living);
        drop(forgotten);
    }

    fn work(&self, name: &str) -> Result<Work, Refusal> {
        self.works.find(name).ok_or_else(|| {
            let known: Vec<_> = self.works.names().collect();
            let known = known.join(", ");
            let message = format!("no work is registered as {name:?}, only: {known}");
            Refusal::new(RefusalKind::NotFound, message)
        })
    }

    fn make_group(&self, launch: &Launch, at_once: usize) -> Result<(String, AioPool), Refusal> {
        let ended = self.records().groups.tidy_now_and_then();
        drop(ended);
        let mut records = self.records();
        let taken = |name: &str| {
            let message = format!("there is a group named {name:?} already");
            Refusal::new(RefusalKind::Exists, message)
        };
        let name = match &launch.group {
            Some(name) if records.groups.has(name) => return Err(taken(name)),
            Some(name) => name.clone(),
            None => {
                let begin = format!("{}-{}", launch.inputs.verb(), launch.function);
                records.groups.free_name(&begin)
            }
        };
        match self.target.pool.group(&*name, at_once) {
            Ok(group) => Ok((name, group)),
            Err(_) => Err(taken(&name)),
        }
    }

    fn refuse_if_closed(&self) -> Result<(), Refusal> {
        if !self.target.pool.bind_runtime() {
            let message =
                "the pool has no runtime yet: it finds one where the program first uses it";
            return Err(Refusal::new(RefusalKind::NoRuntime, message));
        }
        match self.target.pool.is_closed() {
            false => Ok(()),
            true => Err(Refusal::new(
                RefusalKind::Closed,
                "the pool is locked: it takes no new tasks",
            )),
        }
    }
}

fn positive(at_once: i64) -> Result<usize, Refusal> {
    match usize::try_from(at_once) {
        Ok(at_once) if at_once > 0 => Ok(at_once),
        _ => {
            let message =
                format!("{at_once} tasks at once would be none: NUM_CONCURRENT begins with 1");
            Err(Refusal::new(RefusalKind::Size, message))
        }
    }
}

/// Feeds the group with one task for each input. A task records its number when it starts.
fn feed(
    group: &AioPool,
    inputs: impl Iterator<Item = Value> + Send + 'static,
    work: Work,
    callbacks: Callbacks,
    ids: &Arc<Lock<Ids>>,
) -> Feed {
    let ids = ids.clone();
    group.feed(inputs, move |input| {
        let (ids, work, callbacks) = (ids.clone(), work.clone(), callbacks.clone());
        async move {
            let id = current().map_or(0, |current| current.id().get());
            let watched = callbacks.watch(id);
            ids.lock().add(id);
            work(input).await;
            watched.complete();
        }
    })
}
