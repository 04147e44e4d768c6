//! From the news of a batch to what they change: no I/O.

use crate::db::attempts::BatchChanges;
use crate::db::events::without_nul;
use crate::ingest::lines::clipped;
use chrono::{DateTime, Utc};
use types::{AttemptExit, AttemptState, BenchmarkDone, GpuSample, News, RunBenchmarkId};

/// The running benchmark as the last progress of a batch tells it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Progress {
    pub(super) pick: RunBenchmarkId,
    pub(super) done: Option<u64>,
    pub(super) total: Option<u64>,
    pub(super) items_per_second: Option<f64>,
    pub(super) eta_seconds: Option<f64>,
    pub(super) phase: Option<String>,
    pub(super) at: DateTime<Utc>,
    pub(super) gpus: Vec<GpuSample>,
}

/// Something to be written for each piece of news but progress, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Note {
    Started {
        pid: u32,
        at: DateTime<Utc>,
    },
    Begun {
        pick: RunBenchmarkId,
        at: DateTime<Utc>,
    },
    Done {
        pick: RunBenchmarkId,
        done: Box<BenchmarkDone>,
    },
    Media {
        pick: RunBenchmarkId,
    },
    Notice {
        message: String,
        at: DateTime<Utc>,
    },
    Exited {
        exit: Box<AttemptExit>,
    },
}

/// What a batch changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) attempt: BatchChanges,
    pub(super) notes: Vec<Note>,
    pub(super) progress: Option<Progress>,
    /// Whether the worker has something to do.
    pub(super) wakes_worker: bool,
}

/// Sorts the news of a batch by what they change.
pub(super) fn changes(news: Vec<News>, state: AttemptState) -> Changes {
    let mut changes = Changes::default();
    let mut now = state;
    for item in news {
        now = take(&mut changes, item, now);
    }
    if now != state {
        changes.attempt.state = Some(now.as_str());
    }
    changes
}

/// Notes one piece of news; returns the state that the attempt is in after it.
fn take(changes: &mut Changes, news: News, state: AttemptState) -> AttemptState {
    match news {
        News::Started { host: _, pid, at } => {
            changes.attempt.pid = i32::try_from(pid).ok();
            changes.attempt.started_at = Some(at);
            changes.notes.push(Note::Started { pid, at });
            return state.max(AttemptState::Starting);
        }
        News::Environment { record } => changes.attempt.environment = Some(without_nul(record)),
        News::Progress {
            run_benchmark_id,
            done,
            total,
            items_per_second,
            eta_seconds,
            phase,
            at,
            gpus,
        } => {
            changes.progress = Some(Progress {
                pick: run_benchmark_id,
                done,
                total,
                items_per_second: items_per_second.filter(|x| x.is_finite() && *x >= 0.0),
                eta_seconds: eta_seconds.filter(|x| x.is_finite() && *x >= 0.0),
                phase: phase.map(|p| clipped(&p, 200)),
                at,
                gpus,
            });
        }
        News::BenchmarkStarted { run_benchmark_id, at } => {
            changes.notes.push(Note::Begun {
                pick: run_benchmark_id,
                at,
            });
            return state.max(AttemptState::Running);
        }
        News::BenchmarkFinished {
            run_benchmark_id,
            done,
        } => {
            changes.wakes_worker = true;
            let done = Box::new(done);
            changes.notes.push(Note::Done {
                pick: run_benchmark_id,
                done,
            });
            return state.max(AttemptState::Running);
        }
        News::MediaUploaded { run_benchmark_id } => {
            changes.wakes_worker = true;
            changes.notes.push(Note::Media {
                pick: run_benchmark_id,
            });
        }
        News::Exited { exit } => {
            changes.wakes_worker = true;
            changes.attempt.exit = serde_json::to_value(&exit).ok().map(without_nul);
            changes.notes.push(Note::Exited { exit: Box::new(exit) });
        }
        News::Notice { message, at } => {
            let message = clipped(&message, 2000);
            changes.notes.push(Note::Notice { message, at });
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn progress(done: u64) -> News {
        News::Progress {
            run_benchmark_id: RunBenchmarkId(Uuid::nil()),
            done: Some(done),
            total: Some(10),
            items_per_second: Some(f64::INFINITY),
            eta_seconds: Some(3.0),
            phase: Some("inferring\0".into()),
            at: at(),
            gpus: vec![],
        }
    }

    #[test]
    fn only_the_last_progress_counts() {
        let changes = changes(vec![progress(1), progress(2)], AttemptState::Running);
        let progress = changes.progress.unwrap();
        assert_eq!((progress.done, progress.items_per_second), (Some(2), None));
        assert_eq!(progress.phase.as_deref(), Some("inferring\u{FFFD}"));
        assert_eq!(changes.attempt.state, None);
    }

    #[test]
    fn an_attempt_only_goes_forward() {
        let begun = News::BenchmarkStarted {
            run_benchmark_id: RunBenchmarkId(Uuid::nil()),
            at: at(),
        };
        let started = News::Started {
            host: "h".into(),
            pid: 7,
            at: at(),
        };
        let changes = changes(vec![begun, started], AttemptState::Submitted);
        assert_eq!(changes.attempt.state, Some("running"));
        assert!(!changes.wakes_worker);
    }
}
