//! How far a run is, in percent.

use super::run_benchmarks::PickRow;
use std::collections::BTreeSet;
use types::BenchmarkStatus;
use uuid::Uuid;

/// What a run that is not over never passes: its last step is the end itself.
const BEFORE_THE_END: f64 = 99.0;

/// How far a run is while it goes on: (leaves that are dealt with + the running benchmark's share)
/// / all leaves. A benchmark that failed is dealt with, and so is one whose end was told and not
/// yet committed. It never falls below what was said `before`, for lmms-eval draws its bar again
/// for each kind of request of a benchmark.
pub fn under_way(picks: &[PickRow], total_tasks: i32, running: Option<(Uuid, f64)>, before: f64) -> f64 {
    let over = picks.iter().filter(|pick| is_over(pick));
    let over = over.flat_map(|pick| &pick.leaf_tasks).collect::<BTreeSet<_>>();
    let share = |(id, share): (Uuid, f64)| {
        let pick = picks.iter().find(|pick| pick.id == id && !is_over(pick))?;
        Some(share.clamp(0.0, 1.0) * pick.leaf_tasks.len() as f64)
    };
    let done = over.len() as f64 + running.and_then(share).unwrap_or(0.0);
    let percent = 100.0 * done / f64::from(total_tasks.max(1));
    percent.min(BEFORE_THE_END).max(before)
}

/// How far a run is that waits, or that is over: what is committed counts, and only a run with all
/// of it is at 100.
pub fn committed(completed_tasks: i32, total_tasks: i32) -> f64 {
    100.0 * f64::from(completed_tasks) / f64::from(total_tasks.max(1))
}

fn is_over(pick: &PickRow) -> bool {
    match pick.status() {
        BenchmarkStatus::Completed | BenchmarkStatus::Failed => true,
        BenchmarkStatus::Running => pick.done.is_some(),
        BenchmarkStatus::Pending | BenchmarkStatus::Cancelled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::run_benchmarks::fixtures::pick;
    use serde_json::json;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    /// One benchmark fails after all its documents are answered, then the last one runs.
    #[test]
    fn a_benchmark_that_fails_at_its_end_takes_nothing_back() {
        let second = Uuid::from_u128(2);
        let mut picks = [
            pick(1, "completed", &["a"]),
            pick(2, "running", &["b"]),
            pick(3, "pending", &["c"]),
        ];
        let scoring = under_way(&picks, 3, Some((second, 1.0)), 0.0);
        near(scoring, 200.0 / 3.0);
        picks[1].done = Some(json!({}));
        let told = under_way(&picks, 3, None, scoring);
        near(told, scoring);
        picks[1].status = "failed".into();
        picks[2].status = "running".into();
        let next = under_way(&picks, 3, Some((Uuid::from_u128(3), 0.5)), told);
        near(next, 250.0 / 3.0);
        near(under_way(&picks, 3, Some((Uuid::from_u128(3), 0.0)), next), next);
        near(under_way(&picks, 3, Some((Uuid::from_u128(3), 1.0)), next), 99.0);
    }

    #[test]
    fn only_all_of_it_is_all() {
        near(committed(2, 3), 200.0 / 3.0);
        near(committed(3, 3), 100.0);
        near(committed(0, 0), 0.0);
    }
}
