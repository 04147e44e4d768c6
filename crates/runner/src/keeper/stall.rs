//! The watchdog over silence.
//!
//! How long lmms-eval may say nothing depends on the model and the task: it is measured against
//! what this process has done so far, and never called a stall below a floor.

use crate::job::Limits;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How many gaps are remembered, and how few are too few to judge by.
const REMEMBERED: usize = 256;
const ENOUGH: usize = 8;

/// Watches how much output there is.
#[derive(Debug)]
pub(super) struct Stall {
    floor: Option<Duration>,
    factor: f64,
    size: u64,
    changed: Instant,
    gaps: VecDeque<Duration>,
}

impl Stall {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            floor: limits.stall_s.map(Duration::from_secs),
            factor: limits.stall_factor.clamp(1.0, 1e6),
            size: 0,
            changed: now,
            gaps: VecDeque::new(),
        }
    }

    /// Takes the size of the output now; true when the silence is too long.
    pub(super) fn step(&mut self, now: Instant, size: u64) -> bool {
        let silence = now.saturating_duration_since(self.changed);
        if size != self.size {
            self.size = size;
            self.changed = now;
            self.remember(silence);
            return false;
        }
        self.floor
            .is_some_and(|floor| silence > floor.max(self.expected()))
    }

    fn remember(&mut self, gap: Duration) {
        if self.gaps.len() == REMEMBERED {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }

    fn expected(&self) -> Duration {
        if self.gaps.len() < ENOUGH {
            return Duration::ZERO;
        }
        let mut gaps: Vec<Duration> = self.gaps.iter().copied().collect();
        let middle = gaps.len() / 2;
        let (_, median, _) = gaps.select_nth_unstable(middle);
        median.mul_f64(self.factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(stall_s: Option<u64>) -> (Stall, Instant) {
        let limits = Limits {
            stall_s,
            stall_factor: 10.0,
            ..Limits::default()
        };
        let now = Instant::now();
        (Stall::new(&limits, now), now)
    }

    #[test]
    fn silence_up_to_the_floor_is_no_stall() {
        let (mut stall, begin) = watch(Some(60));
        assert!(!stall.step(begin + Duration::from_secs(60), 0));
        assert!(stall.step(begin + Duration::from_secs(61), 0));
        assert!(!stall.step(begin + Duration::from_secs(62), 1));
        assert!(!stall.step(begin + Duration::from_secs(122), 1));
        assert!(stall.step(begin + Duration::from_secs(123), 1));
    }

    #[test]
    fn a_slow_talker_gets_more_time() {
        let (mut stall, begin) = watch(Some(60));
        for n in 1..=20 {
            assert!(!stall.step(begin + Duration::from_secs(30 * n), n));
        }
        let last = begin + Duration::from_secs(600);
        assert!(!stall.step(last + Duration::from_secs(299), 20));
        assert!(stall.step(last + Duration::from_secs(301), 20));
    }

    #[test]
    fn can_be_turned_off() {
        let (mut stall, begin) = watch(None);
        assert!(!stall.step(begin + Duration::from_secs(1 << 30), 0));
    }
}
