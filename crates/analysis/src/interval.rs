//! A pair of limits, and the intervals of a mean.

use serde::{Deserialize, Serialize};

use crate::special::{norm_ppf, t_ppf};

/// Two limits. The field that holds it says what it is an interval of, and at which level.
///
/// In JSON it is an array of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// The lower limit.
    pub lo: f64,
    /// The upper limit.
    pub hi: f64,
}

impl Interval {
    /// Whether `x` lies between the limits or on one of them.
    #[must_use]
    pub fn contains(&self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }

    /// The part of the interval inside `lo` to `hi`: for drawing a bounded score, not for tests.
    #[must_use]
    pub fn clip(&self, lo: f64, hi: f64) -> Self {
        Self {
            lo: self.lo.max(lo).min(hi),
            hi: self.hi.min(hi).max(lo),
        }
    }

    /// `None` unless both limits are finite.
    pub(crate) fn new(lo: f64, hi: f64) -> Option<Self> {
        (lo.is_finite() && hi.is_finite()).then_some(Self { lo, hi })
    }

    /// `centre ± half`.
    pub(crate) fn around(centre: f64, half: f64) -> Option<Self> {
        Self::new(centre - half, centre + half)
    }

    /// `mean ± t·se` with `df` degrees of freedom.
    pub(crate) fn student(mean: f64, se: f64, df: f64, level: f64) -> Option<Self> {
        if df <= 0.0 {
            return None;
        }
        Self::around(
            mean,
            if se == 0.0 {
                0.0
            } else {
                t_ppf(0.5 + level / 2.0, df) * se
            },
        )
    }

    /// `mean ± z·se`.
    pub(crate) fn normal(mean: f64, se: f64, level: f64) -> Option<Self> {
        Self::around(mean, norm_ppf(0.5 + level / 2.0) * se)
    }
}

impl From<[f64; 2]> for Interval {
    fn from([lo, hi]: [f64; 2]) -> Self {
        Self { lo, hi }
    }
}

impl From<Interval> for [f64; 2] {
    fn from(of: Interval) -> Self {
        [of.lo, of.hi]
    }
}
