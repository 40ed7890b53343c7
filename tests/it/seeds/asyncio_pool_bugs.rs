//! The bugs of asyncio-pool, each by its number, and that this pool does right.
