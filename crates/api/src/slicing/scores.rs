//! The scores of slices in one or more picks.

use crate::db::metrics::NewMetric;
use crate::db::slices::scores::{Committed, Members};
use analysis::mean::mean_ci;
use uuid::Uuid;

/// Level of the intervals.
const LEVEL: f64 = 0.95;
/// How near a mean has to be to the committed score, on the scale of the samples.
const NEAR: f64 = 1e-6;
/// Why there is no score where several metrics could be meant.
pub const NOT_KNOWN: &str = "which of the task's metrics the samples' scores belong to is not known";

/// The factor by which the mean of samples is the committed score: 1, or 100 where that is in percent.
pub fn mean_scale(mean: f64, value: f64) -> Option<f64> {
    let is_mean = |scale: f64| (mean * scale - value).abs() <= NEAR * scale.max(value.abs());
    [1.0, 100.0].into_iter().find(|&scale| is_mean(scale))
}

/// The metric whose values the samples' scores are: as ingest has noted it, else the benchmark's own first one, else
/// the only one.
pub fn sole<'a>(
    committed: &'a [Committed],
    pick: Uuid,
    benchmark: Uuid,
    filter: &str,
) -> Option<&'a Committed> {
    let of_task =
        |m: &&Committed| m.run_benchmark_id == pick && m.benchmark_id == benchmark && m.filter == filter;
    let all: Vec<&Committed> = committed.iter().filter(of_task).collect();
    let noted = all.iter().find(|m| m.of_samples);
    let noted = noted.or_else(|| all.iter().find(|m| m.is_primary));
    match (noted, all.as_slice()) {
        (Some(found), _) => Some(found),
        (None, [one]) => Some(one),
        _ => None,
    }
}

/// One row for each slice that has members, task by task; without a value where it cannot be had.
pub fn scores(members: &[Members], committed: &[Committed]) -> Vec<NewMetric> {
    let of = |part: &Members| {
        let metric = sole(committed, part.run_benchmark_id, part.benchmark_id, &part.filter)?;
        Some(row(part, metric))
    };
    members.iter().filter_map(of).collect()
}

fn row(part: &Members, metric: &Committed) -> NewMetric {
    let (value, stderr, reason) = match mean(part, metric) {
        Ok((value, stderr)) => (Some(value), stderr, None),
        Err(reason) => (None, None, Some(reason)),
    };
    NewMetric {
        id: Uuid::now_v7(),
        organization_id: metric.organization_id,
        run_id: metric.run_id,
        run_benchmark_id: part.run_benchmark_id,
        benchmark_id: part.benchmark_id,
        metric_name: metric.metric_name.clone(),
        filter: part.filter.clone(),
        metric_value: value,
        stderr,
        higher_is_better: metric.higher_is_better,
        sample_count: i64::try_from(part.scores.len()).ok(),
        is_group: false,
        conditions: metric.conditions.clone(),
        slice_id: Some(part.slice_id),
        of_samples: false,
        reason,
    }
}

/// Mean and standard error over the slice, on the metric's scale, or why there are none.
fn mean(part: &Members, metric: &Committed) -> Result<(f64, Option<f64>), String> {
    let scale = scale_of(part.overall, metric)?;
    let of = mean_ci(&part.scores, LEVEL).map_err(|e| e.to_string())?;
    let value = of
        .mean
        .ok_or_else(|| "no sample of the slice has a score".to_owned())?;
    Ok((value * scale, of.se.map(|se| se * scale)))
}

/// The scale of a metric that is the mean of its samples.
fn scale_of(overall: Option<f64>, metric: &Committed) -> Result<f64, String> {
    let name = &metric.metric_name;
    let value = metric
        .metric_value
        .ok_or_else(|| format!("`{name}` has no value over all samples either"))?;
    let overall = overall.ok_or_else(|| format!("no sample has a score under `{name}`"))?;
    mean_scale(overall, value).ok_or_else(|| {
        format!("`{name}` is not the mean of its samples' scores, so that a part of them does not tell it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn committed(name: &str, value: Option<f64>, of_samples: bool) -> Committed {
        Committed {
            organization_id: Uuid::nil(),
            run_id: Uuid::nil(),
            run_benchmark_id: Uuid::nil(),
            benchmark_id: Uuid::nil(),
            metric_name: name.to_owned(),
            filter: "none".to_owned(),
            metric_value: value,
            higher_is_better: Some(true),
            conditions: json!({"limit": 8.0}),
            of_samples,
            is_primary: false,
        }
    }

    fn part(scores: &[f64], overall: f64) -> Members {
        Members {
            run_benchmark_id: Uuid::nil(),
            benchmark_id: Uuid::nil(),
            filter: "none".to_owned(),
            slice_id: Uuid::from_u128(7),
            scores: scores.to_vec(),
            overall: Some(overall),
        }
    }

    #[test]
    fn a_mean_is_computed_again_on_its_own_scale() {
        let all = [
            committed("acc", Some(75.0), true),
            committed("f1", Some(0.3), false),
        ];
        let rows = scores(&[part(&[1.0, 0.0, 1.0, 1.0, 0.0], 0.75)], &all);
        let [row] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert_eq!((row.metric_name.as_str(), row.sample_count), ("acc", Some(5)));
        assert!((row.metric_value.unwrap() - 60.0).abs() < 1e-9);
        assert!((row.stderr.unwrap() - 24.494_897).abs() < 1e-5);
        assert_eq!(row.conditions, json!({"limit": 8.0}));
    }

    #[test]
    fn what_is_no_mean_says_so() {
        let reason = |value, part: Members| {
            let rows = scores(&[part], &[committed("cider", value, true)]);
            assert_eq!(rows[0].metric_value, None);
            rows[0].reason.clone().unwrap()
        };
        assert!(reason(Some(0.5), part(&[1.0], 0.75)).contains("not the mean"));
        assert!(reason(None, part(&[1.0], 0.75)).contains("no value over all samples"));
        assert!(reason(Some(0.75), part(&[], 0.75)).contains("no sample of the slice"));
        let two = [committed("a", Some(0.5), false), committed("b", Some(0.5), false)];
        assert!(scores(&[part(&[1.0], 0.5)], &two).is_empty());
    }
}
