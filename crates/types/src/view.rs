//! What a person keeps: filters of a table, settings of a launch.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ArgList, BenchmarkId, FieldError, ModelId, RunConfig};

/// A page whose state can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ViewPage {
    /// The table of runs.
    Runs,
    /// The launcher; its views are presets.
    Launcher,
}

impl ViewPage {
    /// The text in addresses and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Launcher => "launcher",
        }
    }
}

/// A kept view of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedView {
    /// Its id.
    pub id: Uuid,
    /// The page.
    pub page: ViewPage,
    /// Its name, unique for this person and page.
    pub name: String,
    /// The page's query string, without `?`.
    pub query: String,
    /// When it was kept.
    pub created_at: DateTime<Utc>,
}

/// Keeps a view, over an older one of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SaveView {
    /// The page.
    pub page: ViewPage,
    /// Its name.
    pub name: String,
    /// The page's query string, without `?`, at most 16 000 bytes.
    pub query: String,
}

/// The caller's kept views.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedViewList {
    /// By name.
    pub views: Vec<SavedView>,
}

/// A file of lmms-eval's `--config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportConfig {
    /// Its text.
    pub yaml: String,
}

/// What a launch form makes of such a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LaunchDraft {
    /// The one model of the organization with this backend and these arguments, when there is one.
    pub model_id: Option<ModelId>,
    /// lmms-eval's model id in the file.
    pub backend: Option<String>,
    /// The model's arguments in the file.
    pub model_args: ArgList,
    /// The benchmarks that the catalogue knows.
    pub benchmark_ids: Vec<BenchmarkId>,
    /// The settings.
    pub config: RunConfig,
    /// What was not taken over, and why.
    pub problems: Vec<FieldError>,
}
