//! Reads a results document of any lmms-eval version.
//!
//! Nothing of it is trusted: `NaN` and `Infinity` are no values, a metric may be a number, a
//! string, an object, a list or null, keys come and go between versions, and model arguments may
//! hold an API key. What could not be used is a [`Problem`], never an error; only a document
//! without an object `results` is refused.

mod configs;
mod document;
mod lenient;
mod metrics;
mod model;
mod repeated;

pub use document::{detect, from_value, parse};
pub use lenient::{LenientError, parse_json, parse_noting};
pub(crate) use model::label;
pub use repeated::Repeated;

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest results document that is read, in bytes.
pub const DOCUMENT_CAP: usize = 256 * 1024 * 1024;

/// The shape of a results document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// 0.1.0 to 0.2.2: `model_configs` instead of `config`.
    A,
    /// 0.2.3: `config`, but no `model_name`; `date` has no year.
    B,
    /// 0.2.4 and later.
    C,
    /// A results object with `samples` inside, written by callers of the Python API.
    D,
}

/// Why a document cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResultsError {
    /// Larger than [`DOCUMENT_CAP`].
    #[error("the document has {bytes} bytes, at most {DOCUMENT_CAP} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not JSON, even leniently.
    #[error("the document is not JSON")]
    NotJson(#[from] LenientError),
    /// JSON, but no results document.
    #[error("the document has no object `results`")]
    NoResults,
}

/// A results document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Its shape.
    pub variant: Variant,
    /// What it says about the lmms-eval version; a branch and a description, or nothing.
    pub lmms_eval_version: Option<String>,
    /// The model's name, as well as the document tells it.
    pub model_label: Option<String>,
    /// lmms-eval's model id (`config.model`).
    pub model_backend: Option<String>,
    /// The arguments of the model as one string, secrets blotted out.
    pub model_args: Option<String>,
    /// The arguments of the model, taken apart, secrets blotted out.
    pub model_arg_pairs: Vec<(String, String)>,
    /// `date` as written: `YYYYMMDD_HHMMSS` (zone unknown, usually Asia/Singapore), or
    /// `MMDD_HHMM` in variant B.
    pub date: Option<String>,
    /// `config.limit`.
    pub limit: Option<f64>,
    /// `config.offset`.
    pub offset: Option<u64>,
    /// `config.gen_kwargs`, as it stands.
    pub gen_kwargs: Option<Value>,
    /// `config.batch_size` as text.
    pub batch_size: Option<String>,
    /// Seeds by generator: `random`, `numpy`, `torch`, `fewshot`.
    pub seeds: BTreeMap<String, i64>,
    /// Wall time of the evaluation without imports.
    pub total_seconds: Option<f64>,
    /// Whether the token budget ran out.
    pub budget_exceeded: bool,
    /// One entry for each value found, in the order of the document.
    pub metrics: Vec<Metric>,
    /// Groups and what they hold.
    pub groups: Vec<Group>,
    /// One entry for each leaf task, in the order of the document.
    pub tasks: Vec<TaskSummary>,
    /// What could not be used.
    pub problems: Vec<Problem>,
}

/// A value of one metric of one task or group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The task or group, by its key and not by its alias.
    pub task: String,
    /// The metric; `metric/sub key` when it comes from an object.
    pub name: String,
    /// The filter; `none` when the task defines none.
    pub filter: String,
    /// The value, on the task's own scale; `None` when there is no number.
    pub value: Option<f64>,
    /// `_stderr`, on the value's scale. Never for values from objects.
    pub stderr: Option<f64>,
    /// `_stderr_clt`, on the scale of the samples' scores, which may be another one.
    pub stderr_clt: Option<f64>,
    /// `_stderr_clustered`, on the scale of the samples' scores.
    pub stderr_clustered: Option<f64>,
    /// How many documents were evaluated.
    pub n: Option<u64>,
    /// How many documents the task has.
    pub original_n: Option<u64>,
    /// The direction that the task declares.
    pub higher_is_better: Option<bool>,
    /// Whether this is the aggregate of a group.
    pub is_group: bool,
    /// What stood in the document.
    pub kind: MetricKind,
}

