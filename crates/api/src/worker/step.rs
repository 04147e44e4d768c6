//! What to do next about an attempt: a pure function of what is known about it.
//!
//! The order of evidence is the report of the end, `exit.json`, a live executor, and then what
//! the engine says. An attempt is never executed again; what is lost is lost.

use std::time::Duration;
use types::{AttemptExit, AttemptState, Outcome};

/// How long a launched executor may take to claim its attempt.
pub(super) const CLAIM_PATIENCE: Duration = Duration::from_secs(30);
/// After how long without a claim it is launched again, which is harmless.
pub(super) const RELAUNCH: Duration = Duration::from_secs(5);

/// What the engine saw.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Observed {
    /// Nobody has claimed the attempt.
    Unclaimed,
    /// Its executor is alive.
    Alive,
    /// It left an `exit.json`.
    Exited(Box<AttemptExit>),
    /// It is gone without one; why, in one sentence.
    Lost(String),
    /// The engine cannot say now.
    Unknown,
}

/// What is known about an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts {
    /// Where it is.
    pub(super) state: AttemptState,
    /// Whether a user asked to stop it.
    pub(super) cancel_requested: bool,
    /// The end that its reporter told.
    pub(super) reported: Option<AttemptExit>,
    /// What the engine saw.
    pub(super) observed: Observed,
    /// How long its reporter has been silent.
    pub(super) silence: Duration,
    /// Silence after which a reporter is given up.
    pub(super) patience: Duration,
    /// How long this worker has watched it.
    pub(super) age: Duration,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Nothing, for now.
    Wait,
    /// Prepare the folder and launch the executor.
    Prepare,
    /// Launch the prepared executor again.
    Launch,
    /// Ask the executor to stop.
    Cancel,
    /// Take what the folder proves, then end it.
    SalvageAndEnd(Verdict),
    /// See to it that it never begins, then end it.
    ForbidAndEnd(Verdict),
    /// End it: everything has been reported.
    End(Verdict),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    /// Why.
    pub(super) outcome: Outcome,
    /// In one sentence.
    pub(super) reason: Option<String>,
    /// Its `exit.json`, where there is one.
    pub(super) exit: Option<Box<AttemptExit>>,
}

impl Verdict {
    fn of_exit(exit: AttemptExit) -> Self {
        Self {
            outcome: exit.outcome,
            reason: exit.reason.clone(),
            exit: Some(Box::new(exit)),
        }
    }

    /// An end without an `exit.json`.
    pub(super) fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: Some(reason.into()),
            exit: None,
        }
    }

    /// The state of the attempt, given whether every benchmark of the run completed.
    pub(super) fn state(&self, all_completed: bool) -> AttemptState {
        match self.outcome {
            _ if all_completed => AttemptState::Succeeded,
            Outcome::Cancelled => AttemptState::Cancelled,
            Outcome::Lost => AttemptState::Lost,
            Outcome::TimedOut => AttemptState::TimedOut,
            _ => AttemptState::Failed,
        }
    }
}

/// What to do next about an attempt.
pub(super) fn step(facts: Facts) -> Effect {
    if let Some(exit) = facts.reported {
        return Effect::End(Verdict::of_exit(exit));
    }
    match facts.observed {
        // The reporter may still be sending; what it cannot send is in the folder.
        Observed::Exited(exit) if facts.silence > facts.patience => {
            Effect::SalvageAndEnd(Verdict::of_exit(*exit))
        }
        Observed::Exited(_) | Observed::Unknown => Effect::Wait,
        Observed::Lost(reason) => Effect::SalvageAndEnd(Verdict::new(Outcome::Lost, reason)),
        Observed::Alive if facts.cancel_requested => Effect::Cancel,
        Observed::Alive => Effect::Wait,
        Observed::Unclaimed => unclaimed(facts.state, facts.cancel_requested, facts.age),
    }
}

