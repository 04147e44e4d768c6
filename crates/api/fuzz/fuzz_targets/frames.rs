//! What a WebSocket client sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| api::fuzz::frames(data));
