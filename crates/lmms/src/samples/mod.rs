//! Reads samples files of any lmms-eval version, line by line.
//!
//! A broken line costs one sample. Which document a sample is about is its `doc_id` (with task
//! and filter); `doc_hash` is a constant and is never read. The filter's name is not in the file:
//! [`FilterCursor`] recovers it from the order of the lines.

mod dump;
mod filters;
mod reader;
mod sample;
mod score;

pub use dump::{SampleList, of_dump, of_old};
pub use filters::FilterCursor;
pub use reader::{BadLine, BadLineReason, LINE_CAP, SampleReader};
pub use sample::{NotASample, parse_line, parse_value};
pub use score::{NoScore, score};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an answer begins with when its request failed for good.
pub const REQUEST_FAILED: &str = "[LMMS_EVAL_REQUEST_FAILED";
/// What an answer begins with when the token budget ran out before it was asked for.
pub const BUDGET_EXCEEDED: &str = "[LMMS_EVAL_BUDGET_EXCEEDED";

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleVariant {
    /// An entry of `logs` in an old `<task>.json`.
    S0,
    /// With the document (0.2.4 to 0.3).
    S1,
    /// Without the document (0.4 to 0.6).
    S2,
    /// With token counts and media (0.7).
    S3,
    /// An entry of `samples` in an API dump.
    Sd,
}

/// One document with the model's answer to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The shape it had.
    pub variant: SampleVariant,
    /// Index of the document in its split, as processed by the task.
    pub doc_id: i64,
    /// The expected answer as text; may be the name of a column instead.
    pub target: Option<String>,
    /// The answer that was scored. Several are joined by a line feed.
    pub filtered: String,
    /// How many answers `filtered` holds.
    pub answers: u32,
    /// The answer as the model gave it, when it differs from `filtered`.
    pub raw: Option<String>,
    /// The prompt.
    pub input: Option<String>,
    /// The document's own fields, where the version keeps them.
    pub doc: Option<Value>,
    /// What the task's scoring returned, by metric.
    pub metrics: Map<String, Value>,
    /// Tokens of all requests of the sample together.
    pub tokens: Option<TokenCounts>,
    /// Paths and addresses of media, as written.
    pub input_media: Vec<String>,
    /// What is wrong with the answer.
    pub flags: SampleFlags,
}

/// Tokens of the requests of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenCounts {
    /// Of the prompt.
    pub input: u64,
    /// Of the answer.
    pub output: u64,
    /// Of the reasoning before the answer.
    pub reasoning: u64,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SampleFlags {
    /// The request failed for good; the answer is lmms-eval's marker.
    pub failed_request: bool,
    /// The token budget ran out before it was asked for.
    pub budget: bool,
    /// There is no answer.
    pub empty: bool,
    /// A text of the sample was cut at [`TEXT_CAP`].
    pub truncated: bool,
    /// A metric says that the answer could not be read.
    pub unparsed: bool,
}

/// How much of each text of a sample is kept, in bytes.
pub const TEXT_CAP: usize = 1024 * 1024;
