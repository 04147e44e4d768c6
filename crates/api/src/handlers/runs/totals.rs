//! How many documents each benchmark of a run has.

use crate::plan::samples_of;
use std::collections::{BTreeMap, HashMap};
use types::{BenchmarkStatus, MetricView, RunBenchmarkView, RunConfig};

/// Fills in the totals that no executor has told: of a completed benchmark its scores know the
/// number, of every other one the catalogue, as far as the task was ever seen.
pub(super) fn fill(
    benchmarks: &mut [RunBenchmarkView],
    scores: &[MetricView],
    sizes: &HashMap<String, u64>,
    config: &RunConfig,
) {
    for row in benchmarks.iter_mut().filter(|row| row.total.is_none()) {
        if row.status == BenchmarkStatus::Completed {
            row.total = scored(row, scores);
            row.done = row.total;
        }
        row.total = row.total.or_else(|| planned(row, sizes, config));
    }
}

/// The documents of each leaf, counted once however many filters have scored them.
fn scored(row: &RunBenchmarkView, scores: &[MetricView]) -> Option<u64> {
    let mut leaves: BTreeMap<&str, u64> = BTreeMap::new();
    for score in scores.iter().filter(|s| s.run_benchmark_id == row.id) {
        if score.is_group || score.slice_id.is_some() {
            continue;
        }
        let n = score.sample_count.and_then(|n| u64::try_from(n).ok());
        let known = leaves.entry(&score.benchmark).or_default();
        *known = (*known).max(n.unwrap_or(0));
    }
    Some(leaves.values().sum()).filter(|n| *n > 0)
}

fn planned(row: &RunBenchmarkView, sizes: &HashMap<String, u64>, config: &RunConfig) -> Option<u64> {
    let leaves: Vec<Option<u64>> = row
        .leaf_tasks
        .iter()
        .map(|leaf| sizes.get(leaf).copied())
        .collect();
    samples_of(&leaves, config.limit, config.offset).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(status: &str) -> RunBenchmarkView {
        let id = "0198c4aa-1111-7222-8333-444455557f3a";
        serde_json::from_value(json!({
            "id": id, "benchmark_id": id, "name": "g", "kind": "group", "modality": "Text", "order": 0,
            "status": status, "outcome": null, "error_message": null, "evidence": [], "degraded": null,
            "leaf_tasks": ["a", "b"], "started_at": null, "completed_at": null, "done": null, "total": null,
            "phase": null, "sample_count": 0
        }))
        .unwrap()
    }

    #[test]
    fn what_waits_is_counted_by_the_catalogue_and_the_limit() {
        let sizes = HashMap::from([("a".to_owned(), 100), ("b".to_owned(), 5)]);
        let config = RunConfig {
            limit: Some(8.0),
            ..RunConfig::default()
        };
        let mut rows = [row("pending"), row("failed")];
        fill(&mut rows, &[], &sizes, &config);
        assert!(rows.iter().all(|row| (row.done, row.total) == (None, Some(13))));
        let mut unknown = [row("pending")];
        fill(&mut unknown, &[], &HashMap::new(), &config);
        assert_eq!(unknown[0].total, None);
    }
}
