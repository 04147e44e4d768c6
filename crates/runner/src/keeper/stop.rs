//! Stopping: politely, then less so.

use crate::{engine::CancelReason, job::Limits};
use std::time::{Duration, Instant};
use types::Outcome;

/// Why processes are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Somebody asked for it.
    Cancel(CancelReason),
    /// The keeper got this signal.
    Signal(i32),
    /// The attempt has lasted too long.
    WallClock,
    /// The running benchmark says nothing any more.
    Stalled,
    /// The output is too long.
    LogLimit,
}

impl Why {
    /// Whether the attempt ends with it, and not only the running benchmark.
    pub(super) fn is_final(self) -> bool {
        self != Self::Stalled
    }

    /// The outcome of what is stopped.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Cancel(CancelReason::User | CancelReason::Fenced) => Outcome::Cancelled,
            Self::Cancel(CancelReason::WallClock) | Self::WallClock => Outcome::TimedOut,
            Self::Cancel(CancelReason::Stalled) | Self::Stalled => Outcome::Stalled,
            Self::Signal(_) => Outcome::Killed,
            Self::LogLimit => Outcome::Crashed,
        }
    }

    /// In one sentence.
    pub(super) fn sentence(self, limits: &Limits) -> String {
        match self {
            Self::Cancel(CancelReason::User) => "stopped by a user".to_owned(),
            Self::Cancel(CancelReason::Fenced) => "a newer attempt has taken over".to_owned(),
            Self::Cancel(CancelReason::Stalled) => "no progress was seen from outside".to_owned(),
            Self::Cancel(CancelReason::WallClock) => "the time limit was reached".to_owned(),
            Self::Signal(number) => format!("the executor got signal {number}"),
            Self::WallClock => {
                let limit = limits.wall_clock_s.unwrap_or_default();
                format!("the time limit of {limit} s was reached")
            }
            Self::Stalled => "no output for too long".to_owned(),
            Self::LogLimit => format!("the output exceeds {} bytes", limits.max_log_bytes),
        }
    }
}

/// What to send now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Send {
    /// SIGINT to the group: Python unwinds.
    Int,
    /// SIGTERM to the group.
    Term,
    /// SIGKILL to every descendant.
    Kill,
}

/// A stop that is under way.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) why: Why,
    begin: Instant,
    sent: Option<Send>,
}

impl Stop {
    pub(super) fn new(why: Why, now: Instant) -> Self {
        Self {
            why,
            begin: now,
            sent: None,
        }
    }

    /// What is due; each thing once, except the last, which is repeated.
    pub(super) fn step(&mut self, now: Instant, limits: &Limits) -> Option<Send> {
        let term = Duration::from_millis(limits.grace_int_ms);
        let kill = term + Duration::from_millis(limits.grace_term_ms);
        let due = match now.saturating_duration_since(self.begin) {
            past if past >= kill => Send::Kill,
            past if past >= term => Send::Term,
            _ => Send::Int,
        };
        let is_new = self.sent != Some(due) || due == Send::Kill;
        self.sent = Some(due);
        is_new.then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escalates_once_each() {
        let limits = Limits {
            grace_int_ms: 100,
            grace_term_ms: 50,
            ..Limits::default()
        };
        let begin = Instant::now();
        let mut stop = Stop::new(Why::Stalled, begin);
        let mut at = |ms| stop.step(begin + Duration::from_millis(ms), &limits);
        assert_eq!([at(0), at(99)], [Some(Send::Int), None]);
        assert_eq!([at(100), at(149)], [Some(Send::Term), None]);
        assert_eq!([at(150), at(200)], [Some(Send::Kill), Some(Send::Kill)]);
    }
}
