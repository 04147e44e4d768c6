//! How precise is this mean?

use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::input::{InputError, check, check_level, defined, present, same_length};
use crate::interval::Interval;
use crate::moments::Moments;

/// A mean with its standard error and two confidence intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeanCi {
    /// Scores that were there.
    pub n: usize,
    /// Scores that were missing and are left out.
    pub n_missing: usize,
    /// Undefined without scores.
    pub mean: Option<f64>,
    /// Sample standard deviation (divisor n-1); undefined below two scores.
    pub sd: Option<f64>,
    /// Standard error of the mean, `sd/√n`.
    pub se: Option<f64>,
    /// Confidence interval of the mean by Student's t with n-1 degrees of freedom. Not clipped to
    /// the range of the score: see [`Interval::clip`] for drawing.
    pub ci_t: Option<Interval>,
    /// Confidence interval of the mean by the normal distribution.
    pub ci_z: Option<Interval>,
}

/// Mean, standard deviation, standard error and confidence intervals of independent scores.
///
/// `mean ± t·sd/√n`, where t is the `0.5 + level/2` quantile of Student's t with n-1 degrees of
/// freedom. The sums are two-pass, so a large common offset costs no digits. Scores are in any
/// unit; NaN is missing. Equal scores have an interval of width zero.
///
/// Assumes that the questions are independent draws: where several share an image or a video use
/// [`clustered_se`]; for right-or-wrong scores use [`crate::proportion::binom_ci`].
///
/// ```
/// use analysis::mean::mean_ci;
///
/// let ci = mean_ci(&[0.2, 0.4, 0.9, 0.7, f64::NAN], 0.95)?;
/// assert_eq!((ci.n, ci.n_missing), (4, 1));
/// assert_eq!(ci.mean, Some(0.55));
/// assert!(ci.ci_t.expect("four scores have one").contains(0.1));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a score is infinite or `level` is not between 0 and 1.
pub fn mean_ci(scores: &[f64], level: f64) -> Result<MeanCi, InputError> {
    check_level("level", level)?;
    let there = present("scores", scores)?;
    let of = Moments::of(&there);
    let se = of.se();
    Ok(MeanCi {
        n: of.n,
        n_missing: scores.len() - of.n,
        mean: of.mean(),
        sd: of.sd(),
        se,
        ci_t: se.and_then(|se| Interval::student(of.mean, se, of.count() - 1.0, level)),
        ci_z: se.and_then(|se| Interval::normal(of.mean, se, level)),
    })
}

/// A mean whose samples come in clusters, with the standard errors that people use for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusteredSe {
    /// Scores that were there.
    pub n: usize,
    /// Clusters with at least one score. Below about ten, every interval is a rough guess.
    pub n_clusters: usize,
    /// Mean over samples (not over clusters).
    pub mean: Option<f64>,
    /// `sd/√n`, as if the samples were independent.
    pub se_naive: Option<f64>,
    /// The estimate that lmms-eval prints (Miller 2024, equation 4): no small-sample correction.
    pub se_lmms: Option<f64>,
    /// Cluster-robust (Liang and Zeger), uncorrected.
    pub se_cr0: Option<f64>,
    /// Cluster-robust with the factor `√(G/(G-1))`: the one to use.
    pub se_cr1: Option<f64>,
    /// Confidence interval of the mean from `se_cr1` and Student's t with G-1 degrees of freedom.
    pub ci_cr1: Option<Interval>,
    /// Design effect `(se_cr1/se_naive)^2`: by how much clustering inflates the variance.
    pub deff: Option<f64>,
    /// Intraclass correlation by the analysis-of-variance estimator; may be negative.
    pub icc: Option<f64>,
    /// `n/deff`: how many independent samples would be as informative.
    pub n_eff: Option<f64>,
}

