//! The crate through its public API: golden cases, properties, and inputs of every shape.

mod any_input;
#[path = "../../examples/golden/dispatch.rs"]
mod dispatch;
mod files;
mod golden;
mod mutation;
#[cfg(not(target_arch = "wasm32"))]
mod properties;
