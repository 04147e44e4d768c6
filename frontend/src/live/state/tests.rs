use super::*;
use serde_json::json;
use types::BenchmarkStatus;

fn detail(last_seq: i64) -> RunDetail {
    let id = "0198c4aa-1111-7222-8333-444455557f3a";
    let benchmark = json!({
        "id": id, "benchmark_id": id, "name": "mme", "kind": "task", "modality": "Vision", "order": 0,
        "status": "pending", "outcome": null, "error_message": null, "evidence": [], "degraded": null,
        "leaf_tasks": ["mme"], "started_at": null, "completed_at": null, "done": null, "total": null,
        "phase": null, "sample_count": 0
    });
    serde_json::from_value(json!({
        "id": id, "name": "r", "model_id": id, "model_name": "m", "checkpoint_variant": "latest",
        "status": "running", "cancelling": false, "outcome": null, "error_message": null,
        "created_at": "2026-11-20T13:00:00Z", "started_at": null, "completed_at": null, "total_tasks": 1,
        "completed_tasks": 0, "progress_percent": 0.0, "items_per_second": null, "eta_seconds": null,
        "current_benchmark": null, "benchmark_names": ["mme"], "benchmark_counts": {"pending": 1},
        "gpu_device_id": null, "queue_position": null, "created_by": null, "last_seq": last_seq,
        "degraded": false, "demo": false,
        "model": {"id": id, "name": "m", "backend": "b", "checkpoint_variant": "latest", "source": null},
        "config": {}, "benchmarks": [benchmark], "attempts": [], "metrics_snapshot": {}, "commands": [],
        "environment": {}, "timeline": []
    }))
    .expect("a run in the shape of the wire")
}

fn message(seq: i64, kind: &str, data: serde_json::Value) -> LiveMessage {
    serde_json::from_value(json!({ "seq": seq, "type": kind, "data": data })).expect("a message")
}

fn progress(seq: i64, second: u32, rate: f64) -> LiveMessage {
    let data = json!({
        "completed_tasks": 0, "total_tasks": 1, "items_per_second": rate, "current_benchmark": "mme",
        "run_benchmark_id": "0198c4aa-1111-7222-8333-444455557f3a", "done": 5, "total": 10, "phase": "inferring",
        "progress_percent": 50.0, "eta_seconds": 9, "at": format!("2026-11-20T13:00:{second:02}Z"),
        "gpus": [{"uuid": "GPU-1", "utilization": 90, "memory_used": 1, "memory_total": 2}]
    });
    message(seq, "progress", data)
}

fn line(seq: i64) -> LiveMessage {
    let data = json!({
        "timestamp": "2026-11-20T13:00:00Z", "level": "INFO", "message": format!("line {seq}"), "stream": "stderr",
        "attempt": 1, "byte_offset": seq
    });
    message(seq, "log_line", data)
}

fn status(seq: i64, data: serde_json::Value) -> LiveMessage {
    message(seq, "status", data)
}

#[test]
fn a_message_counts_once() {
    let mut state = RunState::default();
    state.fetched(detail(3));
    assert_eq!(state.begin(0), 3);
    assert_eq!(state.take(line(3)), Changed::default());
    assert!(state.take(line(4)).lines);
    assert_eq!(state.take(line(4)), Changed::default());
    assert_eq!(state.lines.len(), 1);
    assert_eq!(state.cursor, 4);
}

#[test]
fn an_answer_that_overtakes_the_socket_hides_no_line() {
    let mut state = RunState::default();
    state.fetched(detail(1));
    state.begin(0);
    state.fetched(detail(9));
    assert!(state.take(line(2)).lines);
    assert!(!state.take(progress(3, 4, 8.0)).detail);
    assert_eq!(
        (state.lines.len(), state.throughput.len(), state.cursor),
        (1, 1, 3)
    );
}

#[test]
fn a_gap_is_asked_for_once() {
    let mut state = RunState::default();
    state.fetched(detail(1));
    state.begin(0);
    assert!(state.take(line(2)).lines);
    assert!(state.take(line(6)).resume);
    assert_eq!(state.cursor, 2);
    // The new connection brings what was lost, and what the server has pruned stays away.
    assert!(state.take(line(3)).lines);
    assert!(state.take(line(6)).lines);
    assert_eq!(state.lines.keys().copied().collect::<Vec<_>>(), [2, 3, 6]);
    assert!(state.take(line(8)).resume);
}

#[test]
fn gaps_in_history_are_pruned_progress() {
    let mut state = RunState::default();
    state.fetched(detail(100));
    assert_eq!(state.begin(50), 50);
    assert!(state.take(line(60)).lines);
    assert!(state.take(line(90)).lines);
    assert!(state.take(line(102)).resume);
}

