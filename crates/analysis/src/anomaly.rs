//! Is this run out of the ordinary?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_level, check_number, present};
use crate::moments::{extremes, mean};
use crate::order::{MAD_TO_SD, median, median_deviation, quantile, sorted};

/// Mean absolute deviation to standard deviation of a normal distribution, `√(π/2)`.
const MEAN_TO_SD: f64 = 1.253_314_137_315_500_3;

/// Deviations beyond this many robust standard deviations are outliers.
const OUTLIER: f64 = 3.5;

/// Robust location, spread and outliers. Undefined when empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    /// Median.
    pub median: Option<f64>,
    /// Median absolute deviation from the median, not scaled.
    pub mad: Option<f64>,
    /// Robust standard deviation: `1.4826 MAD`, or 1.2533 times the mean absolute deviation when
    /// the MAD is 0.
    pub scale: Option<f64>,
    /// Deviation of each value in units of `scale`; 0 when all are equal. Missing values are
    /// left out.
    pub z: Vec<f64>,
    /// Whether |z| exceeds 3.5.
    pub outlier: Vec<bool>,
    /// Lower quartile.
    pub q1: Option<f64>,
    /// Upper quartile.
    pub q3: Option<f64>,
    /// `q1 - 3 (q3 - q1)`.
    pub fence_lo: Option<f64>,
    /// `q3 + 3 (q3 - q1)`. Where runs have no standard error, a change is worth an alert when its
    /// absolute relative size is above this fence of those before it.
    pub fence_hi: Option<f64>,
}

/// Median, MAD, robust z-scores and outer fences of a handful of values.
///
/// ```
/// use analysis::anomaly::robust;
///
/// let tokens_per_second = [41.0, 40.0, 43.0, 42.0, 12.0];
/// assert_eq!(robust(&tokens_per_second)?.outlier, [false, false, false, false, true]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a value is infinite.
pub fn robust(y: &[f64]) -> Result<Robust, InputError> {
    let y = present("y", y)?;
    if y.is_empty() {
        return Ok(Robust {
            median: None,
            mad: None,
            scale: None,
            z: Vec::new(),
            outlier: Vec::new(),
            q1: None,
            q3: None,
            fence_lo: None,
            fence_hi: None,
        });
    }
    let (centre, mad) = (median(&y), median_deviation(&y));
    let (lo, hi) = extremes(&y);
    let deviations: Vec<f64> = y.iter().map(|x| (x - centre).abs()).collect();
    let scale = if lo == hi {
        0.0
    } else if mad > 0.0 {
        MAD_TO_SD * mad
    } else {
        MEAN_TO_SD * mean(&deviations)
    };
    let z: Vec<f64> = y
        .iter()
        .map(|x| if scale == 0.0 { 0.0 } else { (x - centre) / scale })
        .collect();
    let ascending = sorted(&y);
    let (q1, q3) = (quantile(&ascending, 0.25), quantile(&ascending, 0.75));
    Ok(Robust {
        median: Some(centre),
        mad: Some(mad),
        scale: Some(scale),
        outlier: z.iter().map(|z| z.abs() > OUTLIER).collect(),
        z,
        q1: Some(q1),
        q3: Some(q3),
        fence_lo: Some(q1 - 3.0 * (q3 - q1)),
        fence_hi: Some(q3 + 3.0 * (q3 - q1)),
    })
}

/// A split-conformal bound on a new score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// Which of the ascending scores is the bound, `⌈(n+1) level⌉`.
    pub k: usize,
    /// The bound: a new score of the same kind is at most this with probability `level`. Infinite
    /// when there are too few scores for that.
    #[serde(with = "crate::infinite")]
    pub quantile: Option<f64>,
    /// `(1 + #{scores ≥ new})/(n+1)`: small when the new score is unusually large.
    pub p_value: f64,
}

/// How unusual a new nonconformity score is, whatever the distribution of scores (Vovk).
///
/// ```
/// use analysis::anomaly::conformal;
///
/// let residuals: Vec<f64> = (1..20).map(f64::from).collect();
/// let of = conformal(&residuals, 0.95, 25.0)?;
/// assert_eq!((of.quantile, of.p_value), (Some(19.0), 0.05));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a number is infinite, the new score is missing, or `level` is not between 0 and 1.
pub fn conformal(scores: &[f64], level: f64, new_score: f64) -> Result<Conformal, InputError> {
    check_level("level", level)?;
    check_number("new_score", new_score)?;
    let ascending = sorted(&present("scores", scores)?);
    let n = ascending.len();
    // The product of a decimal level may exceed a whole number by rounding alone.
    let k = ((n + 1) as f64 * level - 1e-9).ceil().max(1.0) as usize;
    let reached = ascending.iter().filter(|score| **score >= new_score).count();
    Ok(Conformal {
        k,
        quantile: Some(ascending.get(k - 1).copied().unwrap_or(f64::INFINITY)),
        p_value: (1 + reached) as f64 / (n + 1) as f64,
    })
}
