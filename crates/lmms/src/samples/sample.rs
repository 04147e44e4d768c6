//! One sample from one JSON value.

use serde_json::{Map, Value};

use super::{
    BUDGET_EXCEEDED, BadLineReason, REQUEST_FAILED, Sample, SampleFlags, SampleVariant, TEXT_CAP, TokenCounts,
};
use crate::results::parse_json;

/// Keys that are no metrics.
const FIXED: [&str; 14] = [
    "doc_id",
    "doc",
    "target",
    "arguments",
    "resps",
    "filtered_resps",
    "doc_hash",
    "prompt_hash",
    "target_hash",
    "input",
    "token_counts",
    "input_media",
    "filter_key",
    "success",
];

/// Fields of a metric's object that hold the answer as the task understood it.
const PARSED: [&str; 5] = [
    "parsed_pred",
    "pred_answer",
    "parsed_answer",
    "pred",
    "prediction",
];

/// What a regex filter returns when nothing fits.
const INVALID: &str = "[invalid]";

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
pub fn parse_line(line: &[u8]) -> Result<Sample, BadLineReason> {
    let value = parse_json(line).map_err(|error| BadLineReason::NotJson(error.reason))?;
    parse_value(value, None).map_err(|error| BadLineReason::NotASample(error.to_string()))
}

/// Reads a sample from a JSON value. `variant` is given where the place decides it (`logs` of an
/// old file, `samples` of an API dump); otherwise the keys tell.
///
/// # Errors
///
/// When it is not an object with a `doc_id`.
pub fn parse_value(value: Value, variant: Option<SampleVariant>) -> Result<Sample, NotASample> {
    let Value::Object(mut fields) = value else {
        return Err(NotASample::NotAnObject);
    };
    let doc_id = fields.get("doc_id").and_then(doc_id).ok_or(NotASample::NoDocId)?;
    let variant = variant.unwrap_or_else(|| detect(&fields));
    let mut texts = Texts::default();
    let answers = answers(fields.get("filtered_resps").unwrap_or(&Value::Null));
    let raw = fields
        .get("resps")
        .map(self::answers)
        .filter(|raw| *raw != answers);
    let filtered = texts.join(&answers);
    let mut sample = Sample {
        variant,
        doc_id,
        target: texts.value(fields.get("target")),
        answers: u32::try_from(answers.len()).unwrap_or(u32::MAX),
        raw: raw.map(|raw| texts.join(&raw)),
        input: texts.value(fields.get("input")),
        tokens: fields.get("token_counts").and_then(tokens),
        input_media: media(fields.get("input_media")),
        doc: fields.shift_remove("doc").filter(|doc| !doc.is_null()),
        metrics: metrics(fields),
        filtered,
        flags: SampleFlags::default(),
    };
    sample.flags = flags(&sample, &answers, texts.truncated);
    Ok(sample)
}

fn detect(fields: &Map<String, Value>) -> SampleVariant {
    if fields.contains_key("doc") {
        SampleVariant::S1
    } else if fields.contains_key("token_counts")
        || fields.get("filtered_resps").is_some_and(Value::is_string)
    {
        SampleVariant::S3
    } else {
        SampleVariant::S2
    }
}

/// A whole number, also written as `12.0` or `"12"`.
fn doc_id(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Beyond 2^53 a float names no document.
            (float.fract() == 0.0 && float.abs() <= 9e15).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The answers of a sample. One request gives a string or a list of one; several requests
/// (multiple choice, repeats) a list, perhaps of lists.
fn answers(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(inner_answers).collect(),
        other => vec![other.to_string()],
    }
}

/// `[["text"]]` is requests by repeats; `[[-3.2, false]]` is a log-likelihood and stays together.
fn inner_answers(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Null => vec![String::new()],
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        other => vec![other.to_string()],
    }
}

/// Makes texts, each at most [`TEXT_CAP`] long.
#[derive(Default)]
struct Texts {
    truncated: bool,
}

impl Texts {
    fn cap(&mut self, mut text: String) -> String {
        if text.len() > TEXT_CAP {
            text.truncate(text.floor_char_boundary(TEXT_CAP));
            self.truncated = true;
        }
        text
    }

    fn join(&mut self, answers: &[String]) -> String {
        self.cap(answers.join("\n"))
    }

    fn value(&mut self, value: Option<&Value>) -> Option<String> {
        match value? {
            Value::Null => None,
            Value::String(text) => Some(self.cap(text.clone())),
            other => Some(self.cap(other.to_string())),
        }
    }
}

fn tokens(value: &Value) -> Option<TokenCounts> {
    let counts: Vec<_> = value.as_array()?.iter().filter_map(Value::as_object).collect();
    let sum = |key: &str| -> u64 {
        let count = |request: &&Map<String, Value>| request.get(key).and_then(Value::as_u64);
        counts.iter().filter_map(count).fold(0, u64::saturating_add)
    };
    counts
        .iter()
        .any(|request| !request.is_empty())
        .then(|| TokenCounts {
            input: sum("input_tokens"),
            output: sum("output_tokens"),
            reasoning: sum("reasoning_tokens"),
        })
}

fn media(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array);
    let text = |item: &Value| item.as_str().map(str::to_owned);
    list.map(|list| list.iter().filter_map(text).collect())
        .unwrap_or_default()
}

fn metrics(fields: Map<String, Value>) -> Map<String, Value> {
    fields
        .into_iter()
        .filter(|(key, _)| !FIXED.contains(&key.as_str()))
        .collect()
}

fn flags(sample: &Sample, answers: &[String], truncated: bool) -> SampleFlags {
    let marked = |marker: &str| answers.iter().any(|answer| answer.starts_with(marker));
    let empty = answers.iter().all(|answer| answer.trim().is_empty());
    let invalid = !answers.is_empty() && answers.iter().all(|answer| answer == INVALID);
    SampleFlags {
        failed_request: marked(REQUEST_FAILED),
        budget: marked(BUDGET_EXCEEDED),
        empty,
        truncated,
        unparsed: !empty && (invalid || sample.metrics.values().any(is_unparsed)),
    }
}

/// Whether a metric's object says that the task found no answer in the text.
fn is_unparsed(metric: &Value) -> bool {
    let blank = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    let parsed = PARSED.iter().find_map(|key| metric.as_object()?.get(*key));
    parsed.is_some_and(blank)
}
