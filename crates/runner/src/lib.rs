//! How work is executed: an attempt's directory, the processes in it, and where they run.
//!
//! | module | is |
//! |---|---|
//! | [`job`] | what one attempt has to do, as written to `job.json` |
//! | [`dir`] | the attempt directory: every path, atomic writes, the claim |
//! | [`exec`] | the executor, `lmms-dash exec`: a keeper and its reporter |
//! | [`engine`], [`local`] | what starts an executor, and how it is found again |
//! | [`gpu`] | the GPUs of this machine, and who gets which |
//!
//! The rule it keeps: the files in the attempt directory are the truth. lmms-eval writes straight
//! into them, the keeper adds what it decides, and everything else is a view that may be lost.
//! No SQL and no HTTP server here.

/// Says something in the log of the executor. That is a file: on a full disk nothing is said, and
/// nobody panics as `eprintln` does.
macro_rules! note {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub mod dir;
pub mod engine;
pub mod environment;
pub mod exec;
pub mod gpu;
pub mod job;
mod keeper;
pub mod local;
pub mod media;
mod memory;
mod process;
mod reporter;

pub use dir::AttemptDir;
pub use engine::{Answer, CancelReason, Engine, EngineError, Lost, Observation};
pub use exec::CLAIMED;
pub use job::{Job, JobBenchmark, JobProcess, Limits, MediaLimits};
pub use local::LocalEngine;
pub use process::Identity;
pub use reporter::{Unreported, part as log_part};
