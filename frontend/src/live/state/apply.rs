//! What each kind of message changes about a run.

use std::collections::BTreeMap;

use types::{
    BenchmarkStatus, MetricUpdate, MetricView, ProgressEvent, RunBenchmarkView, RunDetail, StatusEvent,
    TimelineEntry,
};

pub(super) fn apply_progress(detail: &mut RunDetail, progress: &ProgressEvent) {
    let summary = &mut detail.summary;
    if summary.status.is_terminal() {
        return;
    }
    summary.completed_tasks = progress.completed_tasks;
    summary.total_tasks = progress.total_tasks;
    summary.items_per_second = progress.items_per_second;
    summary.current_benchmark.clone_from(&progress.current_benchmark);
    summary.progress_percent = progress.progress_percent;
    summary.eta_seconds = progress.eta_seconds;
    let Some(id) = progress.run_benchmark_id else {
        return;
    };
    if let Some(row) = detail.benchmarks.iter_mut().find(|row| row.id == id) {
        row.done = progress.done.or(row.done);
        row.total = progress.total.or(row.total);
        row.phase.clone_from(&progress.phase);
    }
}

pub(super) fn apply_status(detail: &mut RunDetail, status: &StatusEvent, seq: i64) {
    if let Some(now) = status.status {
        detail.summary.status = now;
        detail.summary.cancelling = status.cancelling && !now.is_terminal();
        if now.is_terminal() {
            detail.summary.completed_at = status.at.or(detail.summary.completed_at);
            detail.summary.outcome = status.outcome.or(detail.summary.outcome);
            detail.summary.items_per_second = None;
            detail.summary.eta_seconds = None;
        }
    } else if status.cancelling {
        detail.summary.cancelling = true;
    }
    let row = |row: &&mut RunBenchmarkView| Some(row.id) == status.run_benchmark_id;
    if let Some(row) = detail.benchmarks.iter_mut().find(row) {
        apply_benchmark(row, status);
        count_benchmarks(detail);
    }
    note(detail, status, seq);
}

fn apply_benchmark(row: &mut RunBenchmarkView, status: &StatusEvent) {
    let Some(now) = status.benchmark_status else {
        return;
    };
    row.status = now;
    row.outcome = status.outcome.or(row.outcome);
    if now == BenchmarkStatus::Running {
        row.started_at = status.at.or(row.started_at);
        row.completed_at = None;
    }
    if now.is_terminal() {
        row.completed_at = status.at.or(row.completed_at);
        row.phase = None;
    }
    if now == BenchmarkStatus::Failed {
        row.error_message = status.reason.clone().or(row.error_message.take());
    }
}

fn count_benchmarks(detail: &mut RunDetail) {
    let mut counts = BTreeMap::new();
    for row in &detail.benchmarks {
        *counts.entry(row.status).or_insert(0) += 1;
    }
    detail.summary.benchmark_counts = counts;
}

/// Adds the transition to the timeline in the server's words, until the fetched one replaces it.
fn note(detail: &mut RunDetail, status: &StatusEvent, seq: i64) {
    if detail.timeline.iter().any(|entry| entry.seq == seq) {
        return;
    }
    let state = match (status.benchmark_status, status.attempt_state, status.status) {
        (Some(benchmark), _, _) => format!("benchmark {benchmark}"),
        (None, _, Some(run)) if status.cancelling => format!("{run}, cancelling"),
        (None, _, Some(run)) => run.to_string(),
        (None, Some(attempt), None) => attempt.to_string(),
        (None, None, None) => return,
    };
    let Some(at) = status.at else { return };
    detail.timeline.push(TimelineEntry {
        seq,
        at,
        state,
        reason: status.reason.clone(),
        benchmark: status.benchmark.clone(),
    });
}

pub(super) fn apply_metric(detail: &mut RunDetail, update: &MetricUpdate) {
    let Some(value) = update.metric_value else { return };
    let name = match update.filter.as_str() {
        "none" => update.metric_name.clone(),
        filter => format!("{},{filter}", update.metric_name),
    };
    detail
        .metrics_snapshot
        .entry(update.benchmark.clone())
        .or_default()
        .insert(name, value);
}

pub(super) fn view(update: &MetricUpdate) -> MetricView {
    MetricView {
        benchmark_id: update.benchmark_id,
        benchmark: update.benchmark.clone(),
        run_benchmark_id: update.run_benchmark_id,
        metric_name: update.metric_name.clone(),
        filter: update.filter.clone(),
        metric_value: update.metric_value,
        stderr: update.stderr,
        sample_count: update.sample_count,
        higher_is_better: update.higher_is_better,
        slice_id: None,
        reason: None,
        is_group: false,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }
}
