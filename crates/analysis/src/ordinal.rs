//! Is B better than A, by judge scores whose steps need not be equal?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, present};
use crate::order::{median_in_place, ranks};
use crate::special::{binom_cdf, norm_sf};

/// The most differences for which all pairwise averages are formed.
const MOST_FOR_AVERAGES: usize = 2000;

/// The most differences for which Wilcoxon's distribution is enumerated.
const MOST_FOR_EXACT: usize = 50;

/// Sign test and Wilcoxon's signed-rank test of paired differences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignWilcoxon {
    /// Differences above zero: the candidate scored higher.
    pub n_pos: usize,
    /// Differences below zero.
    pub n_neg: usize,
    /// Ties.
    pub n_zero: usize,
    /// Exact two-sided p of the sign test, ties left out.
    pub p_sign: f64,
    /// Sum of the ranks of the positive differences among the non-zero ones.
    pub w_plus: f64,
    /// Sum of the ranks of the negative ones.
    pub w_minus: f64,
    /// Signed-rank statistic in standard units with ties left out, positive when the candidate
    /// is ahead; undefined when all differences are zero.
    pub z_wilcox: Option<f64>,
    /// Two-sided p of `z_wilcox`; 1 when all differences are zero.
    pub p_wilcox: f64,
    /// The same with ties ranked and then dropped (Pratt): the one to use.
    pub z_pratt: Option<f64>,
    /// Two-sided p of `z_pratt`.
    pub p_pratt: f64,
    /// Exact two-sided p, for at most 50 differences without zeros and ties.
    pub p_exact: Option<f64>,
    /// Effect size from -1 to 1: `(w_plus - w_minus)/(w_plus + w_minus)`.
    pub rank_biserial: Option<f64>,
    /// Median of all pairwise averages: the shift of the candidate (Hodges and Lehmann). For at
    /// most 2000 differences.
    pub hodges_lehmann: Option<f64>,
}

/// Tests whether paired differences of ordinal scores (1-5, 0-10) centre on zero.
///
/// The normal approximations have the variance corrected for ties and no continuity correction.
/// The signed-rank test assumes differences that are symmetric about their centre; the sign test
/// assumes nothing.
///
/// ```
/// use analysis::ordinal::sign_wilcoxon;
///
/// let of = sign_wilcoxon(&[1.0, 2.0, 3.0, 4.0, 5.0])?;
/// assert_eq!(of.p_exact, Some(0.0625));
/// assert_eq!(of.hodges_lehmann, Some(3.0));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a difference is infinite. NaN is missing and left out.
pub fn sign_wilcoxon(d: &[f64]) -> Result<SignWilcoxon, InputError> {
    let d = present("d", d)?;
    let n_pos = d.iter().filter(|x| **x > 0.0).count();
    let n_neg = d.iter().filter(|x| **x < 0.0).count();
    let n_zero = d.len() - n_pos - n_neg;
    let nonzero: Vec<f64> = d.iter().copied().filter(|x| *x != 0.0).collect();
    let wilcox = SignedRanks::of(&nonzero);
    let pratt = SignedRanks::of(&d);
    let (z_wilcox, z_pratt) = (wilcox.z(), pratt.z());
    let two_sided = |z: Option<f64>| z.map_or(1.0, |z| 2.0 * norm_sf(z.abs()));
    let exact = n_zero == 0 && !wilcox.tied && !d.is_empty() && d.len() <= MOST_FOR_EXACT;
    let (w_plus, w_minus) = (wilcox.plus, wilcox.minus);
    Ok(SignWilcoxon {
        n_pos,
        n_neg,
        n_zero,
        p_sign: sign_test(n_pos, n_neg),
        w_plus,
        w_minus,
        z_wilcox,
        p_wilcox: two_sided(z_wilcox),
        z_pratt,
        p_pratt: two_sided(z_pratt),
        p_exact: exact.then(|| exact_p(d.len(), w_plus.min(w_minus) as usize)),
        rank_biserial: z_wilcox.map(|_| (w_plus - w_minus) / (w_plus + w_minus)),
        hodges_lehmann: hodges_lehmann(&d),
    })
}

/// Exact binomial test of as many signs on one side.
fn sign_test(n_pos: usize, n_neg: usize) -> f64 {
    let least = n_pos.min(n_neg) as f64;
    (2.0 * binom_cdf(least, (n_pos + n_neg) as f64, 0.5)).min(1.0)
}

/// Rank sums with the mean and variance they have when signs are random.
struct SignedRanks {
    plus: f64,
    minus: f64,
    mean: f64,
    variance: f64,
    tied: bool,
}

impl SignedRanks {
    /// Zeros are ranked with the rest and then dropped.
    fn of(d: &[f64]) -> Self {
        let sizes: Vec<f64> = d.iter().map(|x| x.abs()).collect();
        let (ranks, ties) = ranks(&sizes);
        let total = |side: fn(f64) -> bool| {
            d.iter()
                .zip(&ranks)
                .filter(|(x, _)| side(**x))
                .map(|(_, r)| r)
                .sum::<f64>()
        };
        let (n, zeros) = (d.len() as f64, d.iter().filter(|x| **x == 0.0).count() as f64);
        let cubes = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
        // The zeros' own group of ties goes with them.
        let all: f64 = ties.iter().map(|t| t * (t * t - 1.0)).sum();
        let of_zeros = if zeros > 1.0 {
            zeros * (zeros * zeros - 1.0)
        } else {
            0.0
        };
        Self {
            plus: total(|x| x > 0.0),
            minus: total(|x| x < 0.0),
            mean: (n * (n + 1.0) - zeros * (zeros + 1.0)) / 4.0,
            variance: (cubes(n) - cubes(zeros) - 0.5 * (all - of_zeros)) / 24.0,
            tied: !ties.is_empty(),
        }
    }

    fn z(&self) -> Option<f64> {
        (self.variance > 0.0).then(|| (self.plus - self.mean) / self.variance.sqrt())
    }
}

/// Twice the share of the 2^n sign patterns whose smaller rank sum is at most `w`.
fn exact_p(n: usize, w: usize) -> f64 {
    let mut share = vec![0.0; w + 1];
    share[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..=w).rev() {
            let with = if sum >= rank { share[sum - rank] } else { 0.0 };
            share[sum] = 0.5 * (share[sum] + with);
        }
    }
    (2.0 * share.iter().sum::<f64>()).min(1.0)
}

fn hodges_lehmann(d: &[f64]) -> Option<f64> {
    if d.is_empty() || d.len() > MOST_FOR_AVERAGES {
        return None;
    }
    let averages = d
        .iter()
        .enumerate()
        .flat_map(|(i, x)| d[i..].iter().map(move |y| 0.5 * (x + y)));
    Some(median_in_place(&mut averages.collect::<Vec<f64>>()))
}
