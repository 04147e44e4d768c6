//! Models and their checkpoints.

use crate::{ArgList, BenchmarkId, CheckpointId, ModelId, RunBenchmarkId, RunId, RunSummary};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelView {
    /// Its id.
    pub id: ModelId,
    /// Its name, unique in the organization.
    pub name: String,
    /// E.g. `LLaVA`.
    pub family: Option<String>,
    /// Where the weights are, e.g. `llava-hf/llava-1.5-7b-hf` or a path.
    pub source: Option<String>,
    /// E.g. `bfloat16`.
    pub dtype: Option<String>,
    /// Number of parameters.
    pub num_parameters: Option<i64>,
    /// Free text.
    pub notes: Option<String>,
    /// lmms-eval's model id.
    pub backend: String,
    /// Arguments of the backend.
    pub model_args: ArgList,
    /// Anything else.
    pub metadata: serde_json::Value,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was archived.
    pub archived_at: Option<DateTime<Utc>>,
    /// Its checkpoints by index.
    pub checkpoints: Vec<CheckpointView>,
    /// How many runs it has.
    pub run_count: u64,
    /// On how many benchmarks it has a score.
    #[serde(default)]
    pub benchmark_count: u64,
    /// When its newest score was measured.
    #[serde(default)]
    pub last_run_at: Option<DateTime<Utc>>,
    /// Whether it belongs to the demo.
    pub demo: bool,
}

/// What counts now for a checkpoint of a model: its score under one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelScore {
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// The metric.
    pub metric: String,
    /// The filter; `none` where the task defines none.
    pub filter: String,
    /// Whether more is better.
    pub higher_is_better: Option<bool>,
    /// Whether it is the benchmark's own first metric.
    pub is_primary: bool,
    /// Whether a group was measured.
    pub is_group: bool,
    /// The checkpoint; `latest` where the model has none.
    pub checkpoint: String,
    /// Its place in training.
    pub checkpoint_index: Option<i32>,
    /// The value.
    pub value: f64,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// Documents.
    pub n: Option<i64>,
    /// Whether only a part of the documents was measured.
    pub limited: bool,
    /// The run.
    pub run_id: RunId,
    /// The picked row of the run.
    pub run_benchmark_id: RunBenchmarkId,
    /// When it was measured.
    pub ran_at: DateTime<Utc>,
}

/// A model with its runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelDetail {
    /// The model.
    #[serde(flatten)]
    pub model: ModelView,
    /// Its runs, newest first, at most 200.
    pub runs: Vec<RunSummary>,
    /// What counts now for each checkpoint, by benchmark, metric and training order.
    pub scores: Vec<ModelScore>,
}

/// All models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelList {
    /// By name.
    pub models: Vec<ModelView>,
}

/// What a run says of its model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiModelRef {
    /// The model.
    pub id: ModelId,
    /// Its name.
    pub name: String,
    /// lmms-eval's model id.
    pub backend: String,
    /// The resolved checkpoint.
    pub checkpoint_variant: String,
    /// Where its weights are.
    pub source: Option<String>,
}

/// A model's variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckpointView {
    /// Its id.
    pub id: CheckpointId,
    /// E.g. `checkpoint-1000`.
    pub checkpoint_variant: String,
    /// Its place in training.
    pub checkpoint_index: i32,
    /// Where the weights are.
    pub source: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Anything else.
    pub metadata: serde_json::Value,
}

/// Asks for a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateModel {
    /// Its name, unique in the organization.
    pub name: String,
    /// lmms-eval's model id.
    pub backend: String,
    /// E.g. `LLaVA`.
    #[serde(default)]
    pub family: Option<String>,
    /// Where the weights are.
    #[serde(default)]
    pub source: Option<String>,
    /// E.g. `bfloat16`.
    #[serde(default)]
    pub dtype: Option<String>,
    /// Number of parameters.
    #[serde(default)]
    pub num_parameters: Option<i64>,
    /// Free text.
    #[serde(default)]
    pub notes: Option<String>,
    /// Arguments of the backend.
    #[serde(default)]
    pub model_args: ArgList,
    /// Anything else; an object.
    #[serde(default)]
    pub metadata: Option<serde_json::Value>,
    /// Its first checkpoints.
    #[serde(default)]
    pub checkpoints: Vec<CreateCheckpoint>,
}

/// Changes a model; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateModel {
    /// Its name, unique in the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// lmms-eval's model id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// E.g. `LLaVA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Where the weights are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// E.g. `bfloat16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// Number of parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_parameters: Option<i64>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Arguments of the backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_args: Option<ArgList>,
    /// Anything else; an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
    /// True archives the model, false brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// Asks for a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateCheckpoint {
    /// E.g. `checkpoint-1000`; `latest` is reserved.
    pub checkpoint_variant: String,
    /// Its place in training; one more than the highest when absent.
    #[serde(default)]
    pub checkpoint_index: Option<i32>,
    /// Where the weights are.
    #[serde(default)]
    pub source: Option<String>,
    /// Anything else; an object.
    #[serde(default)]
    pub metadata: Option<serde_json::Value>,
}

/// Changes a checkpoint; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateCheckpoint {
    /// Its place in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_index: Option<i32>,
    /// Where the weights are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Anything else; an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
}

/// A model backend of the installed lmms-eval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackendView {
    /// lmms-eval's model id.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// Whether it takes chat messages.
    pub chat: bool,
    /// Whether it takes plain prompts.
    pub simple: bool,
    /// The argument that names the weights, e.g. `pretrained`.
    pub weights_key: String,
}

/// All backends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackendList {
    /// By name.
    pub backends: Vec<BackendView>,
    /// The installed lmms-eval's version; null without one.
    pub lmms_eval_version: Option<String>,
}
