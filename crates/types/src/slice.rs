//! Slices: named subsets of samples.

use crate::{BenchmarkId, SliceId};
use serde::{Deserialize, Serialize};

/// A slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceView {
    /// Its id.
    pub id: SliceId,
    /// Its name, unique in the organization.
    pub name: String,
    /// E.g. `audio_gender`, or `custom`.
    pub slice_type: String,
    /// E.g. `male`.
    pub slice_value: Option<String>,
    /// The benchmarks it applies to; all when empty.
    pub associated_benchmarks: Vec<BenchmarkId>,
    /// In words.
    pub description: Option<String>,
}

/// All slices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceList {
    /// By type and name.
    pub slices: Vec<SliceView>,
}
