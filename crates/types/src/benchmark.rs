//! The benchmark catalogue.

use crate::{BenchmarkId, BenchmarkKind, Modality};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A benchmark: one lmms-eval task, group or tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BenchmarkView {
    /// Its id.
    pub id: BenchmarkId,
    /// lmms-eval's name.
    pub name: String,
    /// Task, group or tag.
    pub kind: BenchmarkKind,
    /// What the model is given.
    pub modality: Modality,
    /// E.g. `VQA`; `Other` where unknown.
    pub category: String,
    /// lmms-eval's output type.
    pub task_type: Option<String>,
    /// Metrics that decide.
    pub primary_metrics: Vec<String>,
    /// Metrics beside them.
    pub secondary_metrics: Vec<String>,
    /// Every metric with its direction.
    pub metrics: Vec<MetricInfo>,
    /// Documents, once seen in a results file.
    pub num_samples: Option<i64>,
    /// In words.
    pub description: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Distinct leaf tasks inside; a task names itself.
    pub leaf_tasks: Vec<String>,
    /// Where the data come from.
    pub dataset: Option<String>,
    /// Whether the task has few-shot examples.
    pub supports_fewshot: bool,
    /// Few-shot examples of the task itself.
    pub num_fewshot: Option<u32>,
    /// Generation arguments of the task itself; an object.
    pub generation_kwargs: serde_json::Value,
    /// Whether an LLM judge scores it.
    pub needs_judge: bool,
    /// Whether the data must be fetched from a hub.
    pub needs_download: bool,
    /// `installed`, or the task folder it comes from.
    pub origin: String,
    /// Whether it is gone from the installed catalogue.
    pub missing: bool,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
}

/// A metric of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricInfo {
    /// Its name.
    pub name: String,
    /// Whether more is better.
    pub higher_is_better: Option<bool>,
}

/// The catalogue, or the part that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BenchmarkList {
    /// By name.
    pub benchmarks: Vec<BenchmarkView>,
    /// How many match.
    pub total: u64,
    /// The lmms-eval version that was indexed; null without one.
    pub lmms_eval_version: Option<String>,
    /// What could not be indexed.
    pub problems: Vec<String>,
}

/// Corrects what no YAML holds; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateBenchmark {
    /// What the model is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<Modality>,
    /// E.g. `VQA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A folder of the user's own task files (`--include_path`). Task files are code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskFolderView {
    /// Its id.
    pub id: Uuid,
    /// Where it is on the server.
    pub path: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// All task folders of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskFolderList {
    /// By path.
    pub folders: Vec<TaskFolderView>,
}

/// Adds a folder of task files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTaskFolder {
    /// An absolute path on the server.
    pub path: String,
}
