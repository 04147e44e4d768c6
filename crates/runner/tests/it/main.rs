//! The executor against real processes, a real HTTP server and a stub of the GPU library.

mod attempt;
mod driver;
mod engine;
mod gpu;
mod keeper;
mod receiver;
mod reporter;
mod stops;
