//! The table of `ratios` with another allocator, for us and for the rivals: one that gives memory back from any thread
//! without a lock.
//!
//! ```text
//! cargo bench -p benches --bench ratios_with_mimalloc
//! ```

use mimalloc::MiMalloc;

#[path = "ratios.rs"]
mod ratios;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    ratios::main();
}
