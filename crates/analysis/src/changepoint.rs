//! When did the level of a series change?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, MOST_REPLICATES, at_most, check_complete, defined};
use crate::moments::{Moments, extremes, mean};
use crate::order::{MAD_TO_SD, median_deviation};
use crate::streams::{Stream, replicate};

/// The longest series: the work grows with the square.
const MOST_POINTS: usize = 20_000;

/// Level shifts of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangepointPelt {
    /// Noise of one point, from the differences of neighbours; undefined for a series shorter
    /// than two segments, as `penalty` and `cost`.
    pub sigma: Option<f64>,
    /// What each change costs: `3 sigma² ln n`.
    pub penalty: Option<f64>,
    /// The first index of every segment but the first.
    pub breakpoints: Vec<usize>,
    /// Sum of squared deviations from the segment means, plus the penalties.
    pub cost: Option<f64>,
    /// Mean of every segment.
    pub segment_means: Vec<f64>,
}

/// Finds the level shifts that are worth their penalty: the exact optimum of the sum of squared
/// deviations from segment means plus `3 sigma² ln n` per change.
///
/// `sigma = 1.4826 MAD(differences)/√2`, or their standard deviation over √2 when the MAD is 0.
/// Segments have at least `min_size` points (3 is usual); among equal optima the last change is
/// the earliest. For series that are flat apart from shifts, like nightly runs of a reference
/// model; a rising training curve belongs into [`crate::trend`] or [`crate::forecast`] first.
///
/// ```
/// use analysis::changepoint::changepoint_pelt;
///
/// let wobble = |i: usize| if i % 2 == 0 { 0.01 } else { -0.01 };
/// let y: Vec<f64> = (0..30).map(|i| if i < 18 { 0.6 } else { 0.7 } + wobble(i)).collect();
/// assert_eq!(changepoint_pelt(&y, 3)?.breakpoints, [18]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a number is missing or infinite, or the series has more than 20 000 points.
pub fn changepoint_pelt(y: &[f64], min_size: usize) -> Result<ChangepointPelt, InputError> {
    at_most("y", y.len(), MOST_POINTS)?;
    check_complete("y", y)?;
    let min_size = min_size.max(1);
    if y.is_empty() || y.len() < min_size.saturating_mul(2) {
        return Ok(ChangepointPelt {
            sigma: None,
            penalty: None,
            breakpoints: Vec::new(),
            cost: None,
            segment_means: Vec::new(),
        });
    }
    let (lo, hi) = extremes(y);
    if lo == hi {
        return Ok(ChangepointPelt {
            sigma: Some(0.0),
            penalty: Some(0.0),
            breakpoints: Vec::new(),
            cost: Some(0.0),
            segment_means: vec![lo],
        });
    }
    let sigma = noise(y);
    let penalty = 3.0 * sigma * sigma * (y.len() as f64).ln();
    let (breakpoints, cost) = Partition::of(y).best(min_size, penalty);
    let starts = std::iter::once(0).chain(breakpoints.iter().copied());
    let ends = breakpoints.iter().copied().chain([y.len()]);
    let segment_means = starts
        .zip(ends)
        .map(|(from, to)| Moments::of(&y[from..to]).mean)
        .collect();
    Ok(ChangepointPelt {
        sigma: Some(sigma),
        penalty: Some(penalty),
        breakpoints,
        cost: defined(cost),
        segment_means,
    })
}

fn noise(y: &[f64]) -> f64 {
    let steps: Vec<f64> = y.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let robust = MAD_TO_SD * median_deviation(&steps);
    let spread = if robust > 0.0 {
        robust
    } else {
        Moments::of(&steps).sd().unwrap_or(0.0)
    };
    spread / core::f64::consts::SQRT_2
}

/// Running sums about the mean, from which any segment's cost follows.
struct Partition {
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Partition {
    fn of(y: &[f64]) -> Self {
        let centre = mean(y);
        let (mut sums, mut squares) = (vec![0.0], vec![0.0]);
        let (mut sum, mut square) = (0.0, 0.0);
        for x in y {
            let d = x - centre;
            sum += d;
            square += d * d;
            sums.push(sum);
            squares.push(square);
        }
        Self { sums, squares }
    }

    /// Sum of squared deviations of `from..to` from its mean.
    fn cost(&self, from: usize, to: usize) -> f64 {
        let sum = self.sums[to] - self.sums[from];
        (self.squares[to] - self.squares[from] - sum * sum / (to - from) as f64).max(0.0)
    }

    /// The best breakpoints and their total cost, by dynamic programming over the last change.
    fn best(&self, min_size: usize, penalty: f64) -> (Vec<usize>, f64) {
        let n = self.sums.len() - 1;
        let mut total = vec![f64::INFINITY; n + 1];
        let mut last = vec![0; n + 1];
        total[0] = -penalty;
        for to in min_size..=n {
            let (mut least, mut at) = (f64::INFINITY, 0);
            for (from, before) in total[..=to - min_size].iter().enumerate() {
                let cost = before + self.cost(from, to) + penalty;
                if cost < least {
                    (least, at) = (cost, from);
                }
            }
            (total[to], last[to]) = (least, at);
        }
        let mut breakpoints = Vec::new();
        let mut to = last[n];
        while to > 0 {
            breakpoints.push(to);
            to = last[to];
        }
        breakpoints.reverse();
        (breakpoints, total[n])
    }
}

/// The best single change by E-divisive. Undefined below two points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdivisiveCandidate {
    /// The scaled energy distance between the two sides.
    pub qhat: Option<f64>,
    /// Where the right side begins.
    pub index: Option<usize>,
    /// Where the right side ends: points from here on are left out.
    pub kappa: Option<usize>,
}

