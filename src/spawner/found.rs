use super::Spawner;

/// Finds one runtime.
type Finder = fn() -> Option<Box<dyn Spawner>>;

/// The runtime that is there: tokio inside its context, else smol, else async-std, as features allow.
///
/// smol and async-std bring threads of their own: compiled in, they are always there.
pub(crate) fn found() -> Option<Box<dyn Spawner>> {
    let finders: &[Finder] = &[
        #[cfg(feature = "tokio")]
        super::tokio::found,
        #[cfg(feature = "smol")]
        super::smol::found,
        #[cfg(feature = "async-std")]
        super::async_std::found,
    ];
    finders.iter().find_map(|find| find())
}
