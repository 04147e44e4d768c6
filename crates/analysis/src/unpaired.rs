//! Is B better than A, when only their scores and standard errors are known?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_level, check_number, check_size, defined, domain};
use crate::interval::Interval;
use crate::moments::standardised;
use crate::special::{norm_cdf, norm_sf, t_two_sided};

/// Two reported scores with their standard errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aggregates {
    /// Score of the baseline.
    pub mean_a: f64,
    /// Its standard error.
    pub se_a: f64,
    /// Questions behind it, if known.
    pub n_a: Option<u64>,
    /// Score of the candidate.
    pub mean_b: f64,
    /// Its standard error.
    pub se_b: f64,
    /// Questions behind it, if known.
    pub n_b: Option<u64>,
    /// Whether a larger score is better.
    pub higher_is_better: bool,
    /// The largest loss that does not matter, in units of the score.
    pub margin: f64,
    /// Correlation of the two scores. 0 is conservative when both answered the same questions.
    pub rho: f64,
}

/// A comparison of two reported scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnpairedSe {
    /// `mean_b - mean_a`.
    pub diff: f64,
    /// The difference with the sign of better: positive is an improvement.
    pub gain: f64,
    /// `√(se_a² + se_b² - 2ρ se_a se_b)`.
    pub se: f64,
    /// `gain/se`; infinite when only the standard error is 0.
    #[serde(with = "crate::infinite")]
    pub z: Option<f64>,
    /// Two-sided p of no difference.
    pub p_two: f64,
    /// One-sided p of "not worse": small means a regression.
    pub p_regression: f64,
    /// One-sided p of "worse by the margin or more": small means non-inferior.
    pub p_noninferior: f64,
    /// Confidence interval of `diff` by the normal distribution.
    pub ci: Option<Interval>,
    /// Welch's degrees of freedom; undefined unless both n are known, ρ is 0 and the standard
    /// errors are not both 0.
    pub welch_df: Option<f64>,
    /// Two-sided p by Student's t with `welch_df`.
    pub p_welch: Option<f64>,
}

/// Compares two scores of which only the standard errors are known.
///
/// Answers to the same questions are positively correlated, so with ρ = 0 the standard error is
/// too large by a factor of up to two: prefer [`crate::paired::paired_diff`] where samples exist.
///
/// ```
/// use analysis::unpaired::{Aggregates, unpaired_se};
///
/// // Word error rate, where lower is better.
/// let of = unpaired_se(&Aggregates {
///     mean_a: 12.4, se_a: 0.3, n_a: None, mean_b: 12.9, se_b: 0.31, n_b: None,
///     higher_is_better: false, margin: 0.2, rho: 0.0,
/// }, 0.95)?;
/// assert_eq!(of.gain, -0.5);
/// assert!(of.p_regression > 0.05);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a number is not finite, a standard error or the margin is negative, `rho` is not in
/// [-1, 1], or `level` is not between 0 and 1.
pub fn unpaired_se(of: &Aggregates, level: f64) -> Result<UnpairedSe, InputError> {
    check_level("level", level)?;
    check_number("mean_a", of.mean_a)?;
    check_number("mean_b", of.mean_b)?;
    check_size("se_a", of.se_a)?;
    check_size("se_b", of.se_b)?;
    check_size("margin", of.margin)?;
    domain("rho", of.rho, of.rho.abs() <= 1.0, "a correlation")?;
    let diff = of.mean_b - of.mean_a;
    let gain = if of.higher_is_better { diff } else { -diff };
    let se = combined_se(of.se_a, of.se_b, of.rho);
    let z = standardised(gain, se);
    let welch_df = welch_df(of);
    Ok(UnpairedSe {
        diff,
        gain,
        se,
        z: Some(z),
        p_two: 2.0 * norm_sf(z.abs()),
        p_regression: norm_cdf(z),
        p_noninferior: norm_sf(standardised(gain + of.margin, se)),
        ci: Interval::normal(diff, se, level),
        welch_df,
        p_welch: welch_df.map(|df| t_two_sided(standardised(diff, se), df)),
    })
}

/// `√(se_a² + se_b² - 2ρ se_a se_b)`.
pub(crate) fn combined_se(se_a: f64, se_b: f64, rho: f64) -> f64 {
    (se_a * se_a + se_b * se_b - 2.0 * rho * se_a * se_b)
        .max(0.0)
        .sqrt()
}

fn welch_df(of: &Aggregates) -> Option<f64> {
    let (n_a, n_b) = (of.n_a?, of.n_b?);
    if of.rho != 0.0 || n_a < 2 || n_b < 2 {
        return None;
    }
    let (va, vb) = (of.se_a * of.se_a, of.se_b * of.se_b);
    welch(va, n_a as f64, vb, n_b as f64)
}

/// Welch and Satterthwaite's degrees of freedom from squared standard errors.
pub(crate) fn welch(va: f64, n_a: f64, vb: f64, n_b: f64) -> Option<f64> {
    let scale = va + vb;
    let (sa, sb) = (va / scale, vb / scale);
    defined(1.0 / (sa * sa / (n_a - 1.0) + sb * sb / (n_b - 1.0)))
}
