#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| aiopool::control::fuzzing::answer(input));
