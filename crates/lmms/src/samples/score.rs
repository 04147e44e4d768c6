//! The score of a sample.

use serde_json::Value;

use super::Sample;

/// Why a sample has no score under a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoScore {
    /// The sample has no such metric.
    #[error("the sample has no value for this metric")]
    Missing,
    /// The value is null, `NaN` or infinite.
    #[error("the sample's value for this metric is null")]
    Null,
    /// The value is an object that the task's own aggregation reads.
    #[error("the sample's value for this metric is an object without a number `score`")]
    Object,
    /// The value is a text or a list.
    #[error("the sample's value for this metric is not a number")]
    NotANumber,
}

/// The score of a sample under a metric: a number or truth value as it is, of an object its
/// numeric `score`. A metric `name/sub key` that was flattened from an object is looked up under
/// `name`.
///
/// # Errors
///
/// The reason why there is none.
pub fn score(sample: &Sample, metric: &str) -> Result<f64, NoScore> {
    let value = sample
        .metrics
        .get(metric)
        .or_else(|| sample.metrics.get(metric.split_once('/')?.0))
        .ok_or(NoScore::Missing)?;
    match value {
        Value::Null => Err(NoScore::Null),
        Value::Object(fields) => fields.get("score").and_then(number).ok_or(NoScore::Object),
        other => number(other).ok_or(NoScore::NotANumber),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        // NumPy scalars and tensors are written as strings.
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}
