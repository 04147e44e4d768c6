//! Reads the two streams of an lmms-eval process while they grow.
//!
//! The parser takes bytes as they come and returns [`Item`]s; how the bytes were cut into chunks
//! never changes the result. Memory is bounded: a "line" of lmms-eval can be a progress bar of
//! megabytes, as `\r` redraws it and only the last draw ends in `\n`.

mod bar;
mod loguru;
mod parser;
mod phase;
mod segment;
mod text;
mod traceback;

pub use parser::LogParser;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// How much of a message is kept, in bytes.
pub const MESSAGE_CAP: usize = 16 * 1024;

/// Which of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Loguru lines and the final tables.
    Stdout,
    /// Progress bars, tracebacks and warnings of libraries.
    Stderr,
}

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Also loguru's TRACE.
    Debug,
    /// Also loguru's SUCCESS, and every line that names no level.
    Info,
    /// Warnings.
    Warning,
    /// Also CRITICAL, and every line of a traceback.
    Error,
}

/// One thing that a stream said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Item {
    /// A line of text.
    Line(Line),
    /// A redraw of a progress bar.
    Progress(Progress),
    /// The run entered a phase.
    Phase(PhaseMark),
}

/// A line of text, without colours, control characters and end of line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Where its first byte is in the stream.
    pub byte_offset: u64,
    /// The time it names, in the zone of the process (we start ours with `TZ=UTC`).
    pub timestamp: Option<NaiveDateTime>,
    /// Its level.
    pub level: Level,
    /// `module:function:line` of a loguru line.
    pub origin: Option<String>,
    /// The text after the prefix.
    pub message: String,
    /// Whether the message was cut at [`MESSAGE_CAP`].
    pub truncated: bool,
    /// What the line means beyond its text.
    pub notice: Option<Notice>,
}

/// Lines that say something about the fate of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// `Error during evaluation: ...`: the benchmark failed, whatever the exit code.
    EvaluationError {
        /// The error as lmms-eval printed it.
        error: String,
    },
    /// A request failed and is tried again.
    Retry {
        /// The attempt that failed, from 1.
        attempt: u32,
        /// How many are made.
        of: u32,
    },
    /// A request failed for good; its answer is scored as wrong.
    GaveUp {
        /// How many attempts were made.
        attempts: u32,
    },
    /// The first line of a Python traceback.
    Traceback,
    /// The last line of a Python traceback: the exception itself.
    Exception,
    /// Results could not be written, though the process exits 0.
    SaveFailed,
    /// The token budget ran out; what was not asked is scored as wrong.
    BudgetExceeded,
}

/// A redraw of a progress bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Where its first byte is in the stream.
    pub byte_offset: u64,
    /// What is counted, e.g. `Model Responding`; lmms-eval's bar over documents has none.
    pub desc: Option<String>,
    /// The rank that says so, where it is named.
    pub rank: Option<u32>,
    /// How many are done. Some backends count past `total`.
    pub n: u64,
    /// Of how many.
    pub total: Option<u64>,
    /// Seconds so far.
    pub elapsed_s: Option<f64>,
    /// How many a second.
    pub rate_per_s: Option<f64>,
    /// Seconds to go, by the bar's own estimate.
    pub eta_s: Option<f64>,
    /// What the bar says beside, e.g. `tokens=9,693`.
    pub postfix: Option<String>,
}

/// The run entered a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseMark {
    /// Where the line that shows it begins in the stream.
    pub byte_offset: u64,
    /// The phase.
    pub phase: Phase,
}

/// The phases of a benchmark, in the order in which they come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Python imports: nothing is said for 13 seconds or more, so no parser reports it; the
    /// reporter does, by the driver's events.
    Importing,
    /// The task library is read.
    Indexing,
    /// The model is loaded.
    LoadingModel,
    /// Requests of one leaf task are built.
    Building {
        /// The leaf task.
        task: String,
    },
    /// The model answers.
    Inferring,
    /// Answers are scored.
    Scoring,
    /// Metrics and their errors are computed.
    Aggregating,
    /// Files are written.
    Saving,
    /// The final tables are printed.
    Done,
}

impl Phase {
    /// The name as in the serialised form.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Importing => "importing",
            Self::Indexing => "indexing",
            Self::LoadingModel => "loading_model",
            Self::Building { .. } => "building",
            Self::Inferring => "inferring",
            Self::Scoring => "scoring",
            Self::Aggregating => "aggregating",
            Self::Saving => "saving",
            Self::Done => "done",
        }
    }
}