/// What stood in the document as the value of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// A finite number.
    Numeric,
    /// null, `NaN`, an infinity, or the `bypass` of a run without scoring: no score.
    Null,
    /// `[]` or `{}`: declared, but nothing was received.
    Empty,
    /// A number inside an object, which became `metric/sub key`.
    FromObject,
    /// A string, a list with content or a truth value: no score.
    Text,
}

/// A group and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its key.
    pub name: String,
    /// Tasks and groups in it.
    pub members: Vec<String>,
}

/// What the document says about one leaf task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// The task.
    pub name: String,
    /// Its version as text, `None` when unset.
    pub version: Option<String>,
    /// Few-shot examples.
    pub num_fewshot: Option<u32>,
    /// How many documents were evaluated.
    pub n: Option<u64>,
    /// How many documents the task has.
    pub original_n: Option<u64>,
    /// `generate_until`, `multiple_choice`, ...
    pub output_type: Option<String>,
    /// The names of its filters, in the order of the blocks in its samples file.
    pub filters: Vec<String>,
    /// The effective generation settings.
    pub generation_kwargs: Option<Value>,
    /// Where its documents come from.
    pub dataset_path: Option<String>,
    /// The configuration of the dataset.
    pub dataset_name: Option<String>,
    /// The split that was evaluated.
    pub split: Option<String>,
    /// Prompt settings that depend on the model.
    pub prompt_kwargs: Option<Value>,
    /// How often each request was made.
    pub repeats: Option<u32>,
}

/// What could not be used, or should be known before the numbers are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The task that it is about.
    pub task: Option<String>,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.task {
            Some(task) => write!(f, "`{task}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// `limit` is set, or fewer documents were evaluated than there are.
    Limited,
    /// A metric without a number.
    NotNumeric,
    /// A task of which no metric has a number.
    NoScore,
    /// A key or block whose shape is unknown.
    Unexpected,
    /// A secret was blotted out.
    Redacted,
    /// More entries than are read.
    Capped,
    /// The token budget ran out.
    BudgetExceeded,
}

impl Results {
    /// Notes keys that stood twice in the document.
    pub fn note_repeated(&mut self, repeated: &[String]) {
        self.problems.extend(repeated.iter().map(|path| Problem {
            kind: ProblemKind::Unexpected,
            task: None,
            message: format!("the key `{path}` stands more than once: the last one counts"),
        }));
    }

    /// The tasks and groups that have a row.
    #[must_use]
    pub fn rows(&self) -> Vec<&str> {
        let leaves = self.tasks.iter().map(|task| task.name.as_str());
        let groups = self.groups.iter().map(|group| group.name.as_str());
        leaves.chain(groups).collect()
    }

    /// Leaves only the rows of these tasks and groups.
    pub fn keep(&mut self, names: &HashSet<String>) {
        self.metrics.retain(|metric| names.contains(&metric.task));
        self.tasks.retain(|task| names.contains(&task.name));
        self.groups.retain(|group| names.contains(&group.name));
    }

    /// What the document says about a leaf task.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<&TaskSummary> {
        self.tasks.iter().find(|task| task.name == name)
    }

    /// The metric that stands for a task: the first with a number and a direction, else the
    /// first with a number.
    #[must_use]
    pub fn primary_metric(&self, task: &str) -> Option<&Metric> {
        let numeric = || {
            let of_task = move |metric: &&Metric| metric.task == task;
            self.metrics
                .iter()
                .filter(of_task)
                .filter(|metric| metric.value.is_some())
        };
        numeric()
            .find(|metric| metric.higher_is_better.is_some())
            .or_else(|| numeric().next())
    }
}