/// Standard error and interval of a mean over samples that share images, videos or passages.
///
/// With d the deviations from the mean and S their sum in each of the G clusters,
/// `se_cr0 = √ΣS²/n`, `se_cr1 = se_cr0·√(G/(G-1))`, `se_lmms = √(se_naive² + (ΣS² - Σd²)/n²)`
/// (Miller 2024, arXiv 2411.00640). In simulation with five clusters of eight questions the 95 %
/// interval from `se_cr1` covered 93 %, the naive one 66 %.
///
/// `icc` is undefined when every cluster has one sample; everything about clusters is undefined
/// with fewer than two of them.
///
/// ```
/// use analysis::{Clusters, mean::clustered_se};
///
/// // Two questions about each of three images, answered alike: six samples worth three.
/// let scores = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
/// let by_image = Clusters::new(&["a", "a", "b", "b", "c", "c"]);
/// let of = clustered_se(&scores, &by_image, 0.95)?;
/// assert!(of.se_cr1 > of.se_naive);
/// assert_eq!(of.icc, Some(1.0));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a score is infinite, or `level` is not between 0 and 1.
pub fn clustered_se(scores: &[f64], clusters: &Clusters, level: f64) -> Result<ClusteredSe, InputError> {
    check_level("level", level)?;
    check("scores", scores)?;
    same_length("clusters", clusters.len(), scores.len())?;
    let clusters = clusters.retain(|i| !scores[i].is_nan());
    let there = present("scores", scores)?;
    Ok(clustered(&there, &clusters, Moments::of(&there), level))
}

/// The analysis on complete data; `of` may treat rounding as constancy.
pub(crate) fn clustered(xs: &[f64], clusters: &Clusters, of: Moments, level: f64) -> ClusteredSe {
    let (n, groups) = (of.count(), clusters.count() as f64);
    let se_naive = of.se();
    let sums = if of.ss == 0.0 {
        vec![0.0; clusters.count()]
    } else {
        clusters.deviations(xs, of.mean)
    };
    let between: f64 = sums.iter().map(|s| s * s).sum();
    let enough = clusters.count() >= 2;
    let se_cr0 = enough.then(|| floor_rounding(between, of.ss).sqrt() / n);
    let se_cr1 = se_cr0.map(|se| se * (groups / (groups - 1.0)).sqrt());
    let se_lmms = se_naive
        .filter(|_| enough)
        .map(|se| (se * se + (between - of.ss) / (n * n)).max(0.0).sqrt());
    let deff = se_cr1
        .zip(se_naive)
        .and_then(|(cr1, naive)| defined((cr1 / naive).powi(2)));
    ClusteredSe {
        n: of.n,
        n_clusters: clusters.count(),
        mean: of.mean(),
        se_naive,
        se_lmms,
        se_cr0,
        se_cr1,
        ci_cr1: se_cr1.and_then(|se| Interval::student(of.mean, se, groups - 1.0, level)),
        deff,
        icc: intraclass_correlation(&of, clusters, &sums),
        n_eff: deff.and_then(|deff| defined(n / deff)),
    }
}

/// Cluster sums that cancel exactly leave only rounding behind; that is no variance.
fn floor_rounding(between: f64, ss: f64) -> f64 {
    if between <= 1e-28 * ss { 0.0 } else { between }
}

/// `(MSB - MSW)/(MSB + (n0 - 1) MSW)` with `n0 = (n - Σn_g²/n)/(G - 1)`.
fn intraclass_correlation(of: &Moments, clusters: &Clusters, sums: &[f64]) -> Option<f64> {
    let (n, groups) = (of.count(), clusters.count() as f64);
    if clusters.count() < 2 || clusters.count() == of.n {
        return None;
    }
    let sizes = clusters.sizes();
    let ss_between: f64 = sums
        .iter()
        .zip(&sizes)
        .map(|(s, &size)| s * s / size as f64)
        .sum();
    let ms_between = ss_between / (groups - 1.0);
    let ms_within = (of.ss - ss_between).max(0.0) / (n - groups);
    let squares: f64 = sizes.iter().map(|&size| (size * size) as f64).sum();
    let n0 = (n - squares / n) / (groups - 1.0);
    defined((ms_between - ms_within) / (ms_between + (n0 - 1.0) * ms_within))
}
