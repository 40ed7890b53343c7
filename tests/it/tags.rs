//! Values that the user attaches to tasks.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use aiopool::{AioPool, Ended, Observer, TaskInfo};

use crate::support::{Hand, on_every_runtime};

#[derive(Debug, PartialEq)]
struct Tenant(u32);

fn tenant(task: &TaskInfo) -> Option<u32> {
    let tag = task.tag.as_ref()?;
    assert!(tag.get::<u32>().is_none(), "it is of another type");
    tag.get().map(|Tenant(number)| *number)
}

/// Notes the tags of all that happens.
struct Noting(Arc<Mutex<Vec<Option<u32>>>>);

impl Observer for Noting {
    fn on_wait(&self, task: &TaskInfo) {
        self.0.lock().unwrap().push(tenant(task));
    }

    fn on_start(&self, task: &TaskInfo) {
        self.0.lock().unwrap().push(tenant(task));
    }

    fn on_end(&self, task: &TaskInfo, _: Ended) {
        self.0.lock().unwrap().push(tenant(task));
    }
}

#[test]
fn listings_and_observers_see_the_tag_of_a_task() {
    on_every_runtime(|pools| async move {
        let seen = Arc::default();
        let observer = Noting(Arc::clone(&seen));
        let pool = pools.builder().size(1).observer(observer).build().unwrap();
        pool.pause();
        let tagged = pool.task(async {}).tag(Tenant(1)).tag(Tenant(7)).spawn_n();
        let named = pool.task(async {}).name("a name").spawn_n();
        let tags: Vec<_> = pool.tasks().iter().map(tenant).collect();
        assert_eq!(tags, [Some(7), None]);
        assert_eq!(tagged.name(), format!("{}-{}", pool.name(), tagged.id()));
        pool.resume();
        tagged.await.unwrap();
        named.await.unwrap();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.iter().filter(|tag| **tag == Some(7)).count(), 3);
        assert_eq!(seen.iter().filter(|tag| tag.is_none()).count(), 3);
    });
}

/// Asks its pool something when it is dropped, which needs the pool's lock.
struct Asking(AioPool, Arc<AtomicUsize>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.1.fetch_add(self.0.stats().submitted as usize, SeqCst);
    }
}

#[test]
fn a_tag_is_dropped_with_its_task_and_with_nothing_locked() {
    let (hand, pool) = Hand::pool(1);
    let dropped = Arc::new(AtomicUsize::new(0));
    let tag = || Asking(pool.clone(), dropped.clone());
    drop(pool.task(async {}).tag(tag()).spawn_n());
    hand.run();
    assert_eq!(dropped.load(SeqCst), 1, "it has run");

    let busy = pool.spawn_n(std::future::pending::<()>());
    hand.run();
    let waits = pool.task(async {}).tag(tag()).spawn_n();
    waits.abort();
    drop(waits);
    assert_eq!(dropped.load(SeqCst), 1 + 3, "it was withdrawn");

    drop(pool.task(async {}).tag(tag()).spawn_n());
    pool.close();
    drop(pool.task(async {}).tag(tag()).spawn_n());
    assert_eq!(dropped.load(SeqCst), 4 + 5, "it was refused");
    busy.abort();
    hand.run();
    assert_eq!(dropped.load(SeqCst), 9 + 5);
}