#[test]
fn fetched_and_live_lines_are_one_list() {
    let mut state = RunState::default();
    let page = json!({ "lines": [], "total": 0, "next_cursor": null, "previous_cursor": null, "truncated_at": null });
    let mut page: LogPage = serde_json::from_value(page).expect("a page");
    state.cursor = 4;
    state.take(line(5));
    for seq in [4, 5] {
        let LiveEvent::LogLine(event) = line(seq).event else {
            panic!("a line")
        };
        page.lines.push(LogLine { seq, line: event });
    }
    state.fetched_lines(page);
    assert_eq!(state.lines.keys().copied().collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn progress_moves_the_benchmark_and_the_chart() {
    let mut state = RunState::default();
    state.fetched(detail(1));
    state.begin(0);
    assert!(state.take(progress(2, 5, 8.0)).detail);
    let run = state.detail.as_ref().expect("fetched");
    assert_eq!(run.benchmarks[0].done, Some(5));
    assert_eq!(run.summary.progress_percent, 50.0);
    assert_eq!(state.throughput.len(), 1);
    assert_eq!(state.gpus["GPU-1"].len(), 1);
}

#[test]
fn replayed_history_draws_the_chart_and_nothing_else() {
    let mut state = RunState::default();
    state.fetched(detail(10));
    state.begin(10);
    assert_eq!(
        state.take(progress(2, 1, 5.0)),
        Changed {
            points: true,
            ..Changed::default()
        }
    );
    assert_eq!(
        state.take(progress(4, 3, 6.0)),
        Changed {
            points: true,
            ..Changed::default()
        }
    );
    assert_eq!(state.take(progress(4, 3, 6.0)), Changed::default());
    assert_eq!(
        state.throughput.iter().map(|p| p.1).collect::<Vec<_>>(),
        [5.0, 6.0]
    );
    assert_eq!(
        state.detail.as_ref().expect("fetched").summary.progress_percent,
        0.0
    );
}

#[test]
fn an_answer_that_is_older_than_the_messages_is_brought_up_to_date() {
    let mut state = RunState::default();
    state.fetched(detail(1));
    state.begin(0);
    let id = "0198c4aa-1111-7222-8333-444455557f3a";
    let failed = json!({
        "at": "2026-11-20T13:01:00Z", "status": null, "attempt": null, "attempt_state": null, "run_benchmark_id": id,
        "benchmark": "mme", "benchmark_status": "failed", "outcome": "out_of_memory", "reason": "no memory left"
    });
    assert!(state.take(status(2, failed)).ask);
    state.fetched(detail(1));
    let row = &state.detail.as_ref().expect("fetched").benchmarks[0];
    assert_eq!(row.status, BenchmarkStatus::Failed);
    assert_eq!(row.error_message.as_deref(), Some("no memory left"));
    assert_eq!(state.detail.as_ref().expect("fetched").timeline.len(), 1);
    state.fetched(detail(2));
    assert_eq!(
        state.detail.as_ref().expect("fetched").benchmarks[0].status,
        BenchmarkStatus::Pending
    );
}

#[test]
fn late_progress_does_not_wake_a_finished_run() {
    let mut state = RunState::default();
    state.fetched(detail(1));
    state.begin(0);
    let done = json!({
        "at": "2026-11-20T13:02:00Z", "status": "completed", "attempt": null, "attempt_state": null,
        "run_benchmark_id": null, "benchmark": null, "benchmark_status": null, "outcome": "completed", "reason": null
    });
    state.take(status(2, done));
    state.take(progress(3, 9, 8.0));
    let run = &state.detail.as_ref().expect("fetched").summary;
    assert_eq!((run.status, run.items_per_second), (RunStatus::Completed, None));
}

#[test]
fn a_committed_metric_is_in_both_places() {
    let mut state = RunState::default();
    state.fetched(detail(1));
    state.begin(0);
    let id = "0198c4aa-1111-7222-8333-444455557f3a";
    let update = json!({
        "benchmark_id": id, "benchmark": "mme", "run_benchmark_id": id, "metric_name": "acc", "filter": "strict",
        "metric_value": 0.5, "stderr": 0.1, "sample_count": 10, "higher_is_better": true
    });
    assert!(state.take(message(2, "metric_update", update)).metrics);
    assert_eq!(state.metrics.len(), 1);
    assert_eq!(
        state.detail.expect("fetched").metrics_snapshot["mme"]["acc,strict"],
        0.5
    );
}
