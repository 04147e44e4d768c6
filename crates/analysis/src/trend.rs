//! Does the score change over checkpoints?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, at_most, check, check_level, same_length};
use crate::order::{median, median_in_place, ranks, sorted};
use crate::special::{kendall_exact, norm_ppf, norm_sf};

/// The most points: all pairs are looked at.
const MOST_POINTS: usize = 10_000;

/// The most points for which Kendall's distribution is enumerated.
const MOST_FOR_EXACT: usize = 33;

/// Mann and Kendall's test with Theil and Sen's slope. All undefined below three points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Points with both time and score.
    pub n: usize,
    /// Pairs that rise minus pairs that fall.
    pub s: Option<i64>,
    /// Variance of `s` without a trend, corrected for equal scores.
    pub var_s: Option<f64>,
    /// `s`, moved by one towards 0, in standard units.
    pub z: Option<f64>,
    /// Two-sided p of `z`. Too small when neighbouring checkpoints are correlated: show the
    /// slope's interval rather.
    pub p: Option<f64>,
    /// `s` over the number of pairs.
    pub tau_a: Option<f64>,
    /// Exact two-sided p, for at most 33 points without ties: the one to use below 10.
    pub p_exact: Option<f64>,
    /// Median of the slopes of all pairs, in units of score per unit of time.
    pub slope: Option<f64>,
    /// `median(y) - slope · median(t)`.
    pub intercept: Option<f64>,
    /// Lower confidence limit of `slope` (Sen 1968).
    pub slope_lo: Option<f64>,
    /// Upper confidence limit of `slope`.
    pub slope_hi: Option<f64>,
}

/// Tests for a monotone trend of `y` over `t` and estimates its slope, without assuming a
/// distribution.
///
/// `S = Σ sign(t_j - t_i) sign(y_j - y_i)` over all pairs, with variance
/// `(n(n-1)(2n+5) - Σ k(k-1)(2k+5))/18`, k the sizes of groups of equal y (Mann 1945, Kendall). The
/// limits of the slope are the pairwise slopes whose ranks lie `z_{(1+level)/2}·√Var S` apart
/// about the middle. Assumes independent points.
///
/// ```
/// use analysis::trend::trend;
///
/// let of = trend(&[1.0, 2.0, 3.0, 4.0, 5.0], &[0.1, 0.2, 0.3, 0.4, 0.5], 0.95)?;
/// assert_eq!((of.s, of.tau_a), (Some(10), Some(1.0)));
/// assert!((of.slope.expect("five points") - 0.1).abs() < 1e-12);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a number is infinite, `level` is not between 0 and 1, or there are
/// more than 10 000 points. NaN is missing: the point is left out.
pub fn trend(t: &[f64], y: &[f64], level: f64) -> Result<Trend, InputError> {
    check_level("level", level)?;
    same_length("y", y.len(), t.len())?;
    at_most("points", t.len(), MOST_POINTS)?;
    check("t", t)?;
    check("y", y)?;
    let points: Vec<(f64, f64)> = t
        .iter()
        .copied()
        .zip(y.iter().copied())
        .filter(|(t, y)| !t.is_nan() && !y.is_nan())
        .collect();
    let n = points.len();
    if n < 3 {
        return Ok(Trend {
            n,
            ..Trend::default()
        });
    }
    let (t, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let ((_, ties_t), (_, ties_y)) = (ranks(&t), ranks(&y));
    let s = kendall_score(&points);
    let pairs = n * (n - 1) / 2;
    let var_s = (spread(n as f64) - ties_y.iter().map(|&k| spread(k)).sum::<f64>()) / 18.0;
    let z = if var_s > 0.0 {
        (s - s.signum()) as f64 / var_s.sqrt()
    } else {
        0.0
    };
    let exact = ties_t.is_empty() && ties_y.is_empty() && n <= MOST_FOR_EXACT;
    let line = Sen::of(&points, &ties_t, &ties_y, level);
    Ok(Trend {
        n,
        s: Some(s),
        var_s: Some(var_s),
        z: Some(z),
        p: Some(2.0 * norm_sf(z.abs())),
        tau_a: Some(s as f64 / pairs as f64),
        p_exact: exact.then(|| kendall_exact(n, (pairs as i64 - s) as usize / 2)),
        slope: line.as_ref().map(|line| line.slope),
        intercept: line.as_ref().map(|line| median(&y) - line.slope * median(&t)),
        slope_lo: line.as_ref().map(|line| line.lo),
        slope_hi: line.as_ref().map(|line| line.hi),
    })
}

impl Default for Trend {
    /// Nothing known.
    fn default() -> Self {
        Self {
            n: 0,
            s: None,
            var_s: None,
            z: None,
            p: None,
            tau_a: None,
            p_exact: None,
            slope: None,
            intercept: None,
            slope_lo: None,
            slope_hi: None,
        }
    }
}

/// `k(k-1)(2k+5)`, the part of a group of k in the variance of S.
fn spread(k: f64) -> f64 {
    k * (k - 1.0) * (2.0 * k + 5.0)
}

fn kendall_score(points: &[(f64, f64)]) -> i64 {
    let sign = |x: f64| i64::from(x > 0.0) - i64::from(x < 0.0);
    let pair = |a: &(f64, f64), b: &(f64, f64)| sign(b.0 - a.0) * sign(b.1 - a.1);
    let with_later = |(i, a)| points[i + 1..].iter().map(|b| pair(a, b)).sum::<i64>();
    points.iter().enumerate().map(with_later).sum()
}

/// Theil and Sen's slope with its confidence limits.
struct Sen {
    slope: f64,
    lo: f64,
    hi: f64,
}

impl Sen {
    /// `None` when all points share one time.
    fn of(points: &[(f64, f64)], ties_t: &[f64], ties_y: &[f64], level: f64) -> Option<Self> {
        let mut slopes = Vec::new();
        for (i, a) in points.iter().enumerate() {
            let later = points[i + 1..].iter().filter(|b| b.0 != a.0);
            slopes.extend(later.map(|b| (b.1 - a.1) / (b.0 - a.0)).filter(|x| x.is_finite()));
        }
        let last = slopes.len().checked_sub(1)?;
        let ties = ties_t.iter().chain(ties_y).map(|&k| spread(k)).sum::<f64>();
        let sigma = ((spread(points.len() as f64) - ties) / 18.0).max(0.0).sqrt();
        let (count, reach) = (slopes.len() as f64, norm_ppf(0.5 + level / 2.0) * sigma);
        let at = |x: f64| x.round_ties_even().clamp(0.0, last as f64) as usize;
        let (lo, hi) = (
            at(((count - reach) / 2.0).round_ties_even() - 1.0),
            at((count + reach) / 2.0),
        );
        let ascending = sorted(&slopes);
        Some(Self {
            slope: median_in_place(&mut slopes),
            lo: ascending[lo],
            hi: ascending[hi],
        })
    }
}
