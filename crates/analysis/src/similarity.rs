//! Which benchmarks say the same?

use kodama::Method;
use serde::{Deserialize, Serialize};

use crate::input::{InputError, at_most, check, check_complete, check_level, domain, same_length};
use crate::interval::Interval;
use crate::moments::{Moments, products_about, standardised};
use crate::order::ranks;
use crate::special::{kendall_exact, norm_ppf, norm_sf, t_two_sided};

/// The most points: Kendall's τ looks at all pairs.
const MOST_POINTS: usize = 10_000;

/// The most points for which Kendall's distribution is enumerated.
const MOST_FOR_EXACT: usize = 33;

/// The most items of a clustering.
const MOST_ITEMS: usize = 5_000;

/// Three correlations. Undefined below three points or when a side is constant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Correlation {
    /// Points with both numbers.
    pub n: usize,
    /// Pearson's r: linear.
    pub pearson: Option<f64>,
    /// Two-sided p of `pearson` by Student's t; 0 when the points are on a line.
    pub p_pearson: Option<f64>,
    /// Confidence interval by Fisher's z with standard error `1/√(n-3)`; undefined when |r| = 1.
    pub ci_pearson: Option<Interval>,
    /// Spearman's ρ: Pearson's r of the ranks.
    pub spearman: Option<f64>,
    /// Two-sided p of `spearman` by Student's t.
    pub p_spearman: Option<f64>,
    /// Confidence interval by Fisher's z with `√((1 + ρ²/2)/(n-3))` (Bonett and Wright 2000).
    pub ci_spearman: Option<Interval>,
    /// Kendall's τ-b: concordant minus discordant pairs, corrected for ties.
    pub kendall_b: Option<f64>,
    /// Two-sided p of `kendall_b` by its normal approximation.
    pub p_kendall: Option<f64>,
    /// Exact two-sided p, for at most 33 points without ties.
    pub p_kendall_exact: Option<f64>,
    /// Confidence interval by Fisher's z with `√(0.437/(n-4))` (Fieller et al. 1957).
    pub ci_kendall: Option<Interval>,
}

/// Correlations of two benchmarks over models, with intervals.
///
/// A point with a missing number (NaN) is left out. With a dozen models the intervals are the
/// message, and models of one family are not independent.
///
/// ```
/// use analysis::similarity::correlation;
///
/// let mmmu = [0.42, 0.48, 0.51, 0.55, 0.61, 0.66];
/// let mathvista = [0.45, 0.47, 0.58, 0.56, 0.68, 0.71];
/// let of = correlation(&mmmu, &mathvista, 0.95)?;
/// assert!(of.spearman > Some(0.9));
/// assert!(of.ci_spearman.expect("six models").lo < 0.5, "but six models are few");
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a number is infinite, `level` is not between 0 and 1, or there are
/// more than 10 000 points.
pub fn correlation(x: &[f64], y: &[f64], level: f64) -> Result<Correlation, InputError> {
    check_level("level", level)?;
    same_length("y", y.len(), x.len())?;
    at_most("points", x.len(), MOST_POINTS)?;
    check("x", x)?;
    check("y", y)?;
    let points = x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let (x, y): (Vec<f64>, Vec<f64>) = points.map(|(x, y)| (*x, *y)).unzip();
    let n = x.len();
    let ((rank_x, ties_x), (rank_y, ties_y)) = (ranks(&x), ranks(&y));
    let (Some(pearson), Some(spearman)) = (pearson(&x, &y), pearson(&rank_x, &rank_y)) else {
        return Ok(Correlation {
            n,
            ..Correlation::default()
        });
    };
    let kendall = Kendall::of(&x, &y, &ties_x, &ties_y);
    let (z, count) = (norm_ppf(0.5 + level / 2.0), n as f64);
    Ok(Correlation {
        n,
        pearson: Some(pearson),
        p_pearson: Some(t_test(pearson, count)),
        ci_pearson: fisher(pearson, 1.0 / (count - 3.0), z),
        spearman: Some(spearman),
        p_spearman: Some(t_test(spearman, count)),
        ci_spearman: fisher(spearman, (1.0 + spearman * spearman / 2.0) / (count - 3.0), z),
        kendall_b: Some(kendall.tau_b),
        p_kendall: Some(kendall.p),
        p_kendall_exact: kendall.p_exact,
        ci_kendall: fisher(kendall.tau_b, 0.437 / (count - 4.0), z),
    })
}

/// `None` below three points or when a side is constant; exactly ±1 when a line to rounding.
pub(crate) fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mx, my) = (Moments::of(x), Moments::of(y));
    if mx.n < 3 || mx.ss <= 0.0 || my.ss <= 0.0 {
        return None;
    }
    let r = products_about(x, mx.mean, y, my.mean) / (mx.ss.sqrt() * my.ss.sqrt());
    if r.is_nan() {
        return None;
    }
    Some(if r.abs() > 1.0 - 1e-14 {
        1.0_f64.copysign(r)
    } else {
        r
    })
}

fn t_test(r: f64, n: f64) -> f64 {
    t_two_sided(standardised(r * (n - 2.0).sqrt(), (1.0 - r * r).sqrt()), n - 2.0)
}

