//! What is known about a run, and how each message changes it. No browser, no clock: the socket feeds it.

use std::collections::{BTreeMap, VecDeque};

use types::{
    BenchmarkStatus, ErrorEvent, GpuSample, LiveEvent, LiveMessage, LogLine, LogPage, MetricList,
    MetricUpdate, MetricView, ProgressEvent, RunBenchmarkView, RunDetail, RunStatus, StatusEvent,
    TimelineEntry,
};

/// Messages kept to bring an older fetched answer up to date.
const REPLAYED: usize = 512;
/// Log lines kept in memory; older ones are asked for again when someone scrolls there.
pub const KEPT_LINES: usize = 20_000;
/// Points of throughput kept; two a second for a bit more than two hours.
const KEPT_POINTS: usize = 16_384;

/// What tells a score apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricKey {
    /// The picked row.
    pub run_benchmark_id: types::RunBenchmarkId,
    /// The leaf task, or the group.
    pub benchmark: String,
    /// The metric.
    pub metric: String,
    /// The filter.
    pub filter: String,
    /// The slice; none for all samples.
    pub slice: Option<types::SliceId>,
}

impl MetricKey {
    fn of(metric: &MetricView) -> Self {
        Self {
            run_benchmark_id: metric.run_benchmark_id,
            benchmark: metric.benchmark.clone(),
            metric: metric.metric_name.clone(),
            filter: metric.filter.clone(),
            slice: metric.slice_id,
        }
    }
}

/// A reading of a GPU at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct GpuPoint {
    /// Milliseconds since the epoch.
    pub at: f64,
    /// The reading.
    pub sample: GpuSample,
}

/// What a message changed, so that only those who show it look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// Status, progress, benchmarks, timeline.
    pub detail: bool,
    /// Scores.
    pub metrics: bool,
    /// Lines.
    pub lines: bool,
    /// Throughput and GPUs.
    pub points: bool,
    /// Something was committed or ended: the server knows more than the message says, so ask it again.
    pub ask: bool,
    /// Messages are missing: connect again from [`RunState::cursor`].
    pub resume: bool,
}

impl Changed {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            detail: self.detail || other.detail,
            metrics: self.metrics || other.metrics,
            lines: self.lines || other.lines,
            points: self.points || other.points,
            ask: self.ask || other.ask,
            resume: self.resume || other.resume,
        }
    }
}

/// Everything known about a run.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    /// The run, once fetched.
    pub detail: Option<RunDetail>,
    /// Its scores.
    pub metrics: BTreeMap<MetricKey, MetricView>,
    /// Its lines by place in the sequence.
    pub lines: BTreeMap<i64, LogLine>,
    /// Items per second: milliseconds since the epoch, value. A gap is not a number.
    pub throughput: Vec<(f64, f64)>,
    /// Readings of each GPU by uuid.
    pub gpus: BTreeMap<String, Vec<GpuPoint>>,
    /// The last problem that was told.
    pub error: Option<ErrorEvent>,
    /// The last message that was taken from the socket. What a fetched answer knows is a number of its own, in the
    /// answer: a line or a score that it does not carry must still come by the socket.
    pub cursor: i64,
    /// Up to here a missing message is history that the server has pruned, not a loss.
    settled: i64,
    recent: VecDeque<LiveMessage>,
}

impl RunState {
    /// Takes a fetched answer. One that is older than the messages is brought up to date.
    pub fn fetched(&mut self, detail: RunDetail) {
        let known = detail.summary.last_seq;
        self.detail = Some(detail);
        let newer: Vec<LiveMessage> = self
            .recent
            .iter()
            .filter(|message| message.seq > known)
            .cloned()
            .collect();
        for message in newer {
            self.apply_to_detail(&message);
        }
    }

    /// Where the first connection begins: some history before what has been fetched, for the charts.
    pub fn begin(&mut self, history: i64) -> i64 {
        self.settled = self.known();
        self.cursor = (self.settled - history).max(0);
        self.cursor
    }

    /// The last message that the fetched answer has in it, with those that were applied to it.
    fn known(&self) -> i64 {
        self.detail.as_ref().map_or(0, |detail| detail.summary.last_seq)
    }

    /// Takes fetched scores.
    pub fn fetched_metrics(&mut self, list: MetricList) {
        for metric in list.metrics {
            self.metrics.insert(MetricKey::of(&metric), metric);
        }
    }

    /// Takes a page of fetched lines.
    pub fn fetched_lines(&mut self, page: LogPage) {
        for line in page.lines {
            self.lines.insert(line.seq, line);
        }
    }

