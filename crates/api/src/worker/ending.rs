//! What becomes of a run and its benchmarks when an attempt ends: pure functions.

use super::step::Verdict;
use crate::db::run_benchmarks::{Ending, PickRow};
use chrono::{DateTime, Utc};
use serde_json::Value;
use types::{BenchmarkDone, BenchmarkStatus, Outcome, RunStatus};

/// How a benchmark that was not over ends with its attempt: the one that ran shares the
/// attempt's fate, the others were never reached.
pub(super) fn unfinished(pick: &PickRow, verdict: &Verdict, at: DateTime<Utc>) -> Ending {
    let ran = pick.status() == BenchmarkStatus::Running;
    let (status, outcome, message) = match verdict.outcome {
        Outcome::Cancelled => (BenchmarkStatus::Cancelled, Some(Outcome::Cancelled), None),
        Outcome::Lost if ran => (
            BenchmarkStatus::Failed,
            Some(Outcome::Lost),
            Some(format!("it ran when contact was lost: {}", sentence(verdict))),
        ),
        // An executor that ended well has told of every benchmark it reached.
        Outcome::Completed if ran => (
            BenchmarkStatus::Failed,
            Some(Outcome::Lost),
            Some("the executor ended without telling how it went".to_owned()),
        ),
        outcome if ran => (BenchmarkStatus::Failed, Some(outcome), verdict.reason.clone()),
        _ => (
            BenchmarkStatus::Cancelled,
            None,
            Some(format!("it was never reached: {}", sentence(verdict))),
        ),
    };
    Ending {
        status: status.as_str(),
        outcome: outcome.map(Outcome::as_str),
        error_message: message,
        evidence: Value::Array(Vec::new()),
        degraded: None,
        completed_at: Some(at),
        sample_count: 0,
    }
}

fn sentence(verdict: &Verdict) -> String {
    verdict
        .reason
        .clone()
        .unwrap_or_else(|| format!("the attempt ended as `{}`", verdict.outcome))
}

/// How a benchmark ends that the executor says did not complete.
pub(super) fn failed(done: &BenchmarkDone) -> Ending {
    let cancelled = done.outcome == Outcome::Cancelled;
    let status = if cancelled {
        BenchmarkStatus::Cancelled
    } else {
        BenchmarkStatus::Failed
    };
    Ending {
        status: status.as_str(),
        outcome: Some(done.outcome.as_str()),
        error_message: done.cause.clone().map(|c| c.replace('\0', "\u{FFFD}")),
        evidence: crate::db::events::without_nul(serde_json::to_value(&done.evidence).unwrap_or_default()),
        degraded: None,
        completed_at: Some(done.ended_at),
        sample_count: 0,
    }
}

/// How a benchmark ends whose results cannot be used.
pub(super) fn unreadable(done: &BenchmarkDone, reason: &str) -> Ending {
    Ending {
        status: BenchmarkStatus::Failed.as_str(),
        outcome: Some(Outcome::ResultsUnreadable.as_str()),
        error_message: Some(reason.replace('\0', "\u{FFFD}")),
        ..failed(done)
    }
}

/// How a benchmark ends whose scores are committed.
pub(super) fn completed(done: &BenchmarkDone, degraded: Option<String>, sample_count: i64) -> Ending {
    Ending {
        status: BenchmarkStatus::Completed.as_str(),
        error_message: None,
        degraded,
        sample_count,
        ..failed(done)
    }
}

/// What is said of a run whose attempt ended, and of that attempt: both end for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunVerdict {
    pub(super) status: RunStatus,
    pub(super) outcome: Outcome,
    pub(super) error_message: Option<String>,
}

/// A benchmark that is over.
#[derive(Clone, Debug)]
pub(super) struct Over {
    pub(super) name: String,
    pub(super) status: BenchmarkStatus,
    pub(super) outcome: Option<Outcome>,
    pub(super) error_message: Option<String>,
}

/// What becomes of a run. It never says just "failed": it says how many benchmarks completed, and
/// why the first of the others did not.
pub(super) fn run_verdict(verdict: &Verdict, picks: &[Over]) -> RunVerdict {
    let completed = picks
        .iter()
        .filter(|p| p.status == BenchmarkStatus::Completed)
        .count();
    if completed == picks.len() {
        return RunVerdict {
            status: RunStatus::Completed,
            outcome: Outcome::Completed,
            error_message: None,
        };
    }
    let cancelled = verdict.outcome == Outcome::Cancelled;
    let failed = picks.iter().find(|p| p.status == BenchmarkStatus::Failed);
    let outcome = match (verdict.outcome, failed.and_then(|p| p.outcome)) {
        (Outcome::Completed, Some(outcome)) => outcome,
        (Outcome::Completed, None) => Outcome::Crashed,
        (outcome, _) => outcome,
    };
    let cause = match failed {
        Some(p) => p.error_message.as_ref().map(|m| format!("`{}`: {m}", p.name)),
        None => verdict.reason.clone(),
    };
    let counted = format!("{completed} of {} benchmarks completed", picks.len());
    let error_message = match cause {
        _ if cancelled => counted,
        Some(cause) => format!("{counted}; {cause}"),
        None => counted,
    };
    RunVerdict {
        status: if cancelled {
            RunStatus::Cancelled
        } else {
            RunStatus::Failed
        },
        outcome,
        error_message: Some(error_message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(name: &str, status: BenchmarkStatus, outcome: Option<Outcome>, message: Option<&str>) -> Over {
        Over {
            name: name.into(),
            status,
            outcome,
            error_message: message.map(str::to_owned),
        }
    }

    #[test]
    fn a_run_tells_how_many_and_why() {
        let picks = [
            over("a", BenchmarkStatus::Completed, Some(Outcome::Completed), None),
            over(
                "b",
                BenchmarkStatus::Failed,
                Some(Outcome::TaskNotFound),
                Some("no such task"),
            ),
        ];
        let ended = Verdict {
            outcome: Outcome::Completed,
            reason: None,
            exit: None,
        };
        let said = run_verdict(&ended, &picks);
        assert_eq!(
            (said.status, said.outcome),
            (RunStatus::Failed, Outcome::TaskNotFound)
        );
        assert_eq!(
            said.error_message.as_deref(),
            Some("1 of 2 benchmarks completed; `b`: no such task")
        );
        assert_eq!(run_verdict(&ended, &picks[..1]).status, RunStatus::Completed);
    }

    #[test]
    fn a_cancelled_run_blames_nobody() {
        let picks = [over("a", BenchmarkStatus::Cancelled, None, Some("x"))];
        let said = run_verdict(&Verdict::new(Outcome::Cancelled, "a user"), &picks);
        assert_eq!(said.status, RunStatus::Cancelled);
        assert_eq!(said.error_message.as_deref(), Some("0 of 1 benchmarks completed"));
    }

    #[test]
    fn a_loss_is_the_runs_outcome() {
        let picks = [over(
            "a",
            BenchmarkStatus::Failed,
            Some(Outcome::Lost),
            Some("gone"),
        )];
        let said = run_verdict(&Verdict::new(Outcome::Lost, "the executor is gone"), &picks);
        assert_eq!((said.status, said.outcome), (RunStatus::Failed, Outcome::Lost));
    }
}
