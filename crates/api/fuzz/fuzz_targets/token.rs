//! Access tokens, whole or as header and claims to be signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| api::fuzz::token(data));
