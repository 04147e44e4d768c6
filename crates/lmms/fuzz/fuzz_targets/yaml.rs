//! A task file, which is a `--config` file as well.
#![no_main]

#[path = "../../tests/it/targets.rs"]
#[allow(dead_code)]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::yaml(data));
