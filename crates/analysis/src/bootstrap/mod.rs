//! How precise is a score that is not a mean: WER, F1, BLEU, a median?

mod medians;
mod statistic;
mod sums;

use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::input::{
    InputError, MOST_REPLICATES, MOST_SAMPLES, at_most, check, check_level, defined, same_length,
};
use crate::interval::Interval;
use crate::moments::{Moments, extremes, is_constant, mean};
use crate::order::{quantile, sorted};
use crate::special::{norm_cdf, norm_ppf};

use medians::Medians;
pub use statistic::Statistic;
use sums::Sums;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Resampling {
    /// Replicates: 2 000 by default, 10 000 for a gate.
    pub b: usize,
    /// Seed of the streams; the same seed gives the same result everywhere.
    pub seed: u64,
    /// Confidence level of the intervals.
    pub level: f64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self {
            b: 2000,
            seed: 0,
            level: 0.95,
        }
    }
}

/// A statistic with its bootstrap standard error and intervals.
///
/// Everything but `theta` is undefined when some replicate has no value (a ratio over nothing).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// The statistic on the whole sample; paired: candidate minus baseline.
    pub theta: Option<f64>,
    /// Mean of the replicates.
    pub boot_mean: Option<f64>,
    /// Standard error: sample standard deviation of the replicates.
    pub boot_se: Option<f64>,
    /// Confidence interval: quantiles of the replicates.
    pub percentile: Option<Interval>,
    /// Confidence interval: the percentile interval mirrored at `theta`.
    pub basic: Option<Interval>,
    /// Bias correction of the BCa interval, in standard normal units.
    pub z0: Option<f64>,
    /// Acceleration of the BCa interval, from the jackknife.
    pub accel: Option<f64>,
    /// Bias-corrected and accelerated confidence interval: the one to show.
    pub bca: Option<Interval>,
    /// `bca` repeats `percentile`, because the replicates are all equal, all on one side of
    /// `theta`, or the jackknife says nothing.
    pub bca_fallback: bool,
    /// Two-sided p of `theta` = 0, `min(1, 2 min((1+#{θ*≤0})/(B+1), (1+#{θ*≥0})/(B+1)))`.
    pub p_boot: Option<f64>,
    /// The first five replicates, for checking another implementation.
    pub first_replicates: Vec<f64>,
    /// Fewer than ten samples or clusters: use an exact method instead.
    pub unreliable: bool,
}

/// Bootstrap of a statistic over samples, or over whole clusters of them.
///
/// `rows` holds the sufficient statistics of each sample one after the other, in the columns of
/// [`Statistic`]; a row with a missing number is left out. Replicate b draws as many samples (or
/// clusters) as there are from stream b of [`crate::streams`]. The BCa interval takes the
/// quantiles `Φ(z0 + (z0+z)/(1 - a(z0+z)))` of the replicates (Efron and Tibshirani 1993,
/// chapter 14), with ties at `theta` counted half.
///
/// ```
/// use analysis::bootstrap::{Resampling, Statistic, bootstrap};
///
/// // Word error rate: edits and reference words of each utterance.
/// let rows: Vec<f64> = (0..40).flat_map(|i| [f64::from(i % 4), 12.0]).collect();
/// let wer = bootstrap(&rows, Statistic::Ratio, None, &Resampling::default())?;
/// assert_eq!(wer.theta, Some(0.125));
/// assert!(wer.bca.expect("the utterances differ").contains(0.125));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When `rows` is not a whole number of rows, `clusters` has another length, a number is
/// infinite, or there are too many samples or replicates.
pub fn bootstrap(
    rows: &[f64],
    statistic: Statistic,
    clusters: Option<&Clusters>,
    how: &Resampling,
) -> Result<Bootstrap, InputError> {
    let n = check_rows("rows", rows, statistic, how)?;
    same_length("clusters", clusters.map_or(n, Clusters::len), n)?;
    let width = statistic.columns();
    let complete = |i: usize| !rows[i * width..(i + 1) * width].iter().any(|x| x.is_nan());
    let clusters = clusters.map(|of| of.retain(complete));
    let rows: Vec<f64> = (0..n)
        .filter(|&i| complete(i))
        .flat_map(|i| rows[i * width..(i + 1) * width].iter().copied())
        .collect();
    Ok(run(&[&rows], statistic, clusters.as_ref(), how))
}

