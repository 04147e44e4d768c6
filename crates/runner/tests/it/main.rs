//! The executor against real processes, a real HTTP server and a stub of the GPU library.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod attempt;
mod driver;
mod engine;
mod gpu;
mod keeper;
mod preview;
mod receiver;
mod reporter;
mod stops;
