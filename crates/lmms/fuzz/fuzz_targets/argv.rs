//! A plan as JSON, or lines of `key=value` for the arguments of a model.
#![no_main]

#[path = "../../tests/it/targets.rs"]
#[allow(dead_code)]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::argv(data));
