//! Results brought in from elsewhere: what a user knows better than the files, and what became of each.

use crate::{ModelId, RunId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Longest path of an uploaded file, in characters.
pub const MAX_IMPORT_PATH: usize = 1024;

/// Where an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    /// Files are being sent.
    Open,
    /// They are looked at; nothing is stored.
    Checking,
    /// They were looked at.
    Checked,
    /// It waits for a worker.
    Queued,
    /// Its runs are being stored.
    Running,
    /// All of it is done.
    Completed,
    /// It ended early; what was stored by then stays.
    Failed,
    /// Somebody stopped it; what was stored by then stays.
    Cancelled,
}

impl ImportStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Checking,
        Self::Checked,
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether a worker has it, or is about to.
    #[must_use]
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::Checking | Self::Queued | Self::Running)
    }
}

/// What a user knows better than the files: which model they are about, and which task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ImportMapping {
    /// Models by the name that the files give them.
    pub models: BTreeMap<String, ModelRule>,
    /// Names of tasks and what they are called here.
    pub tasks: BTreeMap<String, String>,
    /// Rules for files, the first that fits holds.
    pub files: Vec<FileRule>,
}

/// Which model it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ModelRule {
    /// Its name here.
    pub model: Option<String>,
    /// Its checkpoint.
    pub checkpoint: Option<String>,
}

/// What is known about some files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FileRule {
    /// The end of their path; `*` stands for any part of a name.
    pub path: String,
    /// The model.
    pub model: Option<String>,
    /// Its checkpoint.
    pub checkpoint: Option<String>,
    /// The task of a samples file.
    pub task: Option<String>,
    /// The end of the path of the results document that samples belong to.
    pub results: Option<String>,
    /// Whether they are left out.
    pub skip: bool,
}

impl ImportMapping {
    /// The rule for a file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&FileRule> {
        self.files.iter().find(|rule| path_fits(&rule.path, path))
    }

    /// The name here of a task.
    #[must_use]
    pub fn task<'a>(&'a self, name: &'a str) -> &'a str {
        self.tasks.get(name).map_or(name, String::as_str)
    }
}

/// Whether a path ends as the pattern says: part by part, `*` for any text within a part.
#[must_use]
pub fn path_fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let mut wanted = pattern.trim_start_matches("./").rsplit('/');
    wanted.all(|wanted| parts.next().is_some_and(|part| glob(wanted, part)))
}

fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            match rest.find(before) {
                Some(at) => rest = &rest[at + before.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// A new import, whose files are sent one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateImport {
    /// What it is called.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: String,
}

/// How the files of an import are to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StartImport {
    /// What the user knows better.
    pub mapping: ImportMapping,
}

/// A file that has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadedFile {
    /// Its path, as its sender calls it.
    pub path: String,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
}

/// An import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportView {
    /// Its id.
    pub id: Uuid,
    /// What was imported, for people.
    pub name: String,
    /// `command` or `upload`.
    pub source: String,
    /// Where it is.
    pub status: ImportStatus,
    /// Whether somebody has asked to stop it.
    pub cancelling: bool,
    /// Why it ended early.
    pub error_message: Option<String>,
    /// Files that have arrived, those inside of archives not counted.
    pub uploaded: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Files that are looked at, those inside of archives among them; 0 until that is known.
    pub files_total: i32,
    /// Files that were looked at.
    pub files_done: i32,
    /// Runs to store.
    pub runs_total: i32,
    /// Runs stored.
    pub runs_done: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// An import with what a check or the import itself found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportDetail {
    /// The import.
    #[serde(flatten)]
    pub import: ImportView,
    /// What the user knows better.
    pub mapping: ImportMapping,
    /// What the files need.
    pub plan: ImportPlan,
    /// The files that have arrived, at most the first 1000 by path.
    pub files: Vec<UploadedFile>,
    /// The runs that came of it, at most the first 200.
    pub runs: Vec<ImportedRunView>,
}

/// A run that came of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedRunView {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Samples in it.
    pub samples: i64,
}

/// What a check found: which models and tasks the files name, and what they are taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ImportPlan {
    /// Runs that would be stored, those that are known among them.
    pub runs: u32,
    /// Runs that are there already, with nothing new about them.
    pub known: u32,
    /// Models that the files name.
    pub models: Vec<PlannedModel>,
    /// Tasks that the files name.
    pub tasks: Vec<PlannedTask>,
}

/// A model that files name, or that they leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedModel {
    /// What the files call it; absent when they do not name one.
    pub label: Option<String>,
    /// The results documents without a name, by path.
    pub files: Vec<String>,
    /// What it will be called here.
    pub name: String,
    /// Its checkpoint.
    pub checkpoint: String,
    /// The model of the registry; absent when it will be made.
    pub model_id: Option<ModelId>,
    /// Runs of it.
    pub runs: u32,
}

/// A task that files name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedTask {
    /// What the files call it.
    pub label: String,
    /// What it will be called here.
    pub name: String,
    /// Whether the catalogue has it; else it will be made.
    pub known: bool,
}

/// One page of imports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportList {
    /// The imports, newest first.
    pub imports: Vec<ImportView>,
    /// How many there are.
    pub total: i64,
}

/// What became of one file, or would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportFileView {
    /// Its place.
    pub position: i32,
    /// Its path; inside of an archive, the archive's path and its name there.
    pub path: String,
    /// What it is: `results`, `samples`, `api_dump`, `old_samples`, `log`, `not_lmms_eval` or `unreadable`.
    pub kind: String,
    /// `taken`, `known`, `left_out` or `failed`.
    pub status: String,
    /// The run that it belongs to.
    pub run_id: Option<RunId>,
    /// Hex SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// What was taken and what was not.
    #[serde(flatten)]
    pub report: FileFindings,
}

/// What was taken of a file and what was not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct FileFindings {
    /// What it calls the model.
    pub model: Option<String>,
    /// Its tasks.
    pub tasks: Vec<String>,
    /// Scores with a number.
    pub metrics: u64,
    /// Scores without one.
    pub not_numeric: u64,
    /// Secrets that were blotted out.
    pub redacted: u64,
    /// Samples that can be read.
    pub samples: u64,
    /// Lines that are no sample.
    pub broken: u64,
    /// What could not be used, each in one sentence.
    pub problems: Vec<String>,
}

/// One page of files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportFileList {
    /// The files, in order.
    pub files: Vec<ImportFileView>,
    /// How many there are.
    pub total: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_ends_of_paths() {
        for (pattern, path, holds) in [
            ("a.json", "x/a.json", true),
            ("*.json", "x/a.json", true),
            ("x/*", "y/x/a.json", true),
            ("run*/a*n", "run7/a.json", true),
            ("a*a", "a", false),
            ("z/a.json", "x/a.json", false),
            ("a.json", "x/ba.json", false),
            ("q/x/a.json", "x/a.json", false),
        ] {
            assert_eq!(path_fits(pattern, path), holds, "{pattern} {path}");
        }
    }

    #[test]
    fn every_status_has_its_name() {
        for status in ImportStatus::ALL {
            assert_eq!(ImportStatus::of(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(ImportStatus::of("over"), None);
    }
}
