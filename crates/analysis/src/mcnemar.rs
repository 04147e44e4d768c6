//! Is B better than A, by the right-or-wrong questions on which they disagree?

use serde::{Deserialize, Serialize};

use crate::bayes::PairedTally;
use crate::input::{InputError, check_count, check_level};
use crate::interval::Interval;
use crate::special::{beta_cdf, binom_cdf, binom_pmf, chi2_sf, norm_ppf};

/// McNemar's test in its variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mcnemar {
    /// Questions.
    pub n: u64,
    /// Questions that exactly one run got right.
    pub n_discordant: u64,
    /// Exact two-sided p, `min(1, 2 P(X ≤ min(n10, n01)))` with X binomial.
    pub p_exact: f64,
    /// Exact p less half of the observed outcome's probability on either side: the one to use
    /// (Fagerland et al. 2013). 1 when the flips are even.
    pub p_mid: f64,
    /// `(n10 - n01)²/(n10 + n01)`; undefined without flips, as the three below.
    pub chi2: Option<f64>,
    /// p of `chi2` on one degree of freedom.
    pub p_chi2: Option<f64>,
    /// `(|n10 - n01| - 1)²/(n10 + n01)`, 0 when the flips are even.
    pub chi2_cc: Option<f64>,
    /// p of `chi2_cc`.
    pub p_chi2_cc: Option<f64>,
    /// Accuracy of the candidate minus that of the baseline; undefined without questions.
    pub diff: Option<f64>,
    /// Adjusted Wald confidence interval of `diff` (Bonett and Price 2012): Wald's with one flip
    /// added on either side, `p01 - p10 ± z √((p01 + p10 - (p01 - p10)²)/(n + 2))` with
    /// `p = (flips + 1)/(n + 2)`.
    pub bonett_price: Option<Interval>,
    /// Posterior probability that the candidate is better, under uniform priors.
    pub p_candidate_better_bayes: f64,
}

/// Tests whether two runs on the same right-or-wrong questions differ.
///
/// Only the questions on which they disagree count. Assumes independent questions: where several
/// share an image use the clustered t of [`crate::paired::paired_diff`].
///
/// ```
/// use analysis::{bayes::PairedTally, mcnemar::mcnemar};
///
/// // The candidate lost 12 questions and gained 5.
/// let of = mcnemar(PairedTally { n11: 50, n10: 12, n01: 5, n00: 33 }, 0.95)?;
/// assert_eq!(of.diff, Some(-0.07));
/// assert!(of.p_mid > 0.05, "which is within chance");
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a count is too large or `level` is not between 0 and 1.
pub fn mcnemar(tally: PairedTally, level: f64) -> Result<Mcnemar, InputError> {
    check_level("level", level)?;
    let (lost, gained) = (check_count("n10", tally.n10)?, check_count("n01", tally.n01)?);
    let n = check_count("n11", tally.n11)? + lost + gained + check_count("n00", tally.n00)?;
    let flips = lost + gained;
    let least = lost.min(gained);
    let even = lost == gained;
    let p_exact = if even {
        1.0
    } else {
        (2.0 * binom_cdf(least, flips, 0.5)).min(1.0)
    };
    let chi2 = |gap: f64| (flips > 0.0).then(|| gap * gap / flips);
    let plain = chi2(lost - gained);
    let corrected = chi2(((lost - gained).abs() - 1.0).max(0.0));
    Ok(Mcnemar {
        n: tally.n11 + tally.n10 + tally.n01 + tally.n00,
        n_discordant: tally.n10 + tally.n01,
        p_exact,
        p_mid: if even {
            1.0
        } else {
            p_exact - binom_pmf(least, flips, 0.5)
        },
        chi2: plain,
        p_chi2: plain.map(|x| chi2_sf(x, 1.0)),
        chi2_cc: corrected,
        p_chi2_cc: corrected.map(|x| chi2_sf(x, 1.0)),
        diff: (n > 0.0).then(|| (gained - lost) / n),
        bonett_price: bonett_price(lost, gained, n, norm_ppf(0.5 + level / 2.0)),
        p_candidate_better_bayes: beta_cdf(lost + 1.0, gained + 1.0, 0.5),
    })
}

/// Wald's interval after adding one flip to either side.
fn bonett_price(lost: f64, gained: f64, n: f64, z: f64) -> Option<Interval> {
    if n == 0.0 {
        return None;
    }
    let (p10, p01) = ((lost + 1.0) / (n + 2.0), (gained + 1.0) / (n + 2.0));
    let diff = p01 - p10;
    let se = ((p01 + p10 - diff * diff) / (n + 2.0)).max(0.0).sqrt();
    Interval::around(diff, z * se).map(|ci| ci.clip(-1.0, 1.0))
}
