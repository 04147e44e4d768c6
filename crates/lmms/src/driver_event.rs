//! The lines that the driver appends to `events.jsonl`.
//!
//! A driver of another version may say more: unknown kinds and fields are kept, never an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriverEvent {
    /// Seconds since the driver started.
    #[serde(default)]
    pub t: f64,
    /// What happened.
    #[serde(flatten)]
    pub kind: DriverEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DriverEventKind {
    /// The first event: where and with what it runs.
    Environment(Environment),
    /// lmms-eval is imported.
    Imported {
        /// How long it took.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
        /// Versions by package (`lmms_eval`, `torch`, `transformers`, ...).
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        versions: BTreeMap<String, String>,
    },
    /// The model is loaded.
    ModelLoaded {
        /// How long it took.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
    },
    /// A benchmark starts.
    BenchmarkStarted(BenchmarkStarted),
    /// A benchmark ended, well or not.
    BenchmarkFinished(BenchmarkFinished),
    /// This lmms-eval is not as the driver expects: use one plain process per benchmark.
    HookMissing {
        /// The name that was not found.
        #[serde(default)]
        name: String,
    },
    /// The last event.
    Finished {
        /// How long the driver ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
        /// Whether it ended early because its process was spoilt.
        #[serde(default)]
        poisoned: bool,
    },
    /// A kind that this version does not know, with all its fields.
    #[serde(untagged)]
    Unknown(serde_json::Map<String, Value>),
}

/// Where and with what the driver runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// Name of the machine.
    pub host: Option<String>,
    /// Versions by package, and `python`.
    pub versions: BTreeMap<String, String>,
    /// Names of the GPUs that the process sees.
    pub gpus: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

/// A benchmark starts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkStarted {
    /// Its place in the run.
    pub order: u32,
    /// Its name.
    pub name: String,
    /// The CLI's own arguments.
    pub argv: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

/// A benchmark ended, well or not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkFinished {
    /// Its place in the run.
    pub order: u32,
    /// Its name.
    pub name: String,
    /// How long it took.
    pub seconds: Option<f64>,
    /// The exception that the CLI swallowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
    /// The code or text of a `SystemExit`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_of_any")]
    pub exit: Option<String>,
    /// Whether the error spoils the process for the next benchmark.
    pub poisoned: bool,
    /// Everything else, e.g. fingerprints of the datasets.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

/// Python's exit code is a number, a text or None.
fn text_of_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

/// A line of `events.jsonl` that is no event.
#[derive(Debug, thiserror::Error)]
#[error("a line of the driver's events is not a JSON object")]
pub struct BadEvent(#[from] serde_json::Error);

impl DriverEvent {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// When the line is not a JSON object, e.g. because the process died while it wrote.
    pub fn parse(line: &str) -> Result<Self, BadEvent> {
        Ok(serde_json::from_str(line.trim())?)
    }
}
