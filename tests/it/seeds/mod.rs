//! What the tests of the three Python libraries say, said of this pool, and one test for each bug of theirs that ours must not have.
//!
//! Where ours does something else on purpose, the test states the difference.

mod asyncio_pool;
mod asyncio_pool_bugs;
mod asyncio_taskpool;
mod asyncio_taskpool_bugs;
mod cf_taskpool;
mod cf_taskpool_bugs;
