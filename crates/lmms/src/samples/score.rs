//! The score of a sample.

use serde_json::{Map, Value};

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
    #[error(
        "the sample's value for this metric is an object without a number `score`, and whether it is right takes more than a comparison"
    )]
    Object,
    /// The value is a text or a list.
    #[error("the sample's value for this metric is not a number")]
    NotANumber,
}

/// Fields of a metric's object that are the score.
const OWN: [&str; 2] = ["score", "accuracy"];

/// The score of a sample under a metric: a number or truth value as it is, of an object its
/// numeric `score` or `accuracy`, of one for the task's aggregation whether the choice is right. A
/// metric `name/sub key` that was flattened from an object is looked up under `name`.
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
        Value::Object(fields) => match OWN.iter().find_map(|key| fields.get(*key)) {
            Some(score) => number(score),
            None => derived(fields),
        }
        .ok_or(NoScore::Object),
        other => number(other).ok_or(NoScore::NotANumber),
    }
}

/// Where an aggregation compares letters of choices, so does this: right is 1, wrong is 0. Of
/// several answers (MMMU with repeats) one that is right is enough. Open questions are judged by
/// more than equality.
fn derived(fields: &Map<String, Value>) -> Option<f64> {
    let is_choice = fields
        .get("question_type")
        .is_none_or(|kind| kind == "multiple-choice");
    let said = ["pred_answer", "parsed_pred"]
        .iter()
        .find_map(|key| texts(fields.get(*key)?))
        .filter(|_| is_choice)?;
    let is_right = |answer: &Value| answer.as_str().map(|answer| said.contains(&answer.trim()));
    let right = match fields.get("answer")? {
        Value::Array(answers) => answers
            .iter()
            .map(is_right)
            .collect::<Option<Vec<_>>>()?
            .contains(&true),
        answer => is_right(answer)?,
    };
    let is_letter = fields
        .get("answer")
        .and_then(Value::as_str)
        .is_none_or(|answer| answer.trim().len() == 1);
    is_letter.then_some(f64::from(u8::from(right)))
}

/// A text, or a list of nothing else.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Array(list) => list.iter().map(|item| item.as_str().map(str::trim)).collect(),
        other => Some(vec![other.as_str()?.trim()]),
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
