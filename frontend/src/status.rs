//! Statuses and outcomes in the words and tones of the pages.

use types::{BenchmarkStatus, Outcome, RunBenchmarkView, RunStatus, RunSummary};

use crate::components::words::Tone;

/// How the status of a run is drawn.
pub fn run_tone(run: &RunSummary) -> Tone {
    match run.status {
        RunStatus::Pending | RunStatus::Queued => Tone::Queued,
        RunStatus::Running => Tone::Running,
        RunStatus::Completed if run.degraded => Tone::Degraded,
        RunStatus::Completed => Tone::Ok,
        RunStatus::Failed => Tone::Bad,
        RunStatus::Cancelled => Tone::Cancelled,
    }
}

/// The status of a run in one word.
pub fn run_word(run: &RunSummary) -> &'static str {
    match run.status {
        RunStatus::Running if run.cancelling => "Cancelling",
        RunStatus::Completed if run.degraded => "Degraded",
        other => run_status_word(other),
    }
}

/// A status of runs in one word.
pub fn run_status_word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Pending => "Held back",
        RunStatus::Queued => "Queued",
        RunStatus::Running => "Running",
        RunStatus::Completed => "Completed",
        RunStatus::Failed => "Failed",
        RunStatus::Cancelled => "Cancelled",
    }
}

/// How the status of a benchmark is drawn.
pub fn benchmark_tone(benchmark: &RunBenchmarkView) -> Tone {
    match benchmark.status {
        BenchmarkStatus::Completed if benchmark.degraded.is_some() => Tone::Degraded,
        other => benchmark_status_tone(other),
    }
}

/// How a status of benchmarks is drawn.
pub fn benchmark_status_tone(status: BenchmarkStatus) -> Tone {
    match status {
        BenchmarkStatus::Pending => Tone::Queued,
        BenchmarkStatus::Running => Tone::Running,
        BenchmarkStatus::Completed => Tone::Ok,
        BenchmarkStatus::Failed => Tone::Bad,
        BenchmarkStatus::Cancelled => Tone::Cancelled,
    }
}

/// The status of a benchmark in one word.
pub fn benchmark_word(benchmark: &RunBenchmarkView) -> &'static str {
    match benchmark.status {
        BenchmarkStatus::Pending => "Queued",
        BenchmarkStatus::Running => "Running",
        BenchmarkStatus::Completed if benchmark.degraded.is_some() => "Degraded",
        BenchmarkStatus::Completed => "Completed",
        BenchmarkStatus::Failed => "Failed",
        BenchmarkStatus::Cancelled => "Cancelled",
    }
}

/// Why something ended, in a few words that follow a name: "mme ran out of memory".
pub fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::StartFailed => "could not be started",
        Outcome::BadArguments => "was refused by lmms-eval: bad arguments",
        Outcome::TaskNotFound => "is no task that lmms-eval knows",
        Outcome::ModelNotFound => "names a model that was not found",
        Outcome::DatasetUnreachable => "could not load its data set",
        Outcome::OutOfMemory => "ran out of memory",
        Outcome::Crashed => "crashed",
        Outcome::Killed => "was killed from outside",
        Outcome::Stalled => "stalled",
        Outcome::TimedOut => "reached its time limit",
        Outcome::Cancelled => "was cancelled",
        Outcome::Lost => "was lost: its executor vanished",
        Outcome::ResultsUnreadable => "wrote results that cannot be read",
    }
}
