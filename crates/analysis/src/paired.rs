//! Is B better than A, on the questions that both answered?

use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::input::{InputError, all_sound, check, check_level, defined, same_length};
use crate::interval::Interval;
use crate::mean::clustered;
use crate::moments::{Moments, products_about, standardised};
use crate::special::{norm_sf, t_two_sided};

/// The mean difference between two runs on the same questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedDiff {
    /// Pairs in which both scores are there.
    pub n: usize,
    /// Pairs that were dropped because a score is missing.
    pub n_dropped: usize,
    /// Mean of the baseline over the pairs.
    pub mean_a: Option<f64>,
    /// Mean of the candidate over the pairs.
    pub mean_b: Option<f64>,
    /// Mean of b - a.
    pub diff: Option<f64>,
    /// Standard error of `diff`; undefined below two pairs, as everything below.
    pub se: Option<f64>,
    /// `diff/se`: the difference in sigma. Infinite when every pair differs by the same amount.
    #[serde(with = "crate::infinite")]
    pub t: Option<f64>,
    /// Degrees of freedom of `t`.
    pub df: Option<usize>,
    /// Two-sided p by Student's t.
    pub p_t: Option<f64>,
    /// Two-sided p by the normal distribution.
    pub p_z: Option<f64>,
    /// Confidence interval of the mean difference by Student's t.
    pub ci_t: Option<Interval>,
    /// The standard error that the same runs would have on different questions,
    /// `√((var_a + var_b)/n)`.
    pub se_unpaired: Option<f64>,
    /// Pearson correlation of the two runs over questions; undefined when one is constant.
    pub corr: Option<f64>,
    /// What pairing gained: `1 - se²/se_unpaired²`.
    pub var_reduction: Option<f64>,
    /// All differences are equal up to rounding, so `se` is 0 and p is 0 or 1.
    pub degenerate: bool,
    /// The test to use when clusters were given and there are at least two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clustered: Option<ClusteredDiff>,
}

/// The mean difference with clusters of questions taken into account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusteredDiff {
    /// Clusters with at least one pair.
    pub n_clusters: usize,
    /// Cluster-robust standard error (CR1); undefined below two clusters, as everything below.
    pub se: Option<f64>,
    /// `diff/se`.
    #[serde(with = "crate::infinite")]
    pub t: Option<f64>,
    /// Two-sided p by Student's t with `n_clusters - 1` degrees of freedom.
    pub p: Option<f64>,
    /// Confidence interval of the mean difference by the same t.
    pub ci: Option<Interval>,
}

/// Paired comparison of two runs: the mean of d = b - a with its t-test.
///
/// `se = sd(d)/√n`, `t = mean(d)/se` on n-1 degrees of freedom. With clusters the robust standard
/// error of [`crate::mean::clustered_se`] and `G-1` degrees of freedom. A positive difference
/// means that `b` scores higher, whether or not higher is better.
///
/// Differences that are equal up to a relative 1e-12 count as constant: `se` is 0, and p is 1 for
/// a difference of zero, else 0.
///
/// ```
/// use analysis::paired::paired_diff;
///
/// let baseline = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
/// let candidate = [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0];
/// let of = paired_diff(&baseline, &candidate, None, 0.95)?;
/// assert_eq!(of.diff, Some(0.25));
/// assert!(of.p_t > Some(0.05), "two flips out of eight prove nothing");
/// assert!(of.se < of.se_unpaired, "but pairing helps");
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a score is infinite, or `level` is not between 0 and 1.
pub fn paired_diff(
    a: &[f64],
    b: &[f64],
    clusters: Option<&Clusters>,
    level: f64,
) -> Result<PairedDiff, InputError> {
    check_level("level", level)?;
    same_length("b", b.len(), a.len())?;
    same_length("clusters", clusters.map_or(a.len(), Clusters::len), a.len())?;
    if all_sound(a) && all_sound(b) {
        return Ok(complete(a, b, clusters, level));
    }
    check("a", a)?;
    check("b", b)?;
    let there = |i: usize| !a[i].is_nan() && !b[i].is_nan();
    let kept: Vec<usize> = (0..a.len()).filter(|&i| there(i)).collect();
    let pick = |xs: &[f64]| -> Vec<f64> { kept.iter().map(|&i| xs[i]).collect() };
    let clusters = clusters.map(|of| of.retain(there));
    let mut of = complete(&pick(a), &pick(b), clusters.as_ref(), level);
    of.n_dropped = a.len() - of.n;
    Ok(of)
}

fn complete(a: &[f64], b: &[f64], clusters: Option<&Clusters>, level: f64) -> PairedDiff {
    let d: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let (of, of_a, of_b) = (Moments::of_differences(&d), Moments::of(a), Moments::of(b));
    let (se, df) = (of.se(), of.count() - 1.0);
    let t = se.map(|se| standardised(of.mean, se));
    let se_unpaired = of_a
        .variance()
        .zip(of_b.variance())
        .map(|(va, vb)| ((va + vb) / of.count()).sqrt());
    let products = products_about(a, of_a.mean, b, of_b.mean);
    PairedDiff {
        n: of.n,
        n_dropped: 0,
        mean_a: of_a.mean(),
        mean_b: of_b.mean(),
        diff: of.mean(),
        se,
        t,
        df: se.map(|_| of.n - 1),
        p_t: t.map(|t| t_two_sided(t, df)),
        p_z: t.map(|t| 2.0 * norm_sf(t.abs())),
        ci_t: se.and_then(|se| Interval::student(of.mean, se, df, level)),
        se_unpaired,
        corr: defined(products / (of_a.ss.sqrt() * of_b.ss.sqrt())).map(|r| r.clamp(-1.0, 1.0)),
        var_reduction: se
            .zip(se_unpaired)
            .and_then(|(se, unpaired)| defined(1.0 - (se / unpaired).powi(2))),
        degenerate: se == Some(0.0),
        clustered: clusters.map(|clusters| clustered_diff(&d, clusters, of, level)),
    }
}

fn clustered_diff(d: &[f64], clusters: &Clusters, of: Moments, level: f64) -> ClusteredDiff {
    let robust = clustered(d, clusters, of, level);
    let t = robust.se_cr1.map(|se| standardised(of.mean, se));
    ClusteredDiff {
        n_clusters: clusters.count(),
        se: robust.se_cr1,
        t,
        p: t.map(|t| t_two_sided(t, clusters.count() as f64 - 1.0)),
        ci: robust.ci_cr1,
    }
}
