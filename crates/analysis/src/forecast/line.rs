//! Straight lines, over x or its logarithm.

use serde::{Deserialize, Serialize};

use super::{aicc, complete_points};
use crate::input::{InputError, check, check_complete, check_level, defined, domain, same_length};
use crate::interval::Interval;
use crate::moments::{Moments, products_about, standardised, sum};
use crate::special::{t_ppf, t_two_sided};

/// What the line is straight over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transform {
    /// x itself.
    Linear,
    /// ln x: for scores that rise ever more slowly.
    Log,
}

impl Transform {
    fn of(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Log => x.ln(),
        }
    }
}

/// A line with its forecasts. Undefined below three points or when all x are equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OlsForecast {
    /// Height at x = 0 (at ln x = 0).
    pub intercept: Option<f64>,
    /// Rise per unit of x (of ln x).
    pub slope: Option<f64>,
    /// Standard error of `slope`.
    pub se_slope: Option<f64>,
    /// Two-sided p of a slope of 0 by Student's t with n-2 degrees of freedom.
    pub p_slope: Option<f64>,
    /// Share of the variance explained; undefined for a constant y.
    pub r2: Option<f64>,
    /// Residual standard deviation, `√(SSE/(n-2))`.
    pub sigma: Option<f64>,
    /// Sum of squared residuals.
    pub sse: Option<f64>,
    /// Corrected AIC with three parameters; undefined below five points or for a perfect fit.
    pub aicc: Option<f64>,
    /// The line at each new x.
    pub pred: Option<Vec<f64>>,
    /// Confidence interval of the line at each new x.
    pub ci: Option<Vec<Interval>>,
    /// Prediction interval of a single new point at each new x: the one to show.
    pub pi: Option<Vec<Interval>>,
}

/// Least squares line with confidence and prediction intervals at new x.
///
/// Assumes independent normal residuals of equal variance; neighbouring checkpoints are usually
/// correlated, which makes the intervals too narrow.
///
/// ```
/// use analysis::forecast::{Transform, ols_forecast};
///
/// let x = [1000.0, 2000.0, 3000.0, 4000.0];
/// let of = ols_forecast(&x, &[0.50, 0.56, 0.59, 0.65], Transform::Linear, &[5000.0], 0.8)?;
/// assert!((of.pred.expect("four points")[0] - 0.695).abs() < 1e-9);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a number is infinite, an x is not above 0 under [`Transform::Log`],
/// or `level` is not between 0 and 1. NaN is missing: the point is left out.
pub fn ols_forecast(
    x: &[f64],
    y: &[f64],
    transform: Transform,
    x_new: &[f64],
    level: f64,
) -> Result<OlsForecast, InputError> {
    check_level("level", level)?;
    same_length("y", y.len(), x.len())?;
    check("x", x)?;
    check("y", y)?;
    check_complete("x_new", x_new)?;
    if transform == Transform::Log {
        for &x in x.iter().chain(x_new).filter(|x| !x.is_nan()) {
            domain("x", x, x > 0.0, "a number above 0")?;
        }
    }
    let (x, y) = complete_points(x, y);
    let x: Vec<f64> = x.into_iter().map(|x| transform.of(x)).collect();
    let Some(line) = Line::of(&x, &y) else {
        return Ok(OlsForecast::default());
    };
    let new: Vec<f64> = x_new.iter().map(|&x| transform.of(x)).collect();
    let t = t_ppf(0.5 + level / 2.0, line.df());
    let intervals = |half: &dyn Fn(f64) -> f64| -> Option<Vec<Interval>> {
        new.iter()
            .map(|&x| Interval::around(line.at(x), t * half(x)))
            .collect()
    };
    Ok(OlsForecast {
        intercept: defined(line.at(0.0)),
        slope: Some(line.slope),
        se_slope: defined(line.se_slope()),
        p_slope: Some(t_two_sided(standardised(line.slope, line.se_slope()), line.df())),
        r2: defined(1.0 - line.sse / line.y.ss),
        sigma: defined(line.sigma()),
        sse: defined(line.sse),
        aicc: aicc(line.x.count(), line.sse, 3.0),
        pred: new.iter().map(|&x| defined(line.at(x))).collect(),
        ci: intervals(&|x| line.se_at(x)),
        pi: intervals(&|x| line.se_at(x).hypot(line.sigma())),
    })
}

impl Default for OlsForecast {
    /// Nothing known.
    fn default() -> Self {
        Self {
            intercept: None,
            slope: None,
            se_slope: None,
            p_slope: None,
            r2: None,
            sigma: None,
            sse: None,
            aicc: None,
            pred: None,
            ci: None,
            pi: None,
        }
    }
}

/// A fitted line about the means.
struct Line {
    x: Moments,
    y: Moments,
    slope: f64,
    sse: f64,
}

impl Line {
    fn of(xs: &[f64], ys: &[f64]) -> Option<Self> {
        let (x, y) = (Moments::of(xs), Moments::of(ys));
        if x.n < 3 || x.ss <= 0.0 {
            return None;
        }
        let slope = products_about(xs, x.mean, ys, y.mean) / x.ss;
        let residuals: Vec<f64> = xs
            .iter()
            .zip(ys)
            .map(|(xi, yi)| (yi - y.mean - slope * (xi - x.mean)).powi(2))
            .collect();
        slope.is_finite().then(|| Self {
            x,
            y,
            slope,
            sse: sum(&residuals),
        })
    }

    fn df(&self) -> f64 {
        self.x.count() - 2.0
    }

    fn sigma(&self) -> f64 {
        (self.sse / self.df()).sqrt()
    }

    fn se_slope(&self) -> f64 {
        self.sigma() / self.x.ss.sqrt()
    }

    fn at(&self, x: f64) -> f64 {
        self.y.mean + self.slope * (x - self.x.mean)
    }

    /// Standard error of the line at x.
    fn se_at(&self, x: f64) -> f64 {
        let distance = x - self.x.mean;
        self.sigma() * (1.0 / self.x.count() + distance * distance / self.x.ss).sqrt()
    }
}
