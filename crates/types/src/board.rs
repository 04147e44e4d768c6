//! The leaderboard: what counts now for each model, with its doubt.

use crate::{BenchmarkId, BenchmarkKind, Modality, ModelId, RunBenchmarkId, RunId, SliceMissing};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A leaderboard over one or more benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaderboardView {
    /// The benchmark, where there is one; else how many there are, in words.
    pub benchmark: String,
    /// The name of the slice; `all` for all samples.
    pub slice: String,
    /// What is compared, in the order of the cells.
    pub columns: Vec<BoardColumn>,
    /// Models, in the order that was asked for.
    pub entries: Vec<BoardEntry>,
    /// How many models and checkpoints have a score, before the most that are shown.
    pub total: u64,
    /// Columns that have scores and are not shown.
    pub more_columns: u64,
    /// Where the rank intervals come from.
    pub ranks: RankBasis,
    /// With a slice: which benchmarks lack a score on it that they have over all samples, and why.
    #[serde(default)]
    pub missing: Vec<SliceMissing>,
}

/// One metric of one benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoardColumn {
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// The metric.
    pub metric: String,
    /// The filter; `none` where the task defines none.
    pub filter: String,
    /// Whether more is better; null where nobody says, and then the column counts for nothing.
    pub higher_is_better: Option<bool>,
    /// Documents of most cells.
    pub n: Option<i64>,
    /// Smallest value or interval end, for a common scale.
    pub low: f64,
    /// Largest value or interval end.
    pub high: f64,
}

/// A model, or one checkpoint of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoardEntry {
    /// Place by mean win rate, or by score where there is one column; equal places are shared. Null without a
    /// comparable score.
    pub rank: Option<u32>,
    /// The best place that the data allow.
    pub rank_lo: Option<u32>,
    /// The worst.
    pub rank_hi: Option<u32>,
    /// Models of one tier cannot be told apart from its first.
    pub tier: Option<u32>,
    /// The model.
    pub model_id: ModelId,
    /// Its name.
    pub model_name: String,
    /// E.g. `LLaVA`.
    pub family: Option<String>,
    /// Its size.
    pub num_parameters: Option<i64>,
    /// The checkpoint; `latest` where the model has none.
    pub checkpoint: String,
    /// Its place in training.
    pub checkpoint_index: Option<i32>,
    /// The score in the first column.
    pub score: Option<f64>,
    /// Mean over columns of the share of other models that it beats.
    pub win_rate: Option<f64>,
    /// Columns that count for it.
    pub counted: u32,
    /// When its newest score was measured.
    pub last_run: DateTime<Utc>,
    /// The run of that score.
    pub run_id: RunId,
    /// One per column; null where it was not run.
    pub cells: Vec<Option<BoardCell>>,
}

/// One score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoardCell {
    /// The value.
    pub value: f64,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Documents.
    pub n: Option<i64>,
    /// The run.
    pub run_id: RunId,
    /// The picked row of the run.
    pub run_benchmark_id: RunBenchmarkId,
    /// When it was measured.
    pub ran_at: DateTime<Utc>,
    /// Whether it counts for rank and win rate.
    pub counts: bool,
    /// What one must know to compare it.
    pub notes: Vec<BoardNote>,
}

/// Why a score is to be compared with care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoardNote {
    /// What differs.
    pub kind: NoteKind,
    /// In words.
    pub text: String,
}

/// What differs from the other scores of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Only a part of the documents.
    Limit,
    /// Another number of examples in the prompt.
    FewShot,
    /// Another version of the task.
    Version,
    /// Other prompts than those of the first of the column.
    Prompts,
    /// Other documents under the same indices.
    Documents,
    /// Some answers are missing or cut.
    Degraded,
}

/// Where rank intervals come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RankBasis {
    /// From which comparisons.
    pub kind: RankKind,
    /// How many comparisons were corrected for.
    pub tests: u32,
    /// When they were made; null for those made just now.
    pub at: Option<DateTime<Utc>>,
    /// Whether scores have changed since.
    pub outdated: bool,
}

/// From which comparisons rank intervals come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RankKind {
    /// Sample by sample.
    Paired,
    /// From the scores' own errors, as if the samples were different ones: wider.
    Unpaired,
}

/// What has been measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CoverageList {
    /// By name.
    pub benchmarks: Vec<BenchmarkCoverage>,
}

/// A benchmark with scores, or a group with such benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BenchmarkCoverage {
    /// The benchmark.
    pub id: BenchmarkId,
    /// Its name.
    pub name: String,
    /// Task, group or tag.
    pub kind: BenchmarkKind,
    /// What the model is given.
    pub modality: Modality,
    /// E.g. `VQA`.
    pub category: String,
    /// Models with a score.
    pub models: u64,
    /// Checkpoints with a score.
    pub checkpoints: u64,
    /// When the newest score was measured.
    pub last_run: Option<DateTime<Utc>>,
    /// Members with scores; 0 for a task.
    pub measured: u64,
    /// Leaf tasks inside.
    pub leaves: u64,
}
