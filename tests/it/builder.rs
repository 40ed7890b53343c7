//! How a pool is made.

use aiopool::AioPool;

#[test]
fn the_default_size_is_what_the_machine_runs_at_once() {
    let threads = std::thread::available_parallelism().unwrap().get();
    assert_eq!(AioPool::builder().build().unwrap().size(), threads);
}

#[test]
fn unnamed_pools_have_names_of_their_own() {
    let (first, second) = (AioPool::new(1), AioPool::new(1));
    assert!(first.name().starts_with("AioPool-"));
    assert_ne!(first.name(), second.name());
    assert_eq!(
        AioPool::builder().name("mine").build().unwrap().name(),
        "mine"
    );
}

#[test]
fn clones_are_the_same_pool() {
    let pool = AioPool::new(1);
    pool.clone().resize(5).unwrap();
    assert_eq!(pool.size(), 5);
    assert!(format!("{pool:?}").contains("size: 5"));
}
