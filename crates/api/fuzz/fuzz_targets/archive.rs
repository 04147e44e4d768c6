//! An uploaded archive.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| api::fuzz::archive(data));