/// The most likely change of distribution (Matteson and James 2014): the split of a prefix
/// `y[..kappa]` at `index` with the largest energy distance between its sides,
/// `mn/(m+n) (2 E|X-Y| - E|X-X'| - E|Y-Y'|)`; the first of equals in (index, kappa) order.
///
/// More robust than [`changepoint_pelt`] where noise is not normal. Its significance is that of
/// [`edivisive_p`].
///
/// ```
/// use analysis::changepoint::edivisive_candidate;
///
/// let y = [0.51, 0.50, 0.50, 0.51, 0.79, 0.80, 0.79, 0.84];
/// assert_eq!(edivisive_candidate(&y)?.index, Some(4));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a number is missing or infinite, or the series has more than 20 000 points.
pub fn edivisive_candidate(y: &[f64]) -> Result<EdivisiveCandidate, InputError> {
    at_most("y", y.len(), MOST_POINTS)?;
    check_complete("y", y)?;
    Ok(candidate(y))
}

fn candidate(y: &[f64]) -> EdivisiveCandidate {
    let n = y.len();
    // Distances of each point to y[..tau], and among all of y[..kappa].
    let mut to_left = vec![0.0; n];
    let prefix = prefix_distances(y);
    let mut within_left = 0.0;
    let mut best = EdivisiveCandidate {
        qhat: None,
        index: None,
        kappa: None,
    };
    for tau in 1..n {
        within_left += to_left[tau - 1];
        let newest = y[tau - 1];
        to_left
            .iter_mut()
            .zip(y)
            .for_each(|(sum, x)| *sum += (x - newest).abs());
        let mut between = 0.0;
        for kappa in tau + 1..=n {
            between += to_left[kappa - 1];
            let within_right = prefix[kappa] - within_left - between;
            let q = energy(tau, kappa - tau, [between, within_left, within_right]);
            if best.qhat.is_none_or(|known| q > known) {
                best = EdivisiveCandidate {
                    qhat: Some(q),
                    index: Some(tau),
                    kappa: Some(kappa),
                };
            }
        }
    }
    best
}

/// The scaled energy distance of m points and k points, from the sums of distances between them
/// and within each; a single point has no distances within.
fn energy(m: usize, k: usize, [between, within_m, within_k]: [f64; 3]) -> f64 {
    let (m, k) = (m as f64, k as f64);
    let mean = |n: f64, sum: f64| if n < 2.0 { 0.0 } else { 2.0 * sum / (n * (n - 1.0)) };
    m * k / (m + k) * (2.0 * between / (m * k) - mean(m, within_m) - mean(k, within_k))
}

/// Sum of the distances of all pairs in y[..k], for each k.
fn prefix_distances(y: &[f64]) -> Vec<f64> {
    let to_earlier = |j: usize| y[..j].iter().map(|x| (x - y[j]).abs()).sum::<f64>();
    let mut sums = vec![0.0];
    for j in 0..y.len() {
        sums.push(sums[j] + to_earlier(j));
    }
    sums
}

/// The longest series whose change is tested by permutation.
const MOST_FOR_PERMUTATION: usize = 500;

/// Permutation p of the best change: how often the shuffled series has one as good,
/// `(1 + count)/(b + 1)`. Undefined below two points.
///
/// ```
/// use analysis::changepoint::edivisive_p;
///
/// let y = [0.51, 0.50, 0.50, 0.51, 0.52, 0.79, 0.80, 0.79, 0.84, 0.80];
/// assert!(edivisive_p(&y, 199, 1)? < Some(0.05));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a number is missing or infinite, the series has more than 500 points, or there are too
/// many permutations.
pub fn edivisive_p(y: &[f64], b: usize, seed: u64) -> Result<Option<f64>, InputError> {
    at_most("y", y.len(), MOST_FOR_PERMUTATION)?;
    at_most("b", b, MOST_REPLICATES)?;
    check_complete("y", y)?;
    let Some(observed) = candidate(y).qhat else {
        return Ok(None);
    };
    let reached = replicate(b, |b| {
        let mut shuffled = y.to_vec();
        Stream::new(seed, b as u64).shuffle(&mut shuffled);
        candidate(&shuffled)
            .qhat
            .is_some_and(|q| q >= observed - 1e-12 * observed.abs().max(1.0))
    });
    let count = reached.into_iter().filter(|&reached| reached).count();
    Ok(Some((1 + count) as f64 / (b + 1) as f64))
}
