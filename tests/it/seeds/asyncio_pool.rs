//! The behaviour that the tests of asyncio-pool show.
