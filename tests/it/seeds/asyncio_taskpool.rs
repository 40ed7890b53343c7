//! The behaviour that the tests of asyncio-taskpool show.
