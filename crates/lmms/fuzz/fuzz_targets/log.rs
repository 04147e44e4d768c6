//! Output of a run, cut into chunks as the fuzzer says.
#![no_main]

#[path = "../../tests/it/targets.rs"]
#[allow(dead_code)]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::log(data));
