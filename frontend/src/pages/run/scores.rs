//! Committed scores in the order of the run's benchmarks.

use types::{BenchmarkId, MetricView, RunBenchmarkId, RunBenchmarkView, SliceId};

use crate::format::{half_width, interval, real, scored};

/// One score.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The picked row.
    pub run_benchmark_id: RunBenchmarkId,
    /// The leaf task, or the group.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub task: String,
    /// The metric.
    pub metric: String,
    /// The filter, where the task defines one.
    pub filter: Option<String>,
    /// The value.
    pub value: Option<f64>,
    /// Its 95 % interval.
    pub range: Option<(f64, f64)>,
    /// Documents.
    pub n: Option<i64>,
    /// Whether more is better.
    pub up: Option<bool>,
    /// A group's aggregate.
    pub is_group: bool,
    /// Why a slice has no value.
    pub reason: Option<String>,
}

impl Score {
    fn of(metric: &MetricView) -> Self {
        let value = metric.metric_value.filter(|value| value.is_finite());
        Self {
            run_benchmark_id: metric.run_benchmark_id,
            benchmark_id: metric.benchmark_id,
            task: metric.benchmark.clone(),
            metric: metric.metric_name.clone(),
            filter: Some(metric.filter.clone()).filter(|filter| filter != "none"),
            value,
            range: value.and_then(|value| interval(value, metric.stderr, metric.sample_count)),
            n: metric.sample_count,
            up: metric.higher_is_better,
            is_group: metric.is_group,
            reason: metric.reason.clone(),
        }
    }

    /// The value with as many digits as its doubt allows, and the doubt.
    pub fn shown(&self) -> Option<(String, Option<String>)> {
        Some(scored(self.value?, half_width(self.range)))
    }

    /// What the doubt is, in words, with the exact value.
    pub fn title(&self) -> String {
        if let Some(reason) = &self.reason {
            return format!("not available for this slice: {reason}");
        }
        let value = self
            .value
            .map_or_else(|| "no number".to_owned(), |value| value.to_string());
        let n = self
            .n
            .map(|n| format!(", n = {}", crate::format::count(n)))
            .unwrap_or_default();
        match self.range {
            Some((low, high)) => format!("{value}; 95 % interval {} to {}{n}", real(low, 4), real(high, 4)),
            None => format!("{value}; lmms-eval gives no standard error{n}"),
        }
    }

    /// The arrow of the direction.
    pub fn arrow(&self) -> &'static str {
        match self.up {
            Some(true) => "↑",
            Some(false) => "↓",
            None => "",
        }
    }

    /// The direction in words.
    pub fn direction(&self) -> &'static str {
        match self.up {
            Some(true) => "higher is better",
            Some(false) => "lower is better",
            None => "the task gives no direction",
        }
    }
}

/// The scores of each benchmark over all samples or those of a slice, in the order of the run.
pub fn by_benchmark<'a>(
    benchmarks: &[RunBenchmarkView],
    metrics: impl Iterator<Item = &'a MetricView>,
    slice: Option<SliceId>,
) -> Vec<(RunBenchmarkView, Vec<Score>)> {
    let mut rows: Vec<(RunBenchmarkView, Vec<Score>)> =
        benchmarks.iter().map(|row| (row.clone(), Vec::new())).collect();
    for metric in metrics.filter(|metric| metric.slice_id == slice) {
        if let Some((_, scores)) = rows.iter_mut().find(|(row, _)| row.id == metric.run_benchmark_id) {
            scores.push(Score::of(metric));
        }
    }
    for (row, scores) in &mut rows {
        scores.sort_by(|a, b| rank(row, a).cmp(&rank(row, b)));
    }
    rows
}

/// The benchmark's own rows first, those of a group first among them; then by name.
fn rank<'a>(row: &RunBenchmarkView, score: &'a Score) -> (bool, bool, &'a str, &'a str, Option<&'a str>) {
    (
        score.task != row.name,
        !score.is_group,
        &score.task,
        &score.metric,
        score.filter.as_deref(),
    )
}

/// The score that stands for a benchmark: a number, of the benchmark itself rather than of a member, with a direction,
/// with a doubt, as far as there is one.
pub fn primary(row: &RunBenchmarkView, scores: &[Score]) -> Option<Score> {
    let worth = |score: &&Score| {
        (
            score.value.is_some(),
            score.task == row.name,
            score.up.is_some(),
            score.range.is_some(),
        )
    };
    // Of equals the first: `max_by_key` takes the last.
    scores.iter().rev().max_by_key(worth).cloned()
}

