//! The rows of `results`: one value for each metric and filter.

use serde_json::{Map, Value};

use super::document::{number, section};
use super::{Metric, MetricKind, Problem, ProblemKind};

/// How many values one object may flatten into, and how many one row may hold.
const FLATTEN_CAP: usize = 2_000;
/// How deep objects inside objects are followed.
const DEPTH_CAP: usize = 8;
/// What stands behind the metric's name for its errors, the longest first.
const ERRORS: [&str; 3] = ["_stderr_clustered", "_stderr_clt", "_stderr"];

/// All rows, taken apart.
pub(super) struct Rows {
    pub(super) metrics: Vec<Metric>,
    pub(super) leaves: Vec<String>,
    pub(super) groups: Vec<String>,
}

impl Rows {
    /// Reads the rows in the document's order.
    pub(super) fn read(document: &Value, cap: usize, problems: &mut Vec<Problem>) -> Self {
        let mut rows = Self {
            metrics: Vec::new(),
            leaves: Vec::new(),
            groups: Vec::new(),
        };
        let results = section(document, "results");
        for (name, row) in results.iter().take(cap) {
            let Some(row) = row.as_object() else {
                problems.push(unexpected(name, "the row is not an object"));
                continue;
            };
            let is_group = is_group(document, name, row);
            let place = Place::new(document, name, is_group);
            let metrics = read_row(&place, row, problems);
            note_scores(name, is_group, &metrics, problems);
            rows.metrics.extend(metrics);
            if is_group {
                &mut rows.groups
            } else {
                &mut rows.leaves
            }
            .push(name.clone());
        }
        if results.len() > cap {
            problems.push(Problem {
                kind: ProblemKind::Capped,
                task: None,
                message: format!("{} rows, only {cap} are read", results.len()),
            });
        }
        rows
    }
}

/// A group has members, or a row without a single metric (its key is one space).
fn is_group(document: &Value, name: &str, row: &Map<String, Value>) -> bool {
    let members = section(document, "group_subtasks")
        .get(name)
        .and_then(Value::as_array);
    if members.is_some_and(|members| !members.is_empty()) {
        return true;
    }
    let in_configs = section(document, "configs").contains_key(name);
    let in_groups = section(document, "groups").contains_key(name);
    !in_configs && (in_groups || row.contains_key(" "))
}

/// What all metrics of a row share.
struct Place<'a> {
    task: &'a str,
    is_group: bool,
    n: Option<u64>,
    original_n: Option<u64>,
    directions: Option<&'a Map<String, Value>>,
}

impl<'a> Place<'a> {
    fn new(document: &'a Value, task: &'a str, is_group: bool) -> Self {
        let counts = section(document, "n-samples").get(task);
        let count = |key: &str| counts.and_then(|counts| counts.get(key)).and_then(count_of);
        Self {
            task,
            is_group,
            n: count("effective"),
            original_n: count("original"),
            directions: section(document, "higher_is_better")
                .get(task)
                .and_then(Value::as_object),
        }
    }

    fn metric(&self, name: String, filter: &str, kind: MetricKind, value: Option<f64>) -> Metric {
        let declared = name.split('/').next().unwrap_or(&name);
        let higher_is_better = self
            .directions
            .and_then(|directions| directions.get(&name).or_else(|| directions.get(declared)))
            .and_then(Value::as_bool);
        Metric {
            task: self.task.to_owned(),
            name,
            filter: filter.to_owned(),
            value,
            stderr: None,
            stderr_clt: None,
            stderr_clustered: None,
            n: self.n,
            original_n: self.original_n,
            higher_is_better,
            is_group: self.is_group,
            kind,
        }
    }
}

/// A whole number, also as a float or string.
pub(super) fn count_of(value: &Value) -> Option<u64> {
    let count = number(value)?;
    // Counts beyond 2^53 are no counts of documents.
    ((0.0..=9e15).contains(&count) && count.fract() == 0.0).then_some(count as u64)
}

fn read_row(place: &Place<'_>, row: &Map<String, Value>, problems: &mut Vec<Problem>) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (key, value) in row {
        let Some((name, filter)) = value_key(row, key) else {
            continue;
        };
        let first = metrics.len();
        let dropped = push_value(place, name, filter, value, &mut metrics);
        if dropped > 0 {
            problems.push(Problem {
                kind: ProblemKind::NotNumeric,
                task: Some(place.task.to_owned()),
                message: format!("{dropped} values in the object `{name},{filter}` are no numbers: left out"),
            });
        }
        if metrics.len() >= FLATTEN_CAP {
            metrics.truncate(FLATTEN_CAP);
            problems.push(Problem {
                kind: ProblemKind::Capped,
                task: Some(place.task.to_owned()),
                message: format!("more than {FLATTEN_CAP} values, the rest is not read"),
            });
            break;
        }
        if let [metric] = &mut metrics[first..]
            && metric.kind != MetricKind::FromObject
        {
            add_errors(metric, row);
        }
    }
    metrics
}