    /// Takes a message. A message that was taken before changes nothing; one that leaves a gap is not taken, and
    /// the answer asks for a new connection. If the gap is still there then, the server has pruned it.
    pub fn take(&mut self, message: LiveMessage) -> Changed {
        if message.seq <= self.cursor {
            return Changed::default();
        }
        if message.seq > self.cursor + 1 && message.seq > self.settled {
            self.settled = message.seq;
            return Changed {
                resume: true,
                ..Changed::default()
            };
        }
        self.cursor = message.seq;
        let changed = self.keep(&message);
        if message.seq <= self.known() {
            // The fetched answer says this already, and perhaps more.
            return Changed {
                detail: false,
                ask: false,
                ..changed
            };
        }
        self.apply_to_detail(&message);
        if !matches!(message.event, LiveEvent::LogLine(_)) {
            if self.recent.len() == REPLAYED {
                self.recent.pop_front();
            }
            self.recent.push_back(message);
        }
        changed
    }

    /// Keeps what no fetched run carries: lines, scores, points.
    fn keep(&mut self, message: &LiveMessage) -> Changed {
        let none = Changed::default();
        match &message.event {
            LiveEvent::LogLine(line) => {
                self.lines.insert(
                    message.seq,
                    LogLine {
                        seq: message.seq,
                        line: line.clone(),
                    },
                );
                self.drop_old_lines();
                Changed { lines: true, ..none }
            }
            LiveEvent::MetricUpdate(update) => {
                let metric = view(update);
                let key = MetricKey::of(&metric);
                // A replayed score must not cover a fetched one, which is at least as new.
                if message.seq > self.known() || !self.metrics.contains_key(&key) {
                    self.metrics.insert(key, metric);
                }
                Changed {
                    metrics: true,
                    detail: true,
                    ..none
                }
            }
            LiveEvent::Progress(progress) => Changed {
                points: self.add_points(progress),
                detail: true,
                ..none
            },
            LiveEvent::Status(status) => {
                if status.status.is_some_and(RunStatus::is_terminal) {
                    self.end_points();
                }
                Changed {
                    detail: true,
                    ask: true,
                    ..none
                }
            }
            LiveEvent::Error(error) => {
                self.error = Some(error.clone());
                Changed {
                    detail: true,
                    ask: true,
                    ..none
                }
            }
        }
    }

    fn drop_old_lines(&mut self) {
        while self.lines.len() > KEPT_LINES {
            self.lines.pop_first();
        }
    }

    /// Adds a reading unless one of that moment is there; true when it was new.
    fn add_points(&mut self, progress: &ProgressEvent) -> bool {
        let Some(at) = progress.at.map(|at| at.timestamp_millis() as f64) else {
            return false;
        };
        let place = self.throughput.partition_point(|point| point.0 < at);
        if self.throughput.get(place).is_some_and(|point| point.0 == at) {
            return false;
        }
        self.throughput
            .insert(place, (at, progress.items_per_second.unwrap_or(f64::NAN)));
        for sample in &progress.gpus {
            let points = self.gpus.entry(sample.uuid.clone()).or_default();
            let place = points.partition_point(|point| point.at < at);
            points.insert(
                place,
                GpuPoint {
                    at,
                    sample: sample.clone(),
                },
            );
            let extra = points.len().saturating_sub(KEPT_POINTS);
            points.drain(..extra);
        }
        let extra = self.throughput.len().saturating_sub(KEPT_POINTS);
        self.throughput.drain(..extra);
        true
    }

    /// A run that is requeued begins with a gap, not with a line from its last end.
    fn end_points(&mut self) {
        if let Some(&(at, value)) = self.throughput.last()
            && value.is_finite()
        {
            self.throughput.push((at + 1.0, f64::NAN));
        }
    }

    fn apply_to_detail(&mut self, message: &LiveMessage) {
        let Some(detail) = &mut self.detail else { return };
        detail.summary.last_seq = detail.summary.last_seq.max(message.seq);
        match &message.event {
            LiveEvent::Progress(progress) => apply_progress(detail, progress),
            LiveEvent::Status(status) => apply_status(detail, status, message.seq),
            LiveEvent::MetricUpdate(update) => apply_metric(detail, update),
            LiveEvent::Error(error) => detail.summary.error_message = Some(error.message.clone()),
            LiveEvent::LogLine(_) => {}
        }
    }
}

fn apply_progress(detail: &mut RunDetail, progress: &ProgressEvent) {
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

fn apply_status(detail: &mut RunDetail, status: &StatusEvent, seq: i64) {
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

fn apply_metric(detail: &mut RunDetail, update: &MetricUpdate) {
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

fn view(update: &MetricUpdate) -> MetricView {
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
        is_group: false,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
}