/// Bootstrap of the difference of a statistic between two runs on the same samples.
///
/// As [`bootstrap`], with the same draws for both runs: `theta` is the statistic of `rows_b`
/// minus that of `rows_a`.
///
/// ```
/// use analysis::bootstrap::{Resampling, Statistic, bootstrap_paired};
///
/// let a: Vec<f64> = (0..50).map(|i| f64::from(i % 5) / 5.0).collect();
/// let b: Vec<f64> = (0..50).map(|i| f64::from(i % 5) / 5.0 + 0.1 * f64::from(i % 2)).collect();
/// let of = bootstrap_paired(&a, &b, Statistic::Mean, None, &Resampling::default())?;
/// assert!(of.bca.expect("the runs differ").lo > 0.0);
/// assert!(of.p_boot.expect("replicates") < 0.01);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// As [`bootstrap`], and when the runs have different numbers of samples.
pub fn bootstrap_paired(
    rows_a: &[f64],
    rows_b: &[f64],
    statistic: Statistic,
    clusters: Option<&Clusters>,
    how: &Resampling,
) -> Result<Bootstrap, InputError> {
    let n = check_rows("rows_a", rows_a, statistic, how)?;
    check_rows("rows_b", rows_b, statistic, how)?;
    same_length("rows_b", rows_b.len(), rows_a.len())?;
    same_length("clusters", clusters.map_or(n, Clusters::len), n)?;
    let width = statistic.columns();
    let row = |i: usize| i * width..(i + 1) * width;
    let complete = |i: usize| !rows_a[row(i)].iter().chain(&rows_b[row(i)]).any(|x| x.is_nan());
    let clusters = clusters.map(|of| of.retain(complete));
    let kept = |rows: &[f64]| -> Vec<f64> {
        (0..n)
            .filter(|&i| complete(i))
            .flat_map(|i| rows[row(i)].iter().copied())
            .collect()
    };
    Ok(run(
        &[&kept(rows_a), &kept(rows_b)],
        statistic,
        clusters.as_ref(),
        how,
    ))
}

fn check_rows(
    name: &'static str,
    rows: &[f64],
    statistic: Statistic,
    how: &Resampling,
) -> Result<usize, InputError> {
    check_level("level", how.level)?;
    at_most("b", how.b, MOST_REPLICATES)?;
    check(name, rows)?;
    let n = rows.len() / statistic.columns();
    at_most(name, n, MOST_SAMPLES)?;
    same_length(name, rows.len(), n * statistic.columns())?;
    Ok(n)
}

/// One system, or baseline and candidate, with complete rows.
fn run(systems: &[&[f64]], statistic: Statistic, clusters: Option<&Clusters>, how: &Resampling) -> Bootstrap {
    if statistic == Statistic::Median {
        summarise(&Medians::new(systems, clusters), how)
    } else {
        summarise(&Sums::new(systems, statistic, clusters), how)
    }
}

/// A sample that can be resampled by its units (samples or clusters).
trait Resample {
    /// The statistic on the whole sample; NaN when undefined.
    fn theta(&self) -> f64;
    /// How many units there are.
    fn units(&self) -> usize;
    /// The statistic on `b` resamples.
    fn replicates(&self, b: usize, seed: u64) -> Vec<f64>;
    /// The statistic with each unit left out in turn.
    fn jackknife(&self) -> Vec<f64>;
}

