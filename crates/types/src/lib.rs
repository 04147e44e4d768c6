//! What crosses the wire between the API, the executors and the browser.
//!
//! The rule it keeps: plain data and its validation, no I/O, builds for `wasm32`.
//! Requests refuse unknown fields; statuses and outcomes are closed enums whose
//! text is the same in JSON, in the database and in the address bar.

mod args;
mod attempt;
mod auth;
mod benchmark;
mod board;
mod compute;
mod config;
mod home;
mod ids;
mod import;
mod limits;
mod live;
mod log;
mod media;
mod metric;
mod model;
mod names;
mod preview;
mod problem;
pub mod rule;
mod run;
mod sample;
mod slice;
mod status;
mod system;
mod view;

pub use args::{ArgList, ArgValue};
pub use attempt::*;
pub use auth::*;
pub use benchmark::*;
pub use board::*;
pub use compute::{ComputeProfile, GpuLaunch, ProfileError};
pub use config::{BatchSize, EnvValue, Isolation, Retry, RunConfig, Seed};
pub use home::*;
pub use ids::*;
pub use import::*;
pub use limits::*;
pub use live::*;
pub use log::*;
pub use media::*;
pub use metric::*;
pub use model::*;
pub use names::{NameError, check_name};
pub use preview::*;
pub use problem::{FieldError, Problem};
pub use run::*;
pub use sample::*;
pub use slice::*;
pub use status::*;
pub use system::*;
pub use view::*;
