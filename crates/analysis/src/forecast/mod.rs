//! Where will the score be at a later checkpoint?
//!
//! A forecast beyond twice the observed range of x is a guess whatever the interval says, and
//! every forecast is an extrapolation: say so beside it.

mod line;
mod powerlaw;

use serde::{Deserialize, Serialize};

pub use line::{OlsForecast, Transform, ols_forecast};
pub use powerlaw::{PowerlawForecast, powerlaw_forecast};

use crate::input::InputError;

/// Akaike's criterion with the small-sample correction, `n ln(SSE/n) + 2k + 2k(k+1)/(n-k-1)`; k
/// counts the noise as a parameter. Undefined without residuals or with n ≤ k+1.
fn aicc(n: f64, sse: f64, k: f64) -> Option<f64> {
    let value = n * (sse / n).ln() + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0);
    (n > k + 1.0 && value.is_finite()).then_some(value)
}

/// A family of curves to forecast with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// A straight line.
    Linear,
    /// A straight line over ln x.
    Log,
    /// `a - b (x/x0)^-c`.
    Powerlaw,
}

/// Chooses the curve that explains the points best for its number of parameters: the smallest
/// corrected AIC, where a simpler curve within 2 of it is preferred. Line and logarithm need four
/// points, the power law six with different x; `None` with fewer.
///
/// ```
/// use analysis::forecast::{Curve, choose_curve};
///
/// let x: Vec<f64> = (1..12).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|x| 0.3 + 0.1 * x.ln() + 0.001 * (9.0 * x).sin()).collect();
/// assert_eq!(choose_curve(&x, &y)?, Some(Curve::Log));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ or a number is infinite. NaN is missing: the point is left out.
pub fn choose_curve(x: &[f64], y: &[f64]) -> Result<Option<Curve>, InputError> {
    let linear = ols_forecast(x, y, Transform::Linear, &[], 0.8)?;
    let points = x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let mut xs: Vec<f64> = points.map(|(x, _)| *x).collect();
    if xs.len() < 4 {
        return Ok(None);
    }
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let mut curves = vec![(Curve::Linear, linear.aicc)];
    if xs[0] > 0.0 {
        curves.push((Curve::Log, ols_forecast(x, y, Transform::Log, &[], 0.8)?.aicc));
    }
    if xs[0] > 0.0 && xs.len() >= 6 {
        curves.push((Curve::Powerlaw, powerlaw_forecast(x, y, &[], 0.8)?.aicc));
    }
    let known = curves
        .iter()
        .filter_map(|(curve, aicc)| aicc.map(|aicc| (*curve, aicc)));
    let least = known.clone().map(|(_, aicc)| aicc).fold(f64::INFINITY, f64::min);
    // Line and logarithm are equally simple: between them the smaller wins.
    let simple = known
        .clone()
        .filter(|(curve, aicc)| *curve != Curve::Powerlaw && *aicc < least + 2.0)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    Ok(simple
        .or_else(|| known.min_by(|a, b| a.1.total_cmp(&b.1)))
        .map(|(curve, _)| curve))
}

/// The points that have both numbers.
fn complete_points(x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let points = x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    points.map(|(x, y)| (*x, *y)).unzip()
}
