//! Why a benchmark ended. Exit codes lie (most failures exit 0), so the verdict weighs all the
//! evidence: the process, the driver, the results file, the log, and what was asked of us.

mod cause;
mod errors;
mod judge;
mod poison;
mod traceback;

pub use judge::judge;
pub use poison::poisoned;

use serde::{Deserialize, Serialize};

use crate::log::Stream;

/// Every way in which a benchmark can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Results for every leaf task that was asked for.
    Completed,
    /// The process could not be started, or died before lmms-eval was imported.
    StartFailed,
    /// lmms-eval refused the command line.
    BadArguments,
    /// A task, group or tag is unknown.
    TaskNotFound,
    /// The model backend is unknown, or its weights cannot be found.
    ModelNotFound,
    /// The dataset cannot be loaded.
    DatasetUnreachable,
    /// The GPU or the machine ran out of memory.
    OutOfMemory,
    /// An exception, or an exit code that is not 0.
    Crashed,
    /// A signal that we did not send.
    Killed,
    /// No sign of life for longer than allowed.
    Stalled,
    /// The wall-clock limit was reached.
    TimedOut,
    /// A user asked for it.
    Cancelled,
    /// The executor is gone, and nothing tells how the process ended.
    Lost,
    /// It ended well, but its results are missing, broken or incomplete.
    ResultsUnreadable,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 14] = [
        Self::Completed,
        Self::StartFailed,
        Self::BadArguments,
        Self::TaskNotFound,
        Self::ModelNotFound,
        Self::DatasetUnreachable,
        Self::OutOfMemory,
        Self::Crashed,
        Self::Killed,
        Self::Stalled,
        Self::TimedOut,
        Self::Cancelled,
        Self::Lost,
        Self::ResultsUnreadable,
    ];

    /// The name as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::StartFailed => "start_failed",
            Self::BadArguments => "bad_arguments",
            Self::TaskNotFound => "task_not_found",
            Self::ModelNotFound => "model_not_found",
            Self::DatasetUnreachable => "dataset_unreachable",
            Self::OutOfMemory => "out_of_memory",
            Self::Crashed => "crashed",
            Self::Killed => "killed",
            Self::Stalled => "stalled",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::ResultsUnreadable => "results_unreadable",
        }
    }

    /// The outcome of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// What the driver said when it finished the benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DriverEnd {
    /// The exception, as Python prints it.
    pub error: Option<String>,
    /// Its class.
    pub error_type: Option<String>,
    /// The code or text of a `SystemExit`.
    pub exit: Option<String>,
    /// Whether the driver gave up its process because of it.
    pub poisoned: bool,
}

/// What the output directory of the benchmark holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ResultsFound {
    /// Whether a new `*_results.json` appeared.
    pub found: bool,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
    /// The tasks and groups that it has a row for.
    pub tasks: Vec<String>,
}

/// A line of the log at level ERROR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorLine {
    /// The stream it stood in.
    pub stream: Stream,
    /// Where it begins.
    pub byte_offset: u64,
    /// Its text.
    pub message: String,
}

/// What the samples of the benchmark hold beside answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SampleCounts {
    /// Samples read.
    pub total: u64,
    /// Requests that failed for good and were scored as wrong.
    pub failed_requests: u64,
    /// Requests that were never sent because the token budget ran out.
    pub over_budget: u64,
    /// Empty answers.
    pub empty: u64,
    /// Lines that are no sample.
    pub bad_lines: u64,
}

/// All that is known about the end of one benchmark. What is not known is left at its default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// How the process ended; `None` while it lives (the driver goes on to the next benchmark)
    /// or when nobody knows.
    pub exit: Option<Exit>,
    /// Whether the process is still alive.
    pub alive: bool,
    /// Why the process could not be started.
    pub start_error: Option<String>,
    /// Whether lmms-eval was imported (the driver's `imported` event or a line of its log).
    pub imported: bool,
    /// Whether this was run by the driver; its word then counts instead of the exit code.
    pub by_driver: bool,
    /// The driver's `benchmark_finished`, when it got that far.
    pub driver: Option<DriverEnd>,
    /// The output directory.
    pub results: ResultsFound,
    /// The leaf tasks asked for. Empty: any results document will do.
    pub asked: Vec<String>,
    /// Lines at level ERROR, in order, of this benchmark.
    pub error_lines: Vec<ErrorLine>,
    /// What stdout said last during this benchmark; some kilobytes are enough.
    pub stdout_tail: String,
    /// What stderr said last during this benchmark; 64 kB hold the longest chain of tracebacks.
    pub stderr_tail: String,
    /// A user asked to cancel.
    pub cancel_requested: bool,
    /// The wall-clock limit was reached.
    pub timed_out: bool,
    /// The stall watchdog ended it.
    pub stalled: bool,
    /// What the samples hold.
    pub samples: SampleCounts,
}

/// Why a completed benchmark should not be trusted as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// The counts behind it.
    pub counts: SampleCounts,
    /// One sentence.
    pub reason: String,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// How it ended.
    pub outcome: Outcome,
    /// Set on a completed benchmark with failed, unsent or empty answers.
    pub degraded: Option<Degraded>,
    /// One sentence on the cause; `None` when completed.
    pub cause: Option<String>,
    /// The lines that show it, the true cause first, redacted.
    pub evidence_lines: Vec<ErrorLine>,
}
