//! Machines, artifacts and the state of the service.

use crate::{ArtifactId, ArtifactType, AttemptId, RunBenchmarkId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A stored file of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactView {
    /// Its id.
    pub id: ArtifactId,
    /// What it holds.
    pub artifact_type: ArtifactType,
    /// Its name for people.
    pub name: String,
    /// Bytes.
    pub file_size: i64,
    /// Hex SHA-256 of the content.
    pub sha256: Option<String>,
    /// The attempt that wrote it.
    pub attempt_id: Option<AttemptId>,
    /// The benchmark it belongs to.
    pub run_benchmark_id: Option<RunBenchmarkId>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// A short-lived address of the content, relative to the server.
    pub url: String,
}

/// The files of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactList {
    /// Oldest first.
    pub artifacts: Vec<ArtifactView>,
}

/// One GPU of one machine, as a worker saw it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuView {
    /// The machine.
    pub host: String,
    /// Its uuid.
    pub uuid: String,
    /// Its index there.
    pub index: i32,
    /// Its name.
    pub name: String,
    /// Bytes of memory.
    pub memory_total: i64,
    /// Bytes in use.
    pub memory_used: i64,
    /// Percent.
    pub utilization: i32,
    /// `free`, `allocated`, `foreign` (someone else uses it), `lost` or `unsupported`.
    pub state: String,
    /// When it was read.
    pub seen_at: DateTime<Utc>,
}

/// A machine with a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostView {
    /// Its name.
    pub host: String,
    /// The engine its worker drives.
    pub engine: String,
    /// lmms-eval's version there; null without one.
    pub lmms_eval_version: Option<String>,
    /// Why it has no GPUs, when it has none.
    pub gpu_reason: Option<String>,
    /// Free bytes where attempts are kept.
    pub disk_free: Option<i64>,
    /// What is wrong with it, in one sentence.
    pub problem: Option<String>,
    /// When its worker reported last.
    pub seen_at: DateTime<Utc>,
}

/// The state of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SystemStatus {
    /// Machines.
    pub hosts: Vec<HostView>,
    /// Their GPUs.
    pub gpus: Vec<GpuView>,
    /// Runs that wait.
    pub queued: u64,
    /// Runs under way.
    pub running: u64,
}

/// What `/health` and `/readyz` answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok` or `unavailable`.
    pub status: String,
    /// The version of the server.
    pub version: String,
    /// What is unavailable, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
