//! The document as a whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::metrics::Rows;
use super::{DOCUMENT_CAP, configs, lenient, model};
use super::{Group, Problem, ProblemKind, Results, ResultsError, Variant};

/// How many entries of `results` are read.
const ROW_CAP: usize = 20_000;

static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

/// Keys of which every document that lmms-eval writes has some: other programs call what they
/// write `results`, too.
const MARKS: [&str; 8] = [
    "config",
    "configs",
    "model_configs",
    "model_name",
    "model_source",
    "n-shot",
    "samples",
    "versions",
];

/// Whether this is the row of a task: its metrics name their filter.
fn is_row(row: &Value) -> bool {
    let is_own = |key: &String| key == "alias" || key.contains(',');
    row.as_object().is_some_and(|row| row.keys().any(is_own))
}

/// Which variant a document is; `None` when it is no results document.
#[must_use]
pub fn detect(document: &Value) -> Option<Variant> {
    let rows = document.get("results")?.as_object()?;
    let has = |key: &str| document.get(key).is_some();
    if !MARKS.iter().any(|key| has(key)) && !rows.values().any(is_row) {
        return None;
    }
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
    if bytes.len() > DOCUMENT_CAP {
        return Err(ResultsError::TooLarge { bytes: bytes.len() });
    }
    let (document, repeated) = lenient::parse_noting(bytes)?;
    let mut results = from_value(&document)?;
    results.note_repeated(&repeated);
    Ok(results)
}

/// Reads a results document that is JSON already.
///
/// # Errors
///
/// When it has no object `results`.
pub fn from_value(document: &Value) -> Result<Results, ResultsError> {
    let variant = detect(document).ok_or(ResultsError::NoResults)?;
    let mut problems = Vec::new();
    let rows = Rows::read(document, ROW_CAP, &mut problems);
    let model = model::read(document, &mut problems);
    let config = section(document, "config");
    let limit = config.get("limit").and_then(Value::as_f64);
    let budget_exceeded = section(document, "usage").get("budget_exceeded") == Some(&Value::Bool(true));
    let mut results = Results {
        variant,
        lmms_eval_version: text(document.get("lmms_eval_version")).filter(|v| !v.starts_with("unknown")),
        model_label: model.label,
        model_backend: model.backend,
        model_args: model.args,
        model_arg_pairs: model.pairs,
        date: text(document.get("date")),
        limit,
        offset: config.get("offset").and_then(Value::as_u64),
        gen_kwargs: config.get("gen_kwargs").filter(|value| is_given(value)).cloned(),
        batch_size: config.get("batch_size").and_then(plain_text),
        seeds: seeds(config),
        total_seconds: document.get("total_evaluation_time_seconds").and_then(number),
        budget_exceeded,
        metrics: rows.metrics,
        tasks: configs::tasks(document, &rows.leaves),
        groups: groups(document, &rows.groups),
        problems,
    };
    note_limits(&mut results);
    Ok(results)
}

/// A part of the document that should be an object.
pub(super) fn section<'a>(document: &'a Value, key: &str) -> &'a Map<String, Value> {
    document.get(key).and_then(Value::as_object).unwrap_or(&EMPTY)
}

/// A string with content.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    value?
        .as_str()
        .filter(|text| !text.trim().is_empty())
        .map(str::to_owned)
}

/// A number, also one that was written as a string; never `NaN` or infinite.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A string or number as text.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a setting says anything: not null, `""`, `{}` or `[]`.
pub(super) fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Array(array) => !array.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn seeds(config: &Map<String, Value>) -> BTreeMap<String, i64> {
    let seed = |name: &str| {
        let value = config.get(&format!("{name}_seed"))?.as_i64()?;
        Some((name.to_owned(), value))
    };
    ["random", "numpy", "torch", "fewshot"]
        .into_iter()
        .filter_map(seed)
        .collect()
}

/// Groups are the rows that `group_subtasks` gives members to, and the empty rows.
fn groups(document: &Value, names: &[String]) -> Vec<Group> {
    let subtasks = section(document, "group_subtasks");
    let members = |name: &String| match subtasks.get(name) {
        Some(Value::Array(members)) => members
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    names
        .iter()
        .map(|name| Group {
            name: name.clone(),
            members: members(name),
        })
        .collect()
}

fn note_limits(results: &mut Results) {
    if results.budget_exceeded {
        results.problems.push(Problem {
            kind: ProblemKind::BudgetExceeded,
            task: None,
            message: "the token budget ran out; what was not asked is scored as wrong".to_owned(),
        });
    }
    if let Some(limit) = results.limit.filter(|&limit| limit != -1.0) {
        results.problems.push(Problem {
            kind: ProblemKind::Limited,
            task: None,
            message: format!("`limit` is {limit}: the scores are not those of the whole benchmark"),
        });
    }
    for task in &results.tasks {
        if let (Some(n), Some(original)) = (task.n, task.original_n)
            && n < original
        {
            results.problems.push(Problem {
                kind: ProblemKind::Limited,
                task: Some(task.name.clone()),
                message: format!("{n} of {original} documents were evaluated"),
            });
        }
    }
}
