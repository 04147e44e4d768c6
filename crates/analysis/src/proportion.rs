//! How precise is this accuracy, and do two accuracies differ?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_level, check_share, domain};
use crate::interval::Interval;
use crate::moments::standardised;
use crate::special::{beta_ppf, fisher_exact, norm_ppf, norm_sf, t_ppf};

/// Intervals of a proportion `k/n` by seven methods. All are undefined when n is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinomialCi {
    /// `k/n`.
    pub p: Option<f64>,
    /// `p ± z√(p(1-p)/n)`, clipped to [0, 1]. For comparison only: at p = 0.9 and n = 10 its
    /// 95 % covers 65 %.
    pub wald: Option<Interval>,
    /// Wilson's score interval: the default from n = 30 up.
    pub wilson: Option<Interval>,
    /// Wald around `(k + z²/2)/(n + z²)`, clipped to [0, 1].
    pub agresti_coull: Option<Interval>,
    /// Exact (Clopper and Pearson): covers at least the level for every p.
    pub clopper_pearson: Option<Interval>,
    /// Equal-tailed credible interval under Beta(½, ½).
    pub jeffreys_raw: Option<Interval>,
    /// As `jeffreys_raw`, with 0 as lower limit when k = 0 and 1 as upper limit when k = n
    /// (Brown, Cai and DasGupta 2001).
    pub jeffreys: Option<Interval>,
    /// Equal-tailed credible interval under a uniform prior: the default below n = 30.
    pub bayes_uniform: Option<Interval>,
}

/// Confidence and credible intervals of `k` right answers out of `n`.
///
/// Wilson: `(p + z²/2n ± z√(p(1-p)/n + z²/4n²))/(1 + z²/n)`, exactly 0 or 1 on the closed side
/// when k is 0 or n. Clopper-Pearson, Jeffreys and the uniform prior are quantiles of
/// `Beta(k, n-k+1)`/`Beta(k+1, n-k)`, `Beta(k+½, n-k+½)` and `Beta(k+1, n-k+1)`.
/// The questions are assumed independent; see [`clustered_wilson`] when they are not.
///
/// ```
/// use analysis::proportion::binom_ci;
///
/// let wilson = binom_ci(18, 20, 0.95)?.wilson.expect("n > 0");
/// assert!(wilson.contains(0.70) && !wilson.contains(0.98));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When k > n or `level` is not between 0 and 1.
pub fn binom_ci(k: u64, n: u64, level: f64) -> Result<BinomialCi, InputError> {
    check_level("level", level)?;
    let (k, n) = check_share(k, n)?;
    let z = norm_ppf(0.5 + level / 2.0);
    let tail = (1.0 - level) / 2.0;
    let some = n > 0.0;
    let p = k / n;
    let beta = |a: f64, b: f64| Interval::new(beta_ppf(a, b, tail), beta_ppf(a, b, 1.0 - tail));
    let jeffreys_raw = beta(k + 0.5, n - k + 0.5).filter(|_| some);
    Ok(BinomialCi {
        p: some.then_some(p),
        wald: Interval::around(p, z * (p * (1.0 - p) / n).sqrt()).map(|ci| ci.clip(0.0, 1.0)),
        wilson: wilson(k, n, z),
        agresti_coull: agresti_coull(k, n, z).filter(|_| some),
        clopper_pearson: some.then(|| clopper_pearson(k, n, tail)),
        jeffreys_raw,
        jeffreys: jeffreys_raw.map(|ci| Interval {
            lo: if k == 0.0 { 0.0 } else { ci.lo },
            hi: if k == n { 1.0 } else { ci.hi },
        }),
        bayes_uniform: beta(k + 1.0, n - k + 1.0).filter(|_| some),
    })
}

/// Wilson's interval for real-valued counts with critical value `z`.
pub(crate) fn wilson(k: f64, n: f64, z: f64) -> Option<Interval> {
    if n <= 0.0 {
        return None;
    }
    let (p, z2) = (k / n, z * z);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).max(0.0).sqrt() / (1.0 + z2 / n);
    let lo = if k <= 0.0 { 0.0 } else { centre - half };
    let hi = if k >= n { 1.0 } else { centre + half };
    Interval::new(lo, hi)
}

fn agresti_coull(k: f64, n: f64, z: f64) -> Option<Interval> {
    let (n, k) = (n + z * z, k + z * z / 2.0);
    let p = k / n;
    Interval::around(p, z * (p * (1.0 - p) / n).sqrt()).map(|ci| ci.clip(0.0, 1.0))
}

