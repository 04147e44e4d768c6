//! The dry run: what would be executed.

use crate::{BenchmarkId, CommandView};
use serde::{Deserialize, Serialize};

/// What would run, without running it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunPreview {
    /// The exact argument vectors, made by the function that the executor uses.
    pub commands: Vec<CommandView>,
    /// One entry per picked benchmark.
    pub benchmarks: Vec<BenchmarkPreview>,
    /// Distinct leaf tasks.
    pub total_tasks: u32,
    /// Documents in all; null when one benchmark's number is unknown.
    pub total_samples: Option<u64>,
    /// Expected duration from history; null without.
    pub eta_seconds: Option<u64>,
    /// What the hardware says to the compute profile.
    pub compute: ComputePreview,
    /// What a careful user should know before launching.
    pub warnings: Vec<Warning>,
    /// The resolved checkpoint.
    pub checkpoint_variant: String,
    /// The configuration as lmms-eval's `--config` accepts it, in YAML.
    pub config_yaml: String,
}

/// One benchmark of a preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BenchmarkPreview {
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub name: String,
    /// Distinct leaf tasks inside.
    pub leaf_tasks: Vec<String>,
    /// Documents, after the limit; null when unknown.
    pub samples: Option<u64>,
    /// Expected duration from history; null without.
    pub eta_seconds: Option<u64>,
    /// Smallest difference between two runs that this many paired documents can show
    /// (two-sided 5 %, power 80 %), on the 0-1 scale; null when the number is unknown.
    pub detectable_difference: Option<f64>,
}

/// What the hardware says to the compute profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComputePreview {
    /// GPUs asked for.
    pub gpus: u32,
    /// GPUs that satisfy the profile.
    pub matching: u32,
    /// Those of them that are free now.
    pub free: u32,
    /// Whether some machine could ever satisfy it.
    pub satisfiable: bool,
    /// In one sentence.
    pub message: String,
}

/// Something to know before launching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    /// A stable name, e.g. `limit_incomparable`.
    pub code: String,
    /// In one sentence.
    pub message: String,
    /// The benchmark it is about.
    pub benchmark: Option<String>,
}
