//! Samples: one document of a benchmark in a run.

use crate::{BenchmarkId, BucketKind, MediaView, RunBenchmarkId, RunId, SampleId, SliceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SampleView {
    /// Its id.
    pub id: SampleId,
    /// Place in the samples file, from 0.
    pub index: i64,
    /// lmms-eval's index of the document.
    pub doc_id: i64,
    /// The leaf task.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// The picked row.
    pub run_benchmark_id: RunBenchmarkId,
    /// The filter; `none` where the task defines none.
    pub filter: String,
    /// Prompt and what lmms-eval notes beside it.
    pub input: serde_json::Value,
    /// What the document shows beside text, in order.
    #[serde(default)]
    pub media: Vec<MediaView>,
    /// What was expected.
    pub ground_truth: serde_json::Value,
    /// What was answered, after the filter.
    pub prediction: serde_json::Value,
    /// What was answered, when it differs.
    pub raw_prediction: Option<serde_json::Value>,
    /// Per-sample metrics.
    pub metrics: serde_json::Value,
    /// The value under the primary metric.
    pub score: Option<f64>,
    /// Why there is no score.
    pub score_reason: Option<String>,
    /// 1 - score where the metric's range is [0, 1].
    pub error: Option<f64>,
    /// From log-likelihoods, where there are any.
    pub confidence: Option<f64>,
    /// What is odd about it: `failed_request`, `budget`, `empty`, `truncated`, `unparsed`.
    pub flags: Vec<String>,
    /// The slices it is in.
    pub slices: Vec<SliceId>,
}

/// A page of samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SamplePage {
    /// The samples.
    pub samples: Vec<SampleView>,
    /// How many match.
    pub total: u64,
    /// Pass as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// What the samples of a run fall into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SampleBuckets {
    /// By kind, the largest first; at most 40 of each kind.
    pub buckets: Vec<SampleBucket>,
}

/// Samples that have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SampleBucket {
    /// What they have in common.
    pub kind: BucketKind,
    /// As the filter takes it.
    pub key: String,
    /// In words.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// One sample, with what one wants to know when it is looked at alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SampleDetail {
    /// The sample.
    pub sample: SampleView,
    /// The document's own fields; null where they are not kept.
    pub doc: Option<serde_json::Value>,
    /// Its run.
    pub run_id: RunId,
    /// The run's name.
    pub run_name: String,
    /// Its model.
    pub model_name: String,
    /// The checkpoint.
    pub checkpoint: String,
    /// How much the organization's runs agree about the document; null until it is counted.
    pub agreement: Option<DocumentAgreement>,
    /// What the newest runs of other models and checkpoints answered to the same document.
    pub others: Vec<OtherAnswer>,
}

/// How much the completed runs of an organization agree about a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentAgreement {
    /// Answers whose error is known.
    pub answers: u32,
    /// Those among them that are right.
    pub right: u32,
    /// Entropy of right and wrong in bits: 0 where all agree, 1 where half of them are right.
    pub disagreement: f64,
    /// When it was counted.
    pub counted_at: Option<DateTime<Utc>>,
}

/// What another run answered to the same document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OtherAnswer {
    /// Its sample.
    pub sample_id: SampleId,
    /// Its run.
    pub run_id: RunId,
    /// Its model.
    pub model_name: String,
    /// The checkpoint.
    pub checkpoint: String,
    /// What it answered, after the filter.
    pub prediction: serde_json::Value,
    /// The value under the primary metric.
    pub score: Option<f64>,
    /// 1 - score where the metric's range is [0, 1].
    pub error: Option<f64>,
}
