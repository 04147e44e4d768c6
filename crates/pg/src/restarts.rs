//! How often a server that ends by itself is started again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const MOST: usize = 3;
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// The restarts of the last five minutes.
#[derive(Debug, Default)]
pub(crate) struct Restarts(VecDeque<Instant>);

/// When to try next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// After a short pause.
    Soon(Duration),
    /// The attempts of this window are spent; the next window opens after this time, because
    /// a cause such as a full disk may have gone by then.
    Later(Duration),
}

impl Restarts {
    /// When the next attempt is due.
    pub(crate) fn next(&mut self, now: Instant) -> Next {
        while self.0.front().is_some_and(|first| now >= *first + WINDOW) {
            self.0.pop_front();
        }
        match (self.0.len(), self.0.front()) {
            (MOST.., Some(first)) => Next::Later((*first + WINDOW).saturating_duration_since(now)),
            (0, _) => Next::Soon(Duration::from_millis(100)),
            (1, _) => Next::Soon(Duration::from_secs(1)),
            _ => Next::Soon(Duration::from_secs(5)),
        }
    }

    /// Counts an attempt.
    pub(crate) fn count(&mut self, now: Instant) {
        self.0.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_attempts_then_a_rest_until_the_window_moves_on() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut restarts = Restarts::default();
        for (second, pause) in [(0, 100), (10, 1000), (20, 5000)] {
            let soon = Next::Soon(Duration::from_millis(pause));
            assert_eq!(restarts.next(at(second)), soon);
            restarts.count(at(second));
        }
        assert_eq!(restarts.next(at(30)), Next::Later(Duration::from_secs(270)));
        assert_eq!(restarts.next(at(300)), Next::Soon(Duration::from_secs(5)));
        assert_eq!(restarts.next(at(1000)), Next::Soon(Duration::from_millis(100)));
    }
}