/// The metric and filter of a key; `None` when it is an alias or the error of another metric.
///
/// `f1_stderr,none` is an error only beside `f1,none`: a metric may be called so itself.
fn value_key<'a>(row: &Map<String, Value>, key: &'a str) -> Option<(&'a str, &'a str)> {
    if matches!(key, "alias" | " " | "") {
        return None;
    }
    let Some((name, filter)) = key.rsplit_once(',') else {
        // `--baseline` adds keys without a filter, which belong to no metric of the task.
        let ours = key.starts_with("paired_") || key == "samples";
        return (!ours).then_some((key, "none"));
    };
    let is_error = ERRORS.iter().any(|suffix| {
        let base = name.strip_suffix(suffix);
        base.is_some_and(|base| row.contains_key(&format!("{base},{filter}")))
    });
    (!is_error).then_some((name, filter))
}

/// Pushes what a value holds; returns how much of an object beside its numbers was left out.
fn push_value(
    place: &Place<'_>,
    name: &str,
    filter: &str,
    value: &Value,
    metrics: &mut Vec<Metric>,
) -> usize {
    let plain = |kind, value| place.metric(name.to_owned(), filter, kind, value);
    let metric = match value {
        // The 999 of `--predict_only` stands for "not scored".
        _ if name == "bypass" => plain(MetricKind::Null, None),
        Value::Number(_) => match number(value) {
            Some(number) => plain(MetricKind::Numeric, Some(number)),
            None => plain(MetricKind::Null, None),
        },
        Value::Null => plain(MetricKind::Null, None),
        Value::Array(list) if list.is_empty() => plain(MetricKind::Empty, None),
        Value::Object(object) if object.is_empty() => plain(MetricKind::Empty, None),
        Value::Object(object) => {
            let before = metrics.len();
            let dropped = flatten(place, name, filter, object, 0, metrics);
            if metrics.len() > before {
                return dropped;
            }
            plain(MetricKind::Text, None)
        }
        // NumPy scalars and tensors are written as strings.
        Value::String(_) => match number(value) {
            Some(number) => plain(MetricKind::Numeric, Some(number)),
            None => plain(MetricKind::Text, None),
        },
        Value::Array(_) | Value::Bool(_) => plain(MetricKind::Text, None),
    };
    metrics.push(metric);
    0
}

/// The numbers of an object as `metric/sub key`; returns how many values of it are no numbers.
fn flatten(
    place: &Place<'_>,
    prefix: &str,
    filter: &str,
    object: &Map<String, Value>,
    depth: usize,
    metrics: &mut Vec<Metric>,
) -> usize {
    let mut dropped = 0;
    for (key, value) in object {
        if metrics.len() >= FLATTEN_CAP || depth >= DEPTH_CAP {
            return dropped;
        }
        let name = format!("{prefix}/{key}");
        if let Value::Object(inner) = value {
            dropped += flatten(place, &name, filter, inner, depth + 1, metrics);
        } else if let Some(number) = number(value) {
            metrics.push(place.metric(name, filter, MetricKind::FromObject, Some(number)));
        } else {
            dropped += 1;
        }
    }
    dropped
}

fn add_errors(metric: &mut Metric, row: &Map<String, Value>) {
    let error = |suffix: &str| {
        let key = format!("{}{suffix},{}", metric.name, metric.filter);
        row.get(&key).and_then(number).filter(|error| *error >= 0.0)
    };
    let [clustered, clt, stderr] = ERRORS.map(error);
    metric.stderr = stderr;
    metric.stderr_clt = clt;
    metric.stderr_clustered = clustered;
}

fn note_scores(task: &str, is_group: bool, metrics: &[Metric], problems: &mut Vec<Problem>) {
    for metric in metrics.iter().filter(|metric| metric.value.is_none()) {
        let what = match metric.kind {
            MetricKind::Null => "null",
            MetricKind::Empty => "empty",
            _ => "not a number",
        };
        problems.push(Problem {
            kind: ProblemKind::NotNumeric,
            task: Some(task.to_owned()),
            message: format!("`{},{}` is {what}: no score", metric.name, metric.filter),
        });
    }
    if !is_group && metrics.iter().all(|metric| metric.value.is_none()) {
        problems.push(Problem {
            kind: ProblemKind::NoScore,
            task: Some(task.to_owned()),
            message: "no metric of this task is a number".to_owned(),
        });
    }
}

fn unexpected(task: &str, message: &str) -> Problem {
    Problem {
        kind: ProblemKind::Unexpected,
        task: Some(task.to_owned()),
        message: message.to_owned(),
    }
}
