//! Runs: creating, listing, watching.

use crate::{
    ApiModelRef, AttemptId, AttemptState, BenchmarkId, BenchmarkKind, BenchmarkStatus, LogStream, Modality,
    ModelId, Outcome, RunBenchmarkId, RunConfig, RunId, RunStatus, UserId,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Asks for a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateRun {
    /// A name for people; the server makes one from model and benchmarks when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model.
    pub model_id: ModelId,
    /// What it is evaluated on, in this order.
    pub benchmark_ids: Vec<BenchmarkId>,
    /// A checkpoint of the model, or `latest`.
    #[serde(default = "latest")]
    pub checkpoint_variant: String,
    /// The settings.
    #[serde(default)]
    pub config: RunConfig,
}

fn latest() -> String {
    "latest".to_owned()
}

/// The run that was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedRun {
    /// Its id.
    pub run_id: RunId,
    /// Number of distinct leaf tasks.
    pub total_tasks: u32,
    /// Expected duration in seconds; null without history.
    pub eta_seconds: Option<u64>,
}

/// One row of the table of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// The model.
    pub model_id: ModelId,
    /// The model's name.
    pub model_name: String,
    /// The resolved checkpoint.
    pub checkpoint_variant: String,
    /// Where it is.
    pub status: RunStatus,
    /// Whether a cancel is under way.
    pub cancelling: bool,
    /// Why the last attempt ended.
    pub outcome: Option<Outcome>,
    /// The cause of a failure in one sentence.
    pub error_message: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its first attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Number of distinct leaf tasks.
    pub total_tasks: u32,
    /// Leaf tasks whose benchmark is committed.
    pub completed_tasks: u32,
    /// 0 to 100.
    pub progress_percent: f64,
    /// Documents answered per second, while running.
    pub items_per_second: Option<f64>,
    /// Seconds until the expected end; null without history.
    pub eta_seconds: Option<u64>,
    /// What is being evaluated.
    pub current_benchmark: Option<String>,
    /// Names of the picked benchmarks, in order.
    pub benchmark_names: Vec<String>,
    /// How many benchmarks have which status.
    pub benchmark_counts: BTreeMap<BenchmarkStatus, u32>,
    /// GPUs held, e.g. `cuda:0,1`.
    pub gpu_device_id: Option<String>,
    /// Place in the queue, from 1, while queued.
    pub queue_position: Option<u32>,
    /// Who created it; null for an API token.
    pub created_by: Option<UserId>,
    /// That person's address, where this server keeps the accounts.
    #[serde(default)]
    pub created_by_name: Option<String>,
    /// The last sequence number written.
    pub last_seq: i64,
    /// Whether some result is degraded (failed requests, budget, empty answers).
    pub degraded: bool,
    /// Whether it belongs to the demo.
    pub demo: bool,
}

/// A page of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunList {
    /// The rows of this page, newest first.
    pub runs: Vec<RunSummary>,
    /// How many there are with these filters.
    pub total: u64,
    /// How many there are per status, ignoring the status filter.
    pub counts: BTreeMap<RunStatus, u64>,
}

/// Everything about one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunDetail {
    /// What the table shows.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// Model, checkpoint and source.
    pub model: ApiModelRef,
    /// The settings as they were given.
    pub config: RunConfig,
    /// One entry per picked benchmark, in order.
    pub benchmarks: Vec<RunBenchmarkView>,
    /// Attempts, oldest first.
    pub attempts: Vec<AttemptView>,
    /// Outer key the benchmark, inner `metric` or `metric,filter`.
    pub metrics_snapshot: BTreeMap<String, BTreeMap<String, f64>>,
    /// The exact command lines of the last attempt.
    pub commands: Vec<CommandView>,
    /// Versions and machine of the last attempt, as the driver recorded them.
    pub environment: serde_json::Value,
    /// Transitions with their reasons, oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// A benchmark of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunBenchmarkView {
    /// The picked row.
    pub id: RunBenchmarkId,
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub name: String,
    /// Task, group or tag.
    pub kind: BenchmarkKind,
    /// What the model is given.
    pub modality: Modality,
    /// Execution order, from 0.
    pub order: u32,
    /// Where it is.
    pub status: BenchmarkStatus,
    /// Why it ended.
    pub outcome: Option<Outcome>,
    /// The cause of a failure in one sentence.
    pub error_message: Option<String>,
    /// The lines that show the cause.
    pub evidence: Vec<EvidenceLine>,
    /// Why the result is to be used with care.
    pub degraded: Option<String>,
    /// Distinct leaf tasks inside.
    pub leaf_tasks: Vec<String>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Documents answered so far, while running.
    pub done: Option<u64>,
    /// Documents to answer.
    pub total: Option<u64>,
    /// What it is doing, e.g. `loading the model`.
    pub phase: Option<String>,
    /// Samples stored.
    pub sample_count: u64,
}

/// A line of output that shows a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvidenceLine {
    /// Where it was printed.
    pub stream: LogStream,
    /// Byte offset in that stream's file.
    pub byte_offset: u64,
    /// The text.
    pub message: String,
}

/// One attempt of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// Its id.
    pub id: AttemptId,
    /// Its number, from 1; also the fencing epoch.
    pub epoch: i32,
    /// Where it is.
    pub state: AttemptState,
    /// Why it ended.
    pub outcome: Option<Outcome>,
    /// The reason in one sentence.
    pub reason: Option<String>,
    /// The engine: `local`, `slurm`, `kubernetes`.
    pub engine: String,
    /// Where it runs.
    pub host: Option<String>,
    /// GPUs by uuid.
    pub gpus: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its process began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A command line as it is executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandView {
    /// The argument vector.
    pub argv: Vec<String>,
    /// The same, quoted for a POSIX shell.
    pub shell: String,
    /// The lmms-eval command line of each benchmark of this process.
    pub benchmarks: Vec<BenchmarkCommandView>,
}

/// The lmms-eval command line of one benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BenchmarkCommandView {
    /// Execution order, from 0.
    pub order: u32,
    /// The picked name.
    pub name: String,
    /// What lmms-eval sees after its program name.
    pub argv: Vec<String>,
    /// A line that does the same by hand.
    pub shell: String,
}

/// One transition of a run, an attempt or a benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimelineEntry {
    /// Its place in the run's sequence.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The state that was entered, e.g. `running` or `benchmark completed`.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Which benchmark it is about.
    pub benchmark: Option<String>,
}

/// The answer to a cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelAnswer {
    /// `cancelled` when the run was waiting, else still `running`.
    pub status: RunStatus,
    /// Whether the processes are being stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelling: bool,
}

/// The answer to a requeue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequeueAnswer {
    /// Always `queued`.
    pub status: RunStatus,
    /// The benchmarks that will be run (again), in order.
    pub benchmarks: Vec<String>,
}
