//! The bugs of asyncio-taskpool, each by its number, and that this pool does right.