/// The common scale of a column of scores: the range of 0 to 1 or 0 to 100 that holds them, none for others.
pub fn scale(scores: &[Score]) -> Option<(f64, f64)> {
    let values: Vec<f64> = scores.iter().filter_map(|score| score.value).collect();
    let all = |low: f64, high: f64| values.iter().all(|value| (low..=high).contains(value));
    match values.is_empty() {
        false if all(0.0, 1.0) => Some((0.0, 1.0)),
        false if all(0.0, 100.0) && values.iter().all(|value| *value > 1.0 || *value == 0.0) => {
            Some((0.0, 100.0))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::run::facts::tests::benchmark;
    use serde_json::json;

    fn metric(
        row: &RunBenchmarkView,
        task: &str,
        name: &str,
        value: Option<f64>,
        more: serde_json::Value,
    ) -> MetricView {
        let mut metric = json!({
            "benchmark_id": uuid::Uuid::nil(), "benchmark": task, "run_benchmark_id": row.id, "metric_name": name,
            "filter": "none", "metric_value": value, "stderr": null, "sample_count": 10, "higher_is_better": true,
            "slice_id": null, "is_group": false, "updated_at": "2026-11-20T13:00:00Z"
        });
        if let (Some(metric), Some(more)) = (metric.as_object_mut(), more.as_object()) {
            metric.extend(more.clone());
        }
        serde_json::from_value(metric).unwrap()
    }

    #[test]
    fn the_groups_own_score_stands_for_it() {
        let row = benchmark(1, "mmmu", "completed");
        let metrics = [
            metric(&row, "art", "acc", Some(0.5), json!({})),
            metric(&row, "mmmu", "submission", None, json!({})),
            metric(
                &row,
                "mmmu",
                "acc",
                Some(0.25),
                json!({"is_group": true, "filter": "strict", "stderr": 0.01}),
            ),
            metric(
                &row,
                "mmmu",
                "acc",
                Some(0.9),
                json!({"slice_id": uuid::Uuid::nil()}),
            ),
        ];
        let rows = by_benchmark(std::slice::from_ref(&row), metrics.iter(), None);
        let tasks: Vec<_> = rows[0]
            .1
            .iter()
            .map(|score| (score.task.as_str(), score.metric.as_str()))
            .collect();
        assert_eq!(tasks, [("mmmu", "acc"), ("mmmu", "submission"), ("art", "acc")]);
        let first = primary(&row, &rows[0].1).unwrap();
        assert_eq!(
            (first.value, first.filter.as_deref()),
            (Some(0.25), Some("strict"))
        );
        assert!(
            first
                .title()
                .starts_with("0.25; 95 % interval 0.2274 to 0.2726, n = 10"),
            "{}",
            first.title()
        );
        assert_eq!(scale(&rows[0].1), Some((0.0, 1.0)));
        let sliced = by_benchmark(
            std::slice::from_ref(&row),
            metrics.iter(),
            Some(uuid::Uuid::nil().into()),
        );
        let values: Vec<_> = sliced[0].1.iter().map(|score| score.value).collect();
        assert_eq!(values, [Some(0.9)]);
    }

    #[test]
    fn a_score_with_a_doubt_stands_before_one_without() {
        let row = benchmark(1, "chartqa", "completed");
        let metrics = [
            metric(&row, "chartqa", "augmented", Some(0.9), json!({})),
            metric(&row, "chartqa", "overall", Some(0.8), json!({"stderr": 0.01})),
        ];
        let rows = by_benchmark(std::slice::from_ref(&row), metrics.iter(), None);
        assert_eq!(primary(&row, &rows[0].1).unwrap().metric, "overall");
        assert_eq!(primary(&row, &rows[0].1[..1]).unwrap().metric, "augmented");
    }

    #[test]
    fn a_benchmark_without_scores_has_none() {
        let row = benchmark(1, "a", "running");
        assert_eq!(primary(&row, &[]), None);
        assert_eq!(scale(&[]), None);
        let rows = by_benchmark(
            std::slice::from_ref(&row),
            [metric(&row, "a", "m", Some(400.0), json!({}))].iter(),
            None,
        );
        assert_eq!(scale(&rows[0].1), None);
    }
}