fn clopper_pearson(k: f64, n: f64, tail: f64) -> Interval {
    let lo = if k == 0.0 {
        0.0
    } else {
        beta_ppf(k, n - k + 1.0, tail)
    };
    let hi = if k == n {
        1.0
    } else {
        beta_ppf(k + 1.0, n - k, 1.0 - tail)
    };
    Interval { lo, hi }
}

/// Wilson's interval of an accuracy whose questions share images: on the effective counts
/// `n/deff` and `p·n/deff` (design effect floored at 1), with Student's t of `clusters - 1`
/// degrees of freedom in place of z. Undefined with fewer than two clusters.
///
/// ```
/// use analysis::proportion::{binom_ci, clustered_wilson};
///
/// let plain = binom_ci(80, 100, 0.95)?.wilson.expect("n > 0");
/// let wide = clustered_wilson(80, 100, 2.5, 20, 0.95)?.expect("twenty clusters");
/// assert!(wide.lo < plain.lo && plain.hi < wide.hi);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When k > n, `deff` is negative or not finite, or `level` is not between 0 and 1.
pub fn clustered_wilson(
    k: u64,
    n: u64,
    deff: f64,
    clusters: usize,
    level: f64,
) -> Result<Option<Interval>, InputError> {
    check_level("level", level)?;
    domain(
        "deff",
        deff,
        (0.0..=1e100).contains(&deff),
        "a finite number of at least 0",
    )?;
    let (k, n) = check_share(k, n)?;
    if clusters < 2 {
        return Ok(None);
    }
    let deff = deff.max(1.0);
    Ok(wilson(
        k / deff,
        n / deff,
        t_ppf(0.5 + level / 2.0, clusters as f64 - 1.0),
    ))
}

/// Two accuracies on different questions. Everything is undefined when either has no questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoProportions {
    /// `p_b - p_a`.
    pub diff: Option<f64>,
    /// The difference over its standard error under equality (pooled); 0 when both are the same
    /// and certain.
    pub z_pooled: Option<f64>,
    /// Two-sided p of `z_pooled`.
    pub p_pooled: Option<f64>,
    /// Newcombe's hybrid score interval of the difference, from the two Wilson intervals.
    pub newcombe: Option<Interval>,
    /// Fisher's exact two-sided p.
    pub p_fisher: Option<f64>,
}

/// Compares two accuracies whose samples cannot be paired.
///
/// Where both runs answered the same questions, [`crate::mcnemar::mcnemar`] and
/// [`crate::paired::paired_diff`] know far more.
///
/// ```
/// use analysis::proportion::two_prop;
///
/// let of = two_prop(60, 100, 70, 100, 0.95)?;
/// assert!(of.p_fisher > Some(0.05));
/// assert!(of.newcombe.expect("both have questions").contains(0.0));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a count of right answers exceeds its number of questions, or `level` is not between 0
/// and 1.
pub fn two_prop(k_a: u64, n_a: u64, k_b: u64, n_b: u64, level: f64) -> Result<TwoProportions, InputError> {
    check_level("level", level)?;
    let ((ka, na), (kb, nb)) = (check_share(k_a, n_a)?, check_share(k_b, n_b)?);
    if n_a == 0 || n_b == 0 {
        return Ok(TwoProportions {
            diff: None,
            z_pooled: None,
            p_pooled: None,
            newcombe: None,
            p_fisher: None,
        });
    }
    let (pa, pb) = (ka / na, kb / nb);
    let pooled = (ka + kb) / (na + nb);
    let z = standardised(pb - pa, (pooled * (1.0 - pooled) * (1.0 / na + 1.0 / nb)).sqrt());
    Ok(TwoProportions {
        diff: Some(pb - pa),
        z_pooled: Some(z),
        p_pooled: Some(2.0 * norm_sf(z.abs())),
        newcombe: newcombe((ka, na), (kb, nb), norm_ppf(0.5 + level / 2.0)),
        p_fisher: Some(fisher_exact(k_b, n_b - k_b, k_a, n_a - k_a)),
    })
}

fn newcombe(a: (f64, f64), b: (f64, f64), z: f64) -> Option<Interval> {
    let (wa, wb) = (wilson(a.0, a.1, z)?, wilson(b.0, b.1, z)?);
    let (pa, pb) = (a.0 / a.1, b.0 / b.1);
    let diff = pb - pa;
    Interval::new(
        diff - ((pb - wb.lo).powi(2) + (wa.hi - pa).powi(2)).sqrt(),
        diff + ((wb.hi - pb).powi(2) + (pa - wa.lo).powi(2)).sqrt(),
    )
}
