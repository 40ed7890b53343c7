//! The same bench with another allocator.

use mimalloc::MiMalloc;

#[path = "../../benches/what_does_an_option_cost.rs"]
mod what_does_an_option_cost;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    what_does_an_option_cost::main();
}
