//! The index of a run's output.

use crate::LogLineEvent;
use serde::{Deserialize, Serialize};

/// A page of parsed lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// How many lines match.
    pub total: u64,
    /// Pass as `cursor` for the lines after these; null at the end.
    pub next_cursor: Option<String>,
    /// Pass as `before` for the lines before these; null at the beginning.
    pub previous_cursor: Option<String>,
    /// Set when only the raw bytes are kept beyond this many lines.
    pub truncated_at: Option<i64>,
}

/// One parsed line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// Place in the run's sequence.
    pub seq: i64,
    /// The line.
    #[serde(flatten)]
    pub line: LogLineEvent,
}
