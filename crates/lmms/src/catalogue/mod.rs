//! The tasks, groups, tags and model backends of an lmms-eval installation, without Python.
//!
//! `lmms-eval tasks list` imports torch and takes 17 seconds of CPU; the same list can be read
//! off the YAML files in a fraction of one. This is the only module of the crate that touches the
//! file system.

mod backends;
mod category;
mod entry;
mod expand;
mod loader;
mod modality;
mod scan;

pub use backends::{Backend, BackendKind, backends};
pub use category::category;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where tasks come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The installed package.
    Installed,
    /// A folder given with `--include_path`.
    Include,
}

/// A folder with task files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRoot {
    /// The folder, e.g. `.../site-packages/lmms_eval/tasks`.
    pub path: PathBuf,
    /// Where it comes from.
    pub source: Source,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A leaf task.
    Task,
    /// A named list of tasks and groups, perhaps with an aggregate.
    Group,
    /// A label that tasks put on themselves.
    Tag,
}

/// What the documents of a task show to the model. Declared nowhere, so this is a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Text alone.
    Text,
    /// Images.
    Image,
    /// Videos.
    Video,
    /// Sound.
    Audio,
}

impl Modality {
    /// The name as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

/// A metric that a task declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredMetric {
    /// Its name.
    pub name: String,
    /// A registered aggregation (`mean`), or a function (`!function utils.f`).
    pub aggregation: Option<String>,
    /// Its direction.
    pub higher_is_better: Option<bool>,
}

/// A task, group or tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, as `--tasks` takes it.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Where it comes from.
    pub source: Source,
    /// The file that defines it; for a tag the first file that names it.
    pub yaml_path: PathBuf,
    /// What lmms-eval prints instead of the name.
    pub alias: Option<String>,
    /// Tags that a task carries.
    pub tags: Vec<String>,
    /// What a group or tag holds: names of tasks and groups, in order.
    pub members: Vec<String>,
    /// Where the documents come from.
    pub dataset_path: Option<String>,
    /// The configuration of the dataset.
    pub dataset_name: Option<String>,
    /// The split that is evaluated.
    pub split: Option<String>,
    /// `generate_until` (also when unset), `multiple_choice`, ...
    pub output_type: Option<String>,
    /// Declared metrics, in order.
    pub metrics: Vec<DeclaredMetric>,
    /// Names of the filters, in order; empty means the one called `none`.
    pub filters: Vec<String>,
    /// The task's own number of few-shot examples.
    pub num_fewshot: Option<u32>,
    /// Whether `--num_fewshot` works at all: without `fewshot_config` the whole run crashes.
    pub supports_fewshot: bool,
    /// The task's own generation settings.
    pub generation_kwargs: Option<Value>,
    /// A guess at what the documents show.
    pub modality: Option<Modality>,
    /// From the committed table of folder patterns.
    pub category: String,
    /// A guess at whether a language model is needed for scoring.
    pub needs_judge: bool,
    /// `metadata.version` as text.
    pub version: Option<String>,
    /// `description` of the YAML, where there is one.
    pub description: Option<String>,
    /// The name of the field that clusters documents, for clustered errors.
    pub cluster_key: Option<String>,
}

/// A file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueProblem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

/// All tasks, groups and tags of some folders.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Sorted by name.
    pub entries: Vec<Entry>,
    /// Files that could not be used.
    pub problems: Vec<CatalogueProblem>,
    #[serde(skip)]
    by_name: HashMap<String, usize>,
}

/// Reads all task files under the roots. A name that an include folder defines again replaces
/// the installed one, as in lmms-eval.
#[must_use]
pub fn index(roots: &[TaskRoot]) -> Catalogue {
    let _ = roots;
    Catalogue::default()
}

/// The folder of task files inside the package directory (`.../site-packages/lmms_eval`).
#[must_use]
pub fn tasks_dir(package_dir: &Path) -> PathBuf {
    package_dir.join("tasks")
}

impl Catalogue {
    /// The entry of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|&index| &self.entries[index])
    }

    /// The distinct leaf tasks behind a name, in order; empty for an unknown name.
    #[must_use]
    pub fn leaves(&self, name: &str) -> Vec<String> {
        let _ = name;
        Vec::new()
    }

    /// Whether picking `outer` already runs everything of `inner`.
    #[must_use]
    pub fn contains(&self, outer: &str, inner: &str) -> bool {
        let _ = (outer, inner);
        false
    }
}