fn unclaimed(state: AttemptState, cancel_requested: bool, age: Duration) -> Effect {
    match state {
        AttemptState::Claimed if cancel_requested => {
            Effect::End(Verdict::new(Outcome::Cancelled, "it was stopped before it began"))
        }
        AttemptState::Claimed => Effect::Prepare,
        _ if age > CLAIM_PATIENCE && cancel_requested => {
            Effect::ForbidAndEnd(Verdict::new(Outcome::Cancelled, "it was stopped before it began"))
        }
        _ if age > CLAIM_PATIENCE => Effect::ForbidAndEnd(Verdict::new(
            Outcome::StartFailed,
            format!("the executor did not begin within {} s", CLAIM_PATIENCE.as_secs()),
        )),
        // Its claim will find the request.
        _ if cancel_requested => Effect::Cancel,
        _ if age > RELAUNCH => Effect::Launch,
        _ => Effect::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn exit(outcome: Outcome) -> AttemptExit {
        AttemptExit {
            outcome,
            reason: None,
            processes: vec![],
            killed_leftovers: 0,
            dropped_bytes: 0,
            started_at: DateTime::UNIX_EPOCH,
            ended_at: DateTime::UNIX_EPOCH,
        }
    }

    fn facts(observed: Observed) -> Facts {
        Facts {
            state: AttemptState::Running,
            cancel_requested: false,
            reported: None,
            observed,
            silence: Duration::from_secs(1),
            patience: Duration::from_secs(15),
            age: Duration::from_secs(60),
        }
    }

    #[test]
    fn a_reported_end_outweighs_everything() {
        let told = Facts {
            reported: Some(exit(Outcome::Completed)),
            cancel_requested: true,
            ..facts(Observed::Lost("gone".into()))
        };
        assert!(matches!(step(told), Effect::End(v) if v.outcome == Outcome::Completed));
    }

    #[test]
    fn an_exit_file_waits_for_the_reporter_and_outweighs_a_loss() {
        let seen = facts(Observed::Exited(Box::new(exit(Outcome::Crashed))));
        assert_eq!(step(seen.clone()), Effect::Wait);
        let silent = Facts {
            silence: Duration::from_secs(16),
            ..seen
        };
        assert!(
            matches!(step(silent), Effect::SalvageAndEnd(v) if v.outcome == Outcome::Crashed && v.exit.is_some())
        );
    }

    #[test]
    fn a_lost_executor_is_never_started_again() {
        let lost = step(facts(Observed::Lost("the executor is gone".into())));
        assert!(matches!(lost, Effect::SalvageAndEnd(v) if v.outcome == Outcome::Lost));
    }

    #[test]
    fn only_a_claimed_attempt_is_prepared() {
        let at = |state, age| {
            let age = Duration::from_secs(age);
            step(Facts {
                state,
                age,
                ..facts(Observed::Unclaimed)
            })
        };
        assert_eq!(at(AttemptState::Claimed, 0), Effect::Prepare);
        assert_eq!(at(AttemptState::Submitted, 1), Effect::Wait);
        assert_eq!(at(AttemptState::Submitting, 6), Effect::Launch);
        assert!(
            matches!(at(AttemptState::Submitted, 31), Effect::ForbidAndEnd(v) if v.outcome == Outcome::StartFailed)
        );
    }

    #[test]
    fn a_cancel_reaches_every_state() {
        let cancelled = |state, observed, age| {
            step(Facts {
                state,
                cancel_requested: true,
                age: Duration::from_secs(age),
                ..facts(observed)
            })
        };
        let ended = cancelled(AttemptState::Claimed, Observed::Unclaimed, 0);
        assert!(matches!(ended, Effect::End(v) if v.outcome == Outcome::Cancelled));
        assert_eq!(
            cancelled(AttemptState::Submitted, Observed::Unclaimed, 1),
            Effect::Cancel
        );
        assert_eq!(
            cancelled(AttemptState::Running, Observed::Alive, 1),
            Effect::Cancel
        );
        let late = cancelled(AttemptState::Submitted, Observed::Unclaimed, 31);
        assert!(matches!(late, Effect::ForbidAndEnd(v) if v.outcome == Outcome::Cancelled));
    }

    #[test]
    fn completed_benchmarks_outweigh_a_late_cancel() {
        assert_eq!(
            Verdict::new(Outcome::Cancelled, "").state(true),
            AttemptState::Succeeded
        );
        assert_eq!(
            Verdict::new(Outcome::Cancelled, "").state(false),
            AttemptState::Cancelled
        );
        assert_eq!(
            Verdict::new(Outcome::Stalled, "").state(false),
            AttemptState::Failed
        );
        assert_eq!(
            Verdict::new(Outcome::TimedOut, "").state(false),
            AttemptState::TimedOut
        );
    }
}
