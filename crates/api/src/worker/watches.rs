//! How long attempts have been watched, and how long their executors have been silent.
//!
//! Measured by this process alone: a clock that somebody sets, here or on the database's machine,
//! ends nothing. After a restart the durations begin anew, so that reporters get time to come back.

use crate::db::attempts::WatchedRow;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What is remembered of each run.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<HashMap<Uuid, Watch>>);

#[derive(Clone, Copy, Debug)]
struct Watch {
    epoch: i32,
    first: Instant,
    heartbeat: Option<DateTime<Utc>>,
    heard: Instant,
}

impl Watches {
    /// How long an attempt has been watched and how long it has been silent.
    pub(super) fn look(&self, attempt: &WatchedRow, now: Instant) -> (Duration, Duration) {
        self.note(attempt.run_id, attempt.epoch, attempt.heartbeat_at, now)
    }

    fn note(
        &self,
        run: Uuid,
        epoch: i32,
        heartbeat: Option<DateTime<Utc>>,
        now: Instant,
    ) -> (Duration, Duration) {
        let new = Watch {
            epoch,
            first: now,
            heartbeat,
            heard: now,
        };
        let mut watches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = watches.entry(run).or_insert(new);
        if watch.epoch != epoch {
            *watch = new;
        } else if watch.heartbeat != heartbeat {
            // Which of the two is later does not matter: it was written since the last look.
            (watch.heartbeat, watch.heard) = (heartbeat, now);
        }
        (
            now.saturating_duration_since(watch.first),
            now.saturating_duration_since(watch.heard),
        )
    }

    /// Forgets all runs but these.
    pub(super) fn keep(&self, runs: &[Uuid]) {
        let mut watches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|run, _| runs.contains(run));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Uuid = Uuid::from_u128(7);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn only_news_ends_a_silence_whatever_its_clock_says() {
        let (watches, begin) = (Watches::default(), Instant::now());
        let at = |clock: i64, passed: u64| {
            let heartbeat = DateTime::from_timestamp(clock, 0);
            watches.note(RUN, 1, heartbeat, begin + seconds(passed))
        };
        assert_eq!(at(100, 0), (seconds(0), seconds(0)));
        assert_eq!(at(100, 9), (seconds(9), seconds(9)));
        assert_eq!(
            at(-3500, 10),
            (seconds(10), seconds(0)),
            "a clock that was set back"
        );
        assert_eq!(at(-3500, 12), (seconds(12), seconds(2)));
    }

    #[test]
    fn another_attempt_begins_anew_and_what_is_not_kept_is_forgotten() {
        let (watches, begin) = (Watches::default(), Instant::now());
        watches.note(RUN, 1, None, begin);
        assert_eq!(watches.note(RUN, 2, None, begin + seconds(5)).0, seconds(0));
        watches.keep(&[]);
        assert_eq!(watches.note(RUN, 2, None, begin + seconds(9)).0, seconds(0));
    }
}
