//! What a row says about a run, as plain functions.

use types::{BenchmarkStatus, RunStatus, RunSummary};

use crate::{
    components::{progress::Segment, words::Tone},
    format::{Zone, about, plural, relative},
    status::{benchmark_status_tone, outcome_words},
};

/// A moment of the wire, in milliseconds since the epoch.
pub fn millis(at: chrono::DateTime<chrono::Utc>) -> f64 {
    at.timestamp_millis() as f64
}

/// How many of a run's benchmarks have this status.
pub fn count(run: &RunSummary, status: BenchmarkStatus) -> u32 {
    run.benchmark_counts.get(&status).copied().unwrap_or(0)
}

/// All benchmarks of a run.
pub fn all(run: &RunSummary) -> u32 {
    run.benchmark_counts.values().sum()
}

/// Seconds from the start to the end, or to now.
pub fn took(run: &RunSummary, now: f64) -> Option<f64> {
    let start = millis(run.started_at?);
    let end = match (run.completed_at, run.status) {
        (Some(end), _) => millis(end),
        (None, RunStatus::Running) => now,
        (None, _) => return None,
    };
    Some(((end - start) / 1000.0).max(0.0))
}

/// The cell that says when it ends or ended, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The words; they may hold text that a program wrote.
    pub words: String,
    /// `muted`, `warn` or `bad`.
    pub class: &'static str,
}

/// When it ends or ended, and why.
pub fn why(run: &RunSummary, now: f64, zone: Zone) -> Why {
    let (words, class) = match run.status {
        RunStatus::Pending => ("held back".to_owned(), "muted"),
        RunStatus::Queued => (queued(run), "muted"),
        RunStatus::Running => running(run, now, zone),
        RunStatus::Failed => (failed(run), "bad"),
        RunStatus::Cancelled => (ended(run, now, zone, Some(kept(run))), "muted"),
        RunStatus::Completed if run.degraded => {
            let care = "some answers failed or are empty".to_owned();
            (ended(run, now, zone, Some(care)), "warn")
        }
        RunStatus::Completed => (ended(run, now, zone, None), "muted"),
    };
    Why { words, class }
}

fn queued(run: &RunSummary) -> String {
    match run.queue_position {
        Some(place) => format!("position {place}"),
        None => "waits for a worker".to_owned(),
    }
}

fn running(run: &RunSummary, now: f64, zone: Zone) -> (String, &'static str) {
    let on = run.current_benchmark.as_deref();
    match (run.cancelling, run.eta_seconds, on) {
        (true, _, _) => ("its processes are being stopped".to_owned(), "warn"),
        (false, Some(0), _) => ("running longer than expected".to_owned(), "warn"),
        (false, Some(seconds), _) => (
            format!("ends {}", about(now + seconds as f64 * 1000.0, now, zone)),
            "muted",
        ),
        (false, None, Some(name)) => (format!("on {name}; no estimate yet"), "muted"),
        (false, None, None) => ("starting; no estimate yet".to_owned(), "muted"),
    }
}

fn failed(run: &RunSummary) -> String {
    let outcome = run.outcome.map(outcome_words).unwrap_or("failed");
    run.error_message.clone().unwrap_or_else(|| outcome.to_owned())
}

/// When it ended, then what is to be said about it.
fn ended(run: &RunSummary, now: f64, zone: Zone, more: Option<String>) -> String {
    let at = run.completed_at.map(|at| relative(millis(at), now, zone));
    let parts: Vec<String> = [at, more].into_iter().flatten().collect();
    if parts.is_empty() {
        crate::format::MISSING.to_owned()
    } else {
        parts.join(" · ")
    }
}

fn kept(run: &RunSummary) -> String {
    plural(
        u64::from(count(run, BenchmarkStatus::Completed)),
        "benchmark kept",
        "benchmarks kept",
    )
}

/// The bar of a row: one segment per benchmark, in groups by status.
pub fn segments(run: &RunSummary) -> Vec<Segment> {
    let order = [
        BenchmarkStatus::Completed,
        BenchmarkStatus::Failed,
        BenchmarkStatus::Running,
        BenchmarkStatus::Cancelled,
        BenchmarkStatus::Pending,
    ];
    let share = running_share(run);
    let segment = |status: BenchmarkStatus| {
        let tone = match benchmark_status_tone(status) {
            Tone::Ok if run.degraded => Tone::Degraded,
            tone => tone,
        };
        let one = Segment {
            name: status.to_string(),
            tone,
            weight: 1.0,
            share,
        };
        std::iter::repeat_n(one, count(run, status) as usize)
    };
    order.into_iter().flat_map(segment).collect()
}

/// The share of the running benchmark that is done: what the run's progress says beyond its completed tasks.
fn running_share(run: &RunSummary) -> f64 {
    let done = run.progress_percent / 100.0 * f64::from(run.total_tasks) - f64::from(run.completed_tasks);
    done.clamp(0.0, 1.0)
}

