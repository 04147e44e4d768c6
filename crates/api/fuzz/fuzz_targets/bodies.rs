//! The bodies of an executor's batches and of requests for runs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| api::fuzz::bodies(data));
