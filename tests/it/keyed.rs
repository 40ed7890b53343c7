//! The loop that the documentation of `keyed` gives: a host that is full holds up no other.

use std::pin::pin;

use crate::assert_pending;
use crate::support::{Hand, Probe, poll_once};

#[test]
fn a_full_host_does_not_hold_up_the_others_in_the_loop_of_the_documentation() {
    let (hand, pool) = Hand::pool(10);
    let (slow, quick) = (Probe::several(5), Probe::several(2));
    let pages = slow.iter().map(|page| ("slow.example", page));
    let pages = pages.chain(quick.iter().map(|page| ("quick.example", page)));
    let mut pages = pin!(async {
        for (host, page) in pages {
            pool.below(100).await;
            pool.keyed(host, 2).spawn_n(page.task(()));
        }
    });
    assert!(poll_once(pages.as_mut()).is_ready());
    hand.run();
    assert!(quick.iter().all(Probe::has_started));
    let started = slow.iter().filter(|page| page.has_started());
    assert_eq!(started.count(), 2);
}

#[test]
fn the_loop_of_the_documentation_waits_when_so_many_wait() {
    let (hand, pool) = Hand::pool(10);
    let pages = Probe::several(7);
    let mut submitted = 0;
    let mut fetching = Box::pin(async {
        for page in &pages {
            pool.below(3).await;
            pool.keyed("slow.example", 2).spawn_n(page.task(()));
            submitted += 1;
        }
    });
    assert_pending!(fetching);
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (2, 3));
    pages[0].end();
    hand.run();
    assert_pending!(fetching);
    assert_eq!(pool.waiting(), 3);
    drop(fetching);
    assert_eq!(submitted, 6);
}
