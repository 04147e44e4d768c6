//! The crate through its public API: golden cases, properties, and inputs of every shape.
//!
//! The first and the last run as WebAssembly too, from `tests/wasm.rs`.
#![cfg(not(target_arch = "wasm32"))]

mod any_input;
#[path = "../../examples/golden/dispatch/mod.rs"]
mod dispatch;
mod files;
mod golden;
mod mutation;
mod properties;
