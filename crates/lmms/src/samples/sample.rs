//! One line.

use serde_json::Value;

use super::Sample;

/// Why a JSON value is no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASample {
    /// Not an object.
    #[error("not an object")]
    NotAnObject,
    /// Without a whole number `doc_id`.
    #[error("without a whole number `doc_id`")]
    NoDocId,
}

/// Reads one line of a samples file.
///
/// # Errors
///
/// When the line is not JSON, or not a sample; the message says which.
pub fn parse_line(line: &[u8]) -> Result<Sample, super::BadLineReason> {
    let value =
        crate::results::parse_json(line).map_err(|error| super::BadLineReason::NotJson(error.reason))?;
    parse_value(value).map_err(|error| super::BadLineReason::NotASample(error.to_string()))
}

/// Reads a sample from a JSON value.
///
/// # Errors
///
/// When it is not an object with a `doc_id`.
pub fn parse_value(value: Value) -> Result<Sample, NotASample> {
    let Value::Object(_) = value else {
        return Err(NotASample::NotAnObject);
    };
    Err(NotASample::NoDocId)
}
