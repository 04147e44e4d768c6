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
mod yaml;

pub use backends::{Backend, BackendKind, backends, backends_in};
pub use category::category;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use loader::Loader;

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
    /// What a group or tag holds: names of tasks, groups and tags, in order.
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
}

/// Reads all task files under the roots. A name that an earlier root defines stays as it is: the
/// installed task wins over one of the same name in an include folder, as in lmms-eval.
#[must_use]
pub fn index(roots: &[TaskRoot]) -> Catalogue {
    let loader = Loader::default();
    let mut catalogue = Catalogue::default();
    let mut entries = HashMap::new();
    for root in roots {
        let own = read_root(&loader, root, &mut catalogue.problems);
        for entry in &own {
            entries.entry(entry.name.clone()).or_insert_with(|| entry.clone());
        }
        expand::add_tags(root, &own, &mut entries);
    }
    catalogue.entries = entries.into_values().collect();
    catalogue.entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    expand::summarise(&mut catalogue);
    expand::note_missing(&mut catalogue);
    catalogue
}

/// The tasks and groups of one root, each name once.
fn read_root(loader: &Loader, root: &TaskRoot, problems: &mut Vec<CatalogueProblem>) -> Vec<Entry> {
    let files = scan::files(root, problems);
    let mut names = HashSet::new();
    let mut entries = Vec::new();
    for (path, loaded) in scan::load(loader, &files) {
        let problem = match loaded {
            Err(message) => Some(message),
            // A template that other files include.
            Ok(config) => entry::defined(&config).and_then(|defined| {
                let known = !names.insert(defined.0.clone());
                let message = known.then(|| format!("`{}` is defined by an earlier file", defined.0));
                if !known {
                    entries.push(entry::read(loader, root, &path, &config, defined));
                }
                message
            }),
        };
        problems.extend(problem.map(|message| CatalogueProblem { path, message }));
    }
    entries
}

/// The folder of task files inside the package directory (`.../site-packages/lmms_eval`).
#[must_use]
pub fn tasks_dir(package_dir: &Path) -> PathBuf {
    package_dir.join("tasks")
}

/// The installed version, from the name of the `lmms_eval-<version>.dist-info` folder beside the
/// package directory.
#[must_use]
pub fn installed_version(package_dir: &Path) -> Option<String> {
    let folder = std::fs::read_dir(package_dir.parent()?).ok()?;
    folder.flatten().find_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let version = name.strip_prefix("lmms_eval-")?.strip_suffix(".dist-info")?;
        Some(version.to_owned())
    })
}
