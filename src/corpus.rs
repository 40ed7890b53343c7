//! The inputs that the fuzzers begin with, which are tests as well.

use std::fs;
use std::path::Path;

/// Calls `check` with each seed of a fuzzer.
///
/// # Panics
///
/// If there is none. A published package has no fuzzers, and so no seeds.
pub(crate) fn each_seed(fuzzer: &str, check: impl Fn(&[u8])) {
    let fuzzers = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if !fuzzers.exists() {
        return;
    }
    let seeds = fs::read_dir(fuzzers.join("corpus").join(fuzzer)).unwrap();
    let seeds: Vec<_> = seeds.map(|seed| seed.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "{fuzzer} has no seeds");
    for seed in seeds {
        check(&fs::read(&seed).unwrap());
    }
}
