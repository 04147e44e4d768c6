//! What is known about a run, and how each message changes it. No browser, no clock: the socket feeds it.

mod apply;

use std::collections::{BTreeMap, VecDeque};

use types::{
    ErrorEvent, GpuSample, LiveEvent, LiveMessage, LogLine, LogPage, MetricList, MetricView, ProgressEvent,
    RunDetail, RunStatus,
};

use apply::{apply_metric, apply_progress, apply_status, view};

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

#[cfg(test)]
mod tests;
