//! How far a run is, from how far its running benchmark is.

use super::news::Progress;
use crate::db::progress::under_way;
use crate::db::queue::{LiveChanges, expected_seconds};
use crate::db::run_benchmarks::{Live, PickRow};
use crate::db::runs::RunRow;
use serde_json::{Value, json};
use types::{BenchmarkStatus, ProgressEvent};

/// The run's live columns and the message that tells of them.
pub(super) fn of_run(
    progress: Progress,
    picks: &[PickRow],
    run: &RunRow,
) -> Option<(LiveChanges, ProgressEvent)> {
    let current = picks.iter().find(|p| p.id == progress.pick.0)?;
    let running = Some((current.id, share(&progress)));
    let percent = under_way(picks, run.total_tasks, running, run.progress_percent);
    let eta = eta(&progress, picks, current, &run.plan);
    let event = ProgressEvent {
        completed_tasks: u32::try_from(run.completed_tasks).unwrap_or(0),
        total_tasks: u32::try_from(run.total_tasks).unwrap_or(0),
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

/// How much of the running benchmark is done, by documents.
fn share(progress: &Progress) -> f64 {
    match (progress.done, progress.total) {
        (Some(done), Some(total)) if total > 0 => done as f64 / total as f64,
        _ => 0.0,
    }
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
    let name = std::slice::from_ref(&current.name);
    let own = progress
        .eta_seconds
        .or_else(|| expected_seconds(plan, name).filter(|_| progress.done.is_none()));
    Some((own? + rest?).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::run_benchmarks::fixtures::pick;
    use crate::db::runs::fixtures;
    use chrono::DateTime;
    use types::RunBenchmarkId;
    use uuid::Uuid;

    fn run(total_tasks: i32, plan: Value) -> RunRow {
        RunRow {
            total_tasks,
            plan,
            completed_tasks: 1,
            ..fixtures::run()
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
        let (changes, event) = of_run(progress(2, 5, 10), &picks, &run(4, Value::Null)).unwrap();
        assert!((changes.progress_percent - 50.0).abs() < 1e-9);
        assert_eq!((event.completed_tasks, event.total_tasks), (1, 4));
        assert_eq!(event.eta_seconds, None, "nothing is known of b3");
        let plan = json!({"expected_seconds": {"b3": 30.5}});
        let (_, event) = of_run(progress(2, 5, 10), &picks, &run(4, plan)).unwrap();
        assert_eq!(event.eta_seconds, Some(41));
    }

    #[test]
    fn a_stranger_is_no_progress() {
        assert!(
            of_run(
                progress(9, 1, 2),
                &[pick(1, "running", &["a"])],
                &run(1, Value::Null)
            )
            .is_none()
        );
    }
}
