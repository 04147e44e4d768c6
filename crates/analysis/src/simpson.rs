//! Does a difference survive once both runs are compared on the same mix of samples?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_share, defined};
use crate::special::chi2_sf;

/// Right answers of two runs on one slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stratum {
    /// Right answers of the baseline.
    pub k_a: u64,
    /// Questions of the baseline.
    pub n_a: u64,
    /// Right answers of the candidate.
    pub k_b: u64,
    /// Questions of the candidate.
    pub n_b: u64,
}

/// A difference over all samples beside the difference within slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Simpson {
    /// Candidate minus baseline over all samples; undefined when either has none.
    pub aggregate_diff: Option<f64>,
    /// Candidate minus baseline in each slice; undefined where either has no samples.
    pub stratum_diffs: Vec<Option<f64>>,
    /// Mantel and Haenszel's difference: slices weighted by `n_a n_b/(n_a + n_b)`.
    pub mh_risk_diff: Option<f64>,
    /// The difference with slices weighted by `n_a + n_b`, over the slices that both runs have.
    pub standardized_diff: Option<f64>,
    /// The difference within slices has the opposite sign of that over all samples.
    pub reversal: bool,
    /// And so has the difference in every single slice.
    pub full_reversal: bool,
    /// Cochran, Mantel and Haenszel's χ² of no difference within slices, without correction.
    pub cmh_chi2: Option<f64>,
    /// p of `cmh_chi2` on one degree of freedom.
    pub cmh_p: Option<f64>,
}

/// Checks a comparison of two runs whose slices are mixed differently.
///
/// With different mixes the difference over all samples also measures the mixes (Simpson's
/// paradox); the difference within slices does not. Assumes independent questions.
///
/// ```
/// use analysis::simpson::{Stratum, simpson};
///
/// // Better overall, only because it was asked more of the easy questions.
/// let of = simpson(&[
///     Stratum { k_a: 81, n_a: 87, k_b: 234, n_b: 270 },
///     Stratum { k_a: 192, n_a: 263, k_b: 55, n_b: 80 },
/// ])?;
/// assert!(of.aggregate_diff > Some(0.0) && of.standardized_diff < Some(0.0));
/// assert!(of.full_reversal);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a count of right answers exceeds its questions.
pub fn simpson(strata: &[Stratum]) -> Result<Simpson, InputError> {
    let cells: Vec<Cells> = strata.iter().map(Cells::of).collect::<Result<_, _>>()?;
    let total = |f: fn(&Cells) -> f64| cells.iter().map(f).sum::<f64>();
    let whole = Cells {
        ka: total(|c| c.ka),
        na: total(|c| c.na),
        kb: total(|c| c.kb),
        nb: total(|c| c.nb),
    };
    let aggregate_diff = whole.diff();
    let stratum_diffs: Vec<Option<f64>> = cells.iter().map(Cells::diff).collect();
    let weighted = |weight: fn(&Cells) -> f64| {
        let pairs = cells.iter().zip(&stratum_diffs);
        let (sum, weights) = pairs
            .filter_map(|(c, diff)| diff.map(|diff| (weight(c), diff)))
            .fold((0.0, 0.0), |(sum, all), (w, diff)| (sum + w * diff, all + w));
        defined(sum / weights)
    };
    let mh_risk_diff = weighted(|c| c.na * c.nb / (c.na + c.nb));
    let opposite = |x: Option<f64>| aggregate_diff.zip(x).is_some_and(|(all, x)| all * x < 0.0);
    let cmh_chi2 = cmh(&cells);
    Ok(Simpson {
        aggregate_diff,
        mh_risk_diff,
        standardized_diff: weighted(|c| c.na + c.nb),
        reversal: opposite(mh_risk_diff),
        full_reversal: !stratum_diffs.is_empty() && stratum_diffs.iter().all(|x| opposite(*x)),
        stratum_diffs,
        cmh_chi2,
        cmh_p: cmh_chi2.map(|x| chi2_sf(x, 1.0)),
    })
}

struct Cells {
    ka: f64,
    na: f64,
    kb: f64,
    nb: f64,
}

impl Cells {
    fn of(stratum: &Stratum) -> Result<Self, InputError> {
        let ((ka, na), (kb, nb)) = (
            check_share(stratum.k_a, stratum.n_a)?,
            check_share(stratum.k_b, stratum.n_b)?,
        );
        Ok(Self { ka, na, kb, nb })
    }

    fn diff(&self) -> Option<f64> {
        defined(self.kb / self.nb - self.ka / self.na)
    }
}

/// `(Σ(k_b - E k_b))²/Σ Var k_b` under fixed margins; slices of one sample say nothing.
fn cmh(cells: &[Cells]) -> Option<f64> {
    let (excess, variance) = cells
        .iter()
        .filter(|c| c.na + c.nb > 1.0)
        .map(|c| {
            let (n, right) = (c.na + c.nb, c.ka + c.kb);
            let expected = c.nb * right / n;
            let variance = c.na * c.nb * right * (n - right) / (n * n * (n - 1.0));
            (c.kb - expected, variance)
        })
        .fold((0.0, 0.0), |(x, v), (excess, variance)| {
            (x + excess, v + variance)
        });
    defined(excess * excess / variance)
}
