//! The messages of `/ws/runs/{run_id}`.

use crate::{
    AttemptState, BenchmarkId, BenchmarkStatus, LogLevel, LogStream, Outcome, RunBenchmarkId, RunStatus,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One message. `seq` grows by one from message to message of a run as they are written;
/// a client that reconnects with `?after=<seq>` misses nothing. Superseded progress is
/// dropped when a run ends, so a late reader sees gaps there and only there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LiveMessage {
    /// Place in the run's sequence.
    pub seq: i64,
    /// What happened.
    #[serde(flatten)]
    pub event: LiveEvent,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum LiveEvent {
    /// How far the run is.
    Progress(ProgressEvent),
    /// A metric was committed.
    MetricUpdate(MetricUpdate),
    /// A line of output.
    LogLine(LogLineEvent),
    /// A run, an attempt or a benchmark entered a state.
    Status(StatusEvent),
    /// Something went wrong.
    Error(ErrorEvent),
}

/// How far the run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProgressEvent {
    /// Leaf tasks whose benchmark is committed.
    pub completed_tasks: u32,
    /// Distinct leaf tasks.
    pub total_tasks: u32,
    /// Documents answered per second.
    pub items_per_second: Option<f64>,
    /// The picked benchmark that is running.
    pub current_benchmark: Option<String>,
    /// Its row.
    pub run_benchmark_id: Option<RunBenchmarkId>,
    /// Documents of it answered.
    pub done: Option<u64>,
    /// Documents of it to answer.
    pub total: Option<u64>,
    /// What it is doing, e.g. `inferring`.
    pub phase: Option<String>,
    /// 0 to 100 over the whole run.
    pub progress_percent: f64,
    /// Seconds until the expected end of the run.
    pub eta_seconds: Option<u64>,
    /// When it was seen.
    pub at: Option<DateTime<Utc>>,
    /// Memory used and utilisation of each GPU of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GpuSample>,
}

/// A reading of one GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuSample {
    /// Its uuid.
    pub uuid: String,
    /// Percent of the last interval in which a kernel ran.
    pub utilization: u32,
    /// Bytes of memory in use.
    pub memory_used: u64,
    /// Bytes of memory.
    pub memory_total: u64,
}

/// A metric that was committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricUpdate {
    /// The leaf task, or the group for its aggregate.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// The picked row.
    pub run_benchmark_id: RunBenchmarkId,
    /// The metric.
    pub metric_name: String,
    /// The filter; `none` where the task defines none.
    pub filter: String,
    /// The value; null where the task gives no number.
    pub metric_value: Option<f64>,
    /// Its standard error on the metric's scale.
    pub stderr: Option<f64>,
    /// Documents.
    pub sample_count: Option<i64>,
    /// Whether more is better.
    pub higher_is_better: Option<bool>,
}

/// A line of output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLineEvent {
    /// When it was printed, or read when the line itself has no time.
    pub timestamp: DateTime<Utc>,
    /// How loud.
    pub level: LogLevel,
    /// The text, without colours.
    pub message: String,
    /// Where it was printed.
    pub stream: LogStream,
    /// The attempt's number.
    pub attempt: i32,
    /// Byte offset in that stream's file.
    pub byte_offset: i64,
}

/// A state that was entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatusEvent {
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The run's status, when it is the run's.
    pub status: Option<RunStatus>,
    /// Whether a cancel is under way.
    #[serde(default)]
    pub cancelling: bool,
    /// The attempt's number, when it is an attempt's.
    pub attempt: Option<i32>,
    /// The attempt's state.
    pub attempt_state: Option<AttemptState>,
    /// The benchmark's row, when it is a benchmark's.
    pub run_benchmark_id: Option<RunBenchmarkId>,
    /// The benchmark's name.
    pub benchmark: Option<String>,
    /// The benchmark's status.
    pub benchmark_status: Option<BenchmarkStatus>,
    /// Why it ended.
    pub outcome: Option<Outcome>,
    /// Why, in one sentence.
    pub reason: Option<String>,
}

/// Something that went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorEvent {
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// In one sentence.
    pub message: String,
    /// Why, as an outcome.
    pub outcome: Option<Outcome>,
    /// The benchmark it is about.
    pub benchmark: Option<String>,
}
