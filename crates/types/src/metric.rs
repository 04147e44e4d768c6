//! Committed scores.

use crate::{BenchmarkId, RunBenchmarkId, SliceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One score of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricView {
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
    /// The slice; null for all samples.
    pub slice_id: Option<SliceId>,
    /// Whether this is a group's aggregate.
    pub is_group: bool,
    /// When it was committed.
    pub updated_at: DateTime<Utc>,
    /// Why a slice has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The scores of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricList {
    /// By picked benchmark, task, metric and filter.
    pub metrics: Vec<MetricView>,
}
