//! Is B at most a little worse than A?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_level, check_size, present};
use crate::moments::{Moments, standardised};
use crate::special::{t_ppf, t_sf};

/// Tests of a mean paired difference against a margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noninferiority {
    /// Mean difference, candidate minus baseline; positive is better.
    pub diff: Option<f64>,
    /// Its standard error; undefined below two pairs, as everything below.
    pub se: Option<f64>,
    /// `(diff + margin)/se`.
    #[serde(with = "crate::infinite")]
    pub t_ni: Option<f64>,
    /// One-sided p of "worse by the margin or more": small means non-inferior.
    pub p_ni: Option<f64>,
    /// Lower one-sided confidence bound of the mean difference at level 1 - α.
    pub lower_bound: Option<f64>,
    /// p of equivalence within ± margin: the larger of the two one-sided p-values.
    pub p_tost: Option<f64>,
}

/// Tests whether the candidate loses less than `margin`, and whether it is equivalent within it.
///
/// `t = (mean(d) + margin)/se` on n-1 degrees of freedom, one-sided. The differences must point
/// up for better; NaN is missing and left out.
///
/// ```
/// use analysis::noninferiority::noninferiority;
///
/// let of = noninferiority(&[0.02, -0.01, 0.0, 0.01, -0.02, 0.0], 0.05, 0.05)?;
/// assert!(of.p_ni < Some(0.05), "surely not five points worse");
/// assert!(of.lower_bound > Some(-0.05));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a difference is infinite, the margin is negative, or α is not between 0 and 1.
pub fn noninferiority(d: &[f64], margin: f64, alpha: f64) -> Result<Noninferiority, InputError> {
    check_size("margin", margin)?;
    check_level("alpha", alpha)?;
    let of = Moments::of_differences(&present("d", d)?);
    let (se, df) = (of.se(), of.count() - 1.0);
    let t = |shift: f64| se.map(|se| standardised(of.mean + shift, se));
    let t_ni = t(margin);
    let p_ni = t_ni.map(|t| t_sf(t, df));
    let p_superior = t(-margin).map(|t| t_sf(-t, df));
    let reach = |se: f64| if se == 0.0 { 0.0 } else { -t_ppf(alpha, df) * se };
    Ok(Noninferiority {
        diff: of.mean(),
        se,
        t_ni,
        p_ni,
        lower_bound: se.map(|se| of.mean - reach(se)),
        p_tost: p_ni.zip(p_superior).map(|(lower, upper)| lower.max(upper)),
    })
}