fn summarise(sample: &impl Resample, how: &Resampling) -> Bootstrap {
    let theta = sample.theta();
    let units = sample.units();
    let replicates = if units == 0 {
        Vec::new()
    } else {
        sample.replicates(how.b, how.seed)
    };
    let unreliable = units < 10;
    let first_replicates: Vec<f64> = replicates
        .iter()
        .copied()
        .take(5)
        .take_while(|x| x.is_finite())
        .collect();
    if replicates.is_empty() || !replicates.iter().chain([&theta]).all(|x| x.is_finite()) {
        return undefined(defined(theta), first_replicates, unreliable);
    }
    let spread = Moments::of(&replicates);
    let (lo, hi) = extremes(&replicates);
    let boot_se = if is_constant(lo, hi) {
        Some(0.0)
    } else {
        spread.sd()
    };
    let ascending = sorted(&replicates);
    let tail = (1.0 - how.level) / 2.0;
    let (low, high) = (quantile(&ascending, tail), quantile(&ascending, 1.0 - tail));
    let percentile = Interval::new(low, high);
    let correction = if boot_se == Some(0.0) {
        None
    } else {
        Correction::of(theta, &replicates, &sample.jackknife())
    };
    let bca = correction
        .as_ref()
        .and_then(|c| c.interval(&ascending, how.level));
    let used = correction.filter(|_| bca.is_some());
    Bootstrap {
        theta: Some(theta),
        boot_mean: Some(spread.mean),
        boot_se,
        percentile,
        basic: Interval::new(2.0 * theta - high, 2.0 * theta - low),
        z0: used.as_ref().map(|c| c.z0),
        accel: used.as_ref().map(|c| c.accel),
        bca: bca.or(percentile),
        bca_fallback: bca.is_none(),
        p_boot: Some(p_of_zero(&replicates)),
        first_replicates,
        unreliable,
    }
}

fn undefined(theta: Option<f64>, first_replicates: Vec<f64>, unreliable: bool) -> Bootstrap {
    Bootstrap {
        theta,
        boot_mean: None,
        boot_se: None,
        percentile: None,
        basic: None,
        z0: None,
        accel: None,
        bca: None,
        bca_fallback: true,
        p_boot: None,
        first_replicates,
        unreliable,
    }
}

fn p_of_zero(replicates: &[f64]) -> f64 {
    let share = |holds: fn(&f64) -> bool| {
        let count = replicates.iter().filter(|x| holds(x)).count();
        (1 + count) as f64 / (replicates.len() + 1) as f64
    };
    (2.0 * share(|x| *x <= 0.0).min(share(|x| *x >= 0.0))).min(1.0)
}

/// Bias correction and acceleration.
struct Correction {
    z0: f64,
    accel: f64,
}

impl Correction {
    /// `None` when the replicates or the jackknife say nothing about the shape.
    fn of(theta: f64, replicates: &[f64], jackknife: &[f64]) -> Option<Self> {
        if jackknife.len() < 2 || !jackknife.iter().all(|x| x.is_finite()) {
            return None;
        }
        let tie = 1e-12 * theta.abs().max(1.0);
        let below = replicates.iter().filter(|x| **x < theta - tie).count();
        let up_to = replicates.iter().filter(|x| **x <= theta + tie).count();
        let z0 = norm_ppf((below + up_to) as f64 / (2 * replicates.len()) as f64);
        let centre = mean(jackknife);
        let (squares, cubes) = jackknife
            .iter()
            .map(|x| centre - x)
            .fold((0.0, 0.0), |(squares, cubes), d| {
                (squares + d * d, cubes + d * d * d)
            });
        let accel = cubes / (6.0 * squares.powf(1.5));
        (z0.is_finite() && accel.is_finite()).then_some(Self { z0, accel })
    }

    fn interval(&self, ascending: &[f64], level: f64) -> Option<Interval> {
        let limit = |tail: f64| {
            let z = self.z0 + norm_ppf(tail);
            let denominator = 1.0 - self.accel * z;
            if denominator == 0.0 {
                return f64::NAN;
            }
            let at = norm_cdf(self.z0 + z / denominator);
            if at.is_nan() {
                f64::NAN
            } else {
                quantile(ascending, at)
            }
        };
        let tail = (1.0 - level) / 2.0;
        Interval::new(limit(tail), limit(1.0 - tail))
    }
}
