//! How far a run is, from how far its running benchmark is.

use super::news::Progress;
use crate::db::queue::{LiveChanges, expected_seconds};
use crate::db::run_benchmarks::{Live, PickRow};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use types::{BenchmarkStatus, ProgressEvent};

/// The run's live columns and the message that tells of them.
pub(super) fn of_run(
    progress: Progress,
    picks: &[PickRow],
    total_tasks: i32,
    plan: &Value,
) -> Option<(LiveChanges, ProgressEvent)> {
    let current = picks.iter().find(|p| p.id == progress.pick.0)?;
    let completed = leaves(picks.iter().filter(|p| p.status() == BenchmarkStatus::Completed));
    let percent = percent(completed, current, &progress, total_tasks);
    let eta = eta(&progress, picks, current, plan);
    let event = ProgressEvent {
        completed_tasks: u32::try_from(completed).unwrap_or(u32::MAX),
        total_tasks: u32::try_from(total_tasks).unwrap_or(0),
        items_per_second: progress.items_per_second,
        current_benchmark: Some(current.name.clone()),
        run_benchmark_id: Some(progress.pick),
        done: progress.done,
        total: progress.total,
        phase: progress.phase.clone(),
        progress_percent: percent,
        eta_seconds: eta,
        at: Some(progress.at),
        gpus: progress.gpus,
    };
    let live = Live {
        run_benchmark_id: Some(current.id),
        done: progress.done,
        total: progress.total,
        phase: progress.phase,
    };
    let changes = LiveChanges {
        current_run_benchmark_id: Some(current.id),
        live: json!(live),
        progress_percent: percent,
        items_per_second: event.items_per_second,
        eta_seconds: eta.and_then(|s| i64::try_from(s).ok()),
    };
    Some((changes, event))
}

fn leaves<'a>(picks: impl Iterator<Item = &'a PickRow>) -> usize {
    picks.flat_map(|p| &p.leaf_tasks).collect::<BTreeSet<_>>().len()
}

/// (committed leaves + the running benchmark's share by documents) / all leaves.
fn percent(completed: usize, current: &PickRow, progress: &Progress, total_tasks: i32) -> f64 {
    let share = match (progress.done, progress.total) {
        (Some(done), Some(total)) if total > 0 => (done as f64 / total as f64).min(1.0),
        _ => 0.0,
    };
    let done = completed as f64 + share * current.leaf_tasks.len() as f64;
    (100.0 * done / f64::from(total_tasks.max(1))).min(100.0)
}

/// What is left of the running benchmark, and what the waiting ones took before. Without a past
/// of all of them nothing is promised.
fn eta(progress: &Progress, picks: &[PickRow], current: &PickRow, plan: &Value) -> Option<u64> {
    let waiting: Vec<String> = picks
        .iter()
        .filter(|p| p.status() == BenchmarkStatus::Pending && p.id != current.id)
        .map(|p| p.name.clone())
        .collect();
    let rest = if waiting.is_empty() {
        Some(0.0)
    } else {
        expected_seconds(plan, &waiting)
    };
    Some((progress.eta_seconds? + rest?).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use types::RunBenchmarkId;
    use uuid::Uuid;

    fn pick(n: u128, status: &str, leaves: &[&str]) -> PickRow {
        PickRow {
            id: Uuid::from_u128(n),
            run_id: Uuid::nil(),
            benchmark_id: Uuid::nil(),
            name: format!("b{n}"),
            order: 0,
            status: status.into(),
            outcome: None,
            error_message: None,
            evidence: Value::Null,
            degraded: None,
            leaf_tasks: leaves.iter().map(|&l| l.to_owned()).collect(),
            started_at: None,
            completed_at: None,
            attempt_id: None,
            done: None,
            ingested_at: None,
            sample_count: 0,
        }
    }

    fn progress(pick: u128, done: u64, total: u64) -> Progress {
        Progress {
            pick: RunBenchmarkId(Uuid::from_u128(pick)),
            done: Some(done),
            total: Some(total),
            items_per_second: Some(2.0),
            eta_seconds: Some(10.0),
            phase: None,
            at: DateTime::UNIX_EPOCH,
            gpus: vec![],
        }
    }

    #[test]
    fn the_running_benchmark_counts_by_documents() {
        let picks = [
            pick(1, "completed", &["a"]),
            pick(2, "running", &["b", "c"]),
            pick(3, "pending", &["d"]),
        ];
        let (changes, event) = of_run(progress(2, 5, 10), &picks, 4, &Value::Null).unwrap();
        assert!((changes.progress_percent - 50.0).abs() < 1e-9);
        assert_eq!((event.completed_tasks, event.total_tasks), (1, 4));
        assert_eq!(event.eta_seconds, None, "nothing is known of b3");
        let plan = json!({"expected_seconds": {"b3": 30.5}});
        let (_, event) = of_run(progress(2, 5, 10), &picks, 4, &plan).unwrap();
        assert_eq!(event.eta_seconds, Some(41));
    }

    #[test]
    fn a_stranger_is_no_progress() {
        assert!(of_run(progress(9, 1, 2), &[pick(1, "running", &["a"])], 1, &Value::Null).is_none());
    }
}