/// What a cancel of these runs loses and keeps.
pub fn loss(runs: &[RunSummary]) -> String {
    let sum = |status| runs.iter().map(|run| u64::from(count(run, status))).sum::<u64>();
    let mut parts = Vec::new();
    match sum(BenchmarkStatus::Completed) {
        0 => {}
        n => parts.push(format!(
            "{} kept.",
            plural(n, "finished benchmark is", "finished benchmarks are")
        )),
    }
    match sum(BenchmarkStatus::Running) {
        0 => {}
        n => parts.push(format!(
            "{} all answers so far.",
            plural(n, "benchmark under way loses", "benchmarks under way lose")
        )),
    }
    match sum(BenchmarkStatus::Pending) {
        0 => {}
        n => parts.push(format!(
            "{} not start.",
            plural(n, "benchmark will", "benchmarks will")
        )),
    }
    parts.join(" ")
}

/// Whether a cancel can do anything.
pub fn can_cancel(run: &RunSummary) -> bool {
    !run.status.is_terminal() && !run.cancelling
}

/// Whether a requeue can do anything: the run is over and something is not completed.
pub fn can_requeue(run: &RunSummary) -> bool {
    run.status.is_terminal() && count(run, BenchmarkStatus::Completed) < all(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(status: &str, more: serde_json::Value) -> RunSummary {
        let id = "0198c4aa-1111-7222-8333-444455557f3a";
        let mut value = json!({
            "id": id, "name": "r", "model_id": id, "model_name": "m", "checkpoint_variant": "latest", "status": status,
            "cancelling": false, "outcome": null, "error_message": null, "created_at": "2026-11-20T12:00:00Z",
            "started_at": "2026-11-20T13:00:00Z", "completed_at": null, "total_tasks": 4, "completed_tasks": 2,
            "progress_percent": 65.0, "items_per_second": null, "eta_seconds": null, "current_benchmark": null,
            "benchmark_names": [], "benchmark_counts": {"completed": 2, "running": 1, "pending": 1},
            "gpu_device_id": null, "queue_position": null, "created_by": null, "last_seq": 1, "degraded": false,
            "demo": false
        });
        for (key, field) in more.as_object().expect("an object") {
            value[key] = field.clone();
        }
        serde_json::from_value(value).expect("a run in the shape of the wire")
    }

    /// 2026-11-20T13:27:00Z.
    const NOW: f64 = 1_795_181_220_000.0;
    const ZONE: Zone = Zone(60);

    fn words(status: &str, more: serde_json::Value) -> String {
        why(&run(status, more), NOW, ZONE).words
    }

    #[test]
    fn the_clock_of_the_test_is_right() {
        assert_eq!(crate::format::clock(NOW, ZONE), "14:27");
    }

    #[test]
    fn a_row_says_when_and_why() {
        assert_eq!(
            words("running", json!({ "eta_seconds": 600 })),
            "ends about 14:37"
        );
        assert_eq!(
            words("running", json!({ "eta_seconds": 0 })),
            "running longer than expected"
        );
        assert_eq!(
            words("running", json!({ "current_benchmark": "mme" })),
            "on mme; no estimate yet"
        );
        assert_eq!(
            words("running", json!({ "cancelling": true, "eta_seconds": 5 })),
            "its processes are being stopped"
        );
        assert_eq!(words("queued", json!({ "queue_position": 2 })), "position 2");
        assert_eq!(
            words("failed", json!({ "outcome": "out_of_memory" })),
            "ran out of memory"
        );
        assert_eq!(words("failed", json!({ "error_message": "no key" })), "no key");
        let ended = json!({ "completed_at": "2026-11-20T13:00:00Z" });
        assert_eq!(words("completed", ended.clone()), "27 min ago");
        assert_eq!(words("cancelled", ended), "27 min ago · 2 benchmarks kept");
    }

    #[test]
    fn the_running_benchmark_has_the_rest_of_the_progress() {
        let parts = segments(&run("running", json!({})));
        let tones: Vec<Tone> = parts.iter().map(|part| part.tone).collect();
        assert_eq!(tones, [Tone::Ok, Tone::Ok, Tone::Running, Tone::Queued]);
        assert!((parts[2].share - 0.6).abs() < 1e-9);
    }

    #[test]
    fn only_what_can_be_done_is_offered() {
        assert!(can_cancel(&run("queued", json!({}))));
        assert!(!can_cancel(&run("running", json!({ "cancelling": true }))));
        assert!(can_requeue(&run("failed", json!({}))));
        assert!(!can_requeue(&run(
            "completed",
            json!({ "benchmark_counts": {"completed": 4} })
        )));
        assert_eq!(
            loss(&[run("running", json!({}))]),
            "2 finished benchmarks are kept. 1 benchmark under way loses all answers so far. 1 benchmark will not start."
        );
    }

    #[test]
    fn a_run_takes_time_until_it_ends() {
        assert_eq!(took(&run("running", json!({})), NOW), Some(1620.0));
        assert_eq!(took(&run("queued", json!({ "started_at": null })), NOW), None);
        assert_eq!(took(&run("failed", json!({})), NOW), None);
        assert_eq!(
            took(
                &run("failed", json!({ "completed_at": "2026-11-20T13:00:30Z" })),
                NOW
            ),
            Some(30.0)
        );
    }
}
