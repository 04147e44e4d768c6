//! The document as a whole.

use serde_json::Value;

use super::{Results, ResultsError, Variant, lenient};

/// Which variant a document is; `None` when it is no results document.
#[must_use]
pub fn detect(document: &Value) -> Option<Variant> {
    document.get("results")?.as_object()?;
    let has = |key: &str| document.get(key).is_some();
    Some(if has("model_configs") && !has("config") {
        Variant::A
    } else if has("samples") {
        Variant::D
    } else if has("model_name") || has("model_source") {
        Variant::C
    } else {
        Variant::B
    })
}

/// Reads a results document.
///
/// # Errors
///
/// When the bytes are too many, no JSON, or JSON without an object `results`.
pub fn parse(bytes: &[u8]) -> Result<Results, ResultsError> {
    let document = lenient::parse_json(bytes)?;
    detect(&document).ok_or(ResultsError::NoResults)?;
    Err(ResultsError::NoResults)
}
