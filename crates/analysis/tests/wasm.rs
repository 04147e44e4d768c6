//! The golden cases and the spoilt inputs again, as WebAssembly.
#![cfg(target_arch = "wasm32")]

#[path = "it/any_input.rs"]
mod any_input;
#[path = "../examples/golden/dispatch/mod.rs"]
mod dispatch;
#[path = "it/files.rs"]
mod files;
#[path = "it/golden.rs"]
mod golden;
#[path = "it/mutation.rs"]
mod mutation;
