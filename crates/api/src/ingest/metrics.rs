//! From a results document to rows of scores: no I/O.

use super::samples::Scores;
use crate::db::metrics::NewMetric;
use crate::slicing::mean_scale;
use lmms::results::{Metric, Results};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use types::MetricUpdate;
use uuid::Uuid;

/// Whose scores they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) organization: Uuid,
    pub(super) run: Uuid,
    pub(super) pick: Uuid,
}

/// Scores of the primary metric, by task and filter.
pub(super) type ScoresByTask = HashMap<String, BTreeMap<String, Scores>>;

/// The rows of a document's scores. A name that occurs twice counts once.
pub(super) fn rows(
    owner: Owner,
    results: &Results,
    ids: &HashMap<String, Uuid>,
    scores: &ScoresByTask,
) -> Vec<NewMetric> {
    let mut seen = std::collections::HashSet::new();
    results
        .metrics
        .iter()
        .filter(|m| seen.insert((&m.task, &m.name, &m.filter)))
        .filter_map(|m| {
            Some(NewMetric {
                id: Uuid::now_v7(),
                organization_id: owner.organization,
                run_id: owner.run,
                run_benchmark_id: owner.pick,
                benchmark_id: *ids.get(&m.task)?,
                metric_name: m.name.replace('\0', "\u{FFFD}"),
                filter: m.filter.replace('\0', "\u{FFFD}"),
                metric_value: m.value,
                stderr: m.stderr.or_else(|| own_stderr(results, m, scores)),
                higher_is_better: m.higher_is_better,
                sample_count: m.n.and_then(|n| i64::try_from(n).ok()),
                is_group: m.is_group,
                conditions: conditions(results, m),
                slice_id: None,
                of_samples: is_of_samples(results, m),
                reason: None,
            })
        })
        .collect()
}

/// What makes a score one of its own kind: a part of the documents, few-shot examples, the task's version.
fn conditions(results: &Results, metric: &Metric) -> Value {
    let mut found = serde_json::Map::new();
    let part = metric.n.zip(metric.original_n).is_some_and(|(n, all)| n < all);
    if let Some(limit) = results.limit {
        found.insert("limit".to_owned(), json!(limit));
    } else if part && !metric.is_group {
        found.insert("limit".to_owned(), json!(metric.n));
    }
    if let Some(task) = results.task(&metric.task) {
        if let Some(shots) = task.num_fewshot {
            found.insert("num_fewshot".to_owned(), json!(shots));
        }
        if let Some(version) = &task.version {
            found.insert("version".to_owned(), json!(version.replace('\0', "\u{FFFD}")));
        }
    }
    Value::Object(found)
}

/// Whether the samples' scores are the values of this metric, one by one.
fn is_of_samples(results: &Results, metric: &Metric) -> bool {
    let primary = results.primary_metric(&metric.task);
    !metric.is_group && primary.is_some_and(|primary| primary.name == metric.name)
}

/// lmms-eval gives no error for own aggregations, and its `_stderr_clt` is on the scale of the
/// samples. Where the value is the samples' mean, or a hundred times it, the error is known.
fn own_stderr(results: &Results, metric: &Metric, scores: &ScoresByTask) -> Option<f64> {
    if !is_of_samples(results, metric) {
        return None;
    }
    let value = metric.value?;
    let scores = scores.get(&metric.task)?.get(&metric.filter)?;
    let scale = mean_scale(scores.mean, value)?;
    // Zero fits every scale: then the spread says nothing about the metric's.
    (value != 0.0).then_some(scale * scores.stderr()?)
}

/// What is told of a committed score.
pub(super) fn update(row: &NewMetric, benchmark: &str) -> MetricUpdate {
    MetricUpdate {
        benchmark_id: row.benchmark_id.into(),
        benchmark: benchmark.to_owned(),
        run_benchmark_id: row.run_benchmark_id.into(),
        metric_name: row.metric_name.clone(),
        filter: row.filter.clone(),
        metric_value: row.metric_value,
        stderr: row.stderr,
        sample_count: row.sample_count,
        higher_is_better: row.higher_is_better,
    }
}