/// `tanh(atanh r ± z √variance)`.
fn fisher(r: f64, variance: f64, z: f64) -> Option<Interval> {
    if r.abs() >= 1.0 || !variance.is_finite() || variance <= 0.0 {
        return None;
    }
    let (centre, half) = (r.atanh(), z * variance.sqrt());
    Interval::new((centre - half).tanh(), (centre + half).tanh())
}

struct Kendall {
    tau_b: f64,
    p: f64,
    p_exact: Option<f64>,
}

impl Kendall {
    /// Of at least three points, with neither side constant.
    fn of(x: &[f64], y: &[f64], ties_x: &[f64], ties_y: &[f64]) -> Self {
        let n = x.len() as f64;
        let (mut concordant, mut discordant) = (0_usize, 0_usize);
        for i in 0..x.len() {
            for j in 0..i {
                let side = (x[i] - x[j]).signum() * (y[i] - y[j]).signum();
                if x[i] == x[j] || y[i] == y[j] {
                    continue;
                }
                if side > 0.0 {
                    concordant += 1;
                } else {
                    discordant += 1;
                }
            }
        }
        let score = concordant as f64 - discordant as f64;
        let pairs = n * (n - 1.0) / 2.0;
        let tied = |ties: &[f64], f: fn(f64) -> f64| ties.iter().map(|&t| f(t)).sum::<f64>();
        let two = |t: f64| t * (t - 1.0) / 2.0;
        let three = |t: f64| t * (t - 1.0) * (t - 2.0);
        let five = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
        let (x2, y2) = (tied(ties_x, two), tied(ties_y, two));
        let m = n * (n - 1.0);
        let variance = (m * (2.0 * n + 5.0) - tied(ties_x, five) - tied(ties_y, five)) / 18.0
            + 2.0 * x2 * y2 / m
            + tied(ties_x, three) * tied(ties_y, three) / (9.0 * m * (n - 2.0));
        let exact = ties_x.is_empty() && ties_y.is_empty() && x.len() <= MOST_FOR_EXACT;
        let tau_b = score / ((pairs - x2) * (pairs - y2)).sqrt();
        Self {
            tau_b: tau_b.clamp(-1.0, 1.0),
            p: 2.0 * norm_sf(standardised(score, variance.sqrt()).abs()),
            p_exact: exact.then(|| kendall_exact(x.len(), discordant)),
        }
    }
}

/// Average linkage of items by their distances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linkage {
    /// Distance at which each merge happens, ascending; one fewer than there are items.
    pub heights: Vec<f64>,
    /// The items that are joined at or below the cut, each group ascending, groups by their first
    /// item.
    pub clusters: Vec<Vec<usize>>,
}

/// Groups benchmarks by average linkage, with distance `1 - ρ` for instance.
///
/// ```
/// use analysis::similarity::linkage;
///
/// let distance = [vec![0.0, 0.1, 0.9], vec![0.1, 0.0, 0.8], vec![0.9, 0.8, 0.0]];
/// let of = linkage(&distance, 0.3)?;
/// assert_eq!(of.clusters, [vec![0, 1], vec![2]]);
/// assert!((of.heights[1] - 0.85).abs() < 1e-12);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When `distance` is not square, holds a missing, infinite or negative number, or has more than
/// 5 000 rows. Only the part above the diagonal is read.
pub fn linkage(distance: &[Vec<f64>], cut: f64) -> Result<Linkage, InputError> {
    let n = distance.len();
    at_most("distance", n, MOST_ITEMS)?;
    domain("cut", cut, !cut.is_nan(), "a number")?;
    let mut condensed = Vec::with_capacity(n * n.saturating_sub(1) / 2);
    for (i, row) in distance.iter().enumerate() {
        same_length("distance", row.len(), n)?;
        check_complete("distance", &row[i + 1..])?;
        for &d in &row[i + 1..] {
            domain("distance", d, d >= 0.0, "at least 0")?;
        }
        condensed.extend_from_slice(&row[i + 1..]);
    }
    if n < 2 {
        return Ok(Linkage {
            heights: Vec::new(),
            clusters: (0..n).map(|i| vec![i]).collect(),
        });
    }
    let tree = kodama::linkage(&mut condensed, n, Method::Average);
    let steps = tree.steps();
    // Labels from n on are the merges, in order.
    let mut groups: Vec<Option<Vec<usize>>> = (0..n).map(|i| Some(vec![i])).collect();
    groups.resize(n + steps.len(), None);
    for (k, step) in steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.dissimilarity <= cut)
    {
        let mut joined = groups[step.cluster1].take().unwrap_or_default();
        joined.extend(groups[step.cluster2].take().unwrap_or_default());
        groups[n + k] = Some(joined);
    }
    let mut clusters: Vec<Vec<usize>> = groups.into_iter().flatten().collect();
    for group in &mut clusters {
        group.sort_unstable();
    }
    clusters.sort_unstable();
    Ok(Linkage {
        heights: steps.iter().map(|step| step.dissimilarity).collect(),
        clusters,
    })
}
