//! Curves that rise towards a ceiling like a power of x.

use serde::{Deserialize, Serialize};

use super::{aicc, complete_points};
use crate::input::{InputError, check, check_complete, check_level, defined, domain, same_length};
use crate::interval::Interval;
use crate::linear::Cholesky;
use crate::moments::{Moments, mean, products_about, sum};
use crate::special::t_ppf;

/// Exponents looked at, logarithmically spaced between the two limits.
const GRID: usize = 200;
const LEAST_EXPONENT: f64 = 0.01;
const MOST_EXPONENT: f64 = 5.0;

/// `y = a - b (x/x0)^-c` with its forecasts; all undefined when the exponent cannot be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerlawForecast {
    /// The best exponent lies inside [0.01, 5], and there are more points than parameters.
    pub identifiable: bool,
    /// Geometric mean of x: it keeps b in units of y.
    pub x0: Option<f64>,
    /// The ceiling that the curve approaches.
    pub a: Option<f64>,
    /// How far below the ceiling the curve is at x0.
    pub b: Option<f64>,
    /// The exponent.
    pub c: Option<f64>,
    /// Sum of squared residuals.
    pub sse: Option<f64>,
    /// Corrected AIC with four parameters.
    pub aicc: Option<f64>,
    /// The curve at each new x.
    pub pred: Option<Vec<f64>>,
    /// Prediction interval of a single new point at each new x, by the delta method and Student's
    /// t with n-3 degrees of freedom.
    pub pi: Option<Vec<Interval>>,
}

/// Least squares fit of a saturating power law with prediction intervals at new x.
///
/// For a given exponent the curve is linear in a and b, so only the exponent is searched: over
/// 200 values, then by bracketed minimisation, then by Gauss-Newton steps that are taken only as
/// far as they reduce the residuals. A minimum at either end of the range means that the data do
/// not tell the exponent.
///
/// ```
/// use analysis::forecast::powerlaw_forecast;
///
/// let x: Vec<f64> = (1..10).map(|i| 1000.0 * f64::from(i)).collect();
/// let y: Vec<f64> = x.iter().map(|x| 0.8 - 0.2 * (x / 4000.0).powf(-0.6)).collect();
/// let of = powerlaw_forecast(&x, &y, &[20_000.0], 0.9)?;
/// assert!(of.identifiable);
/// assert!((of.a.expect("identifiable") - 0.8).abs() < 1e-6);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a number is infinite, an x is not above 0, or `level` is not between
/// 0 and 1. NaN is missing: the point is left out.
pub fn powerlaw_forecast(
    x: &[f64],
    y: &[f64],
    x_new: &[f64],
    level: f64,
) -> Result<PowerlawForecast, InputError> {
    check_level("level", level)?;
    same_length("y", y.len(), x.len())?;
    check("x", x)?;
    check("y", y)?;
    check_complete("x_new", x_new)?;
    for &x in x.iter().chain(x_new).filter(|x| !x.is_nan()) {
        domain("x", x, x > 0.0, "a number above 0")?;
    }
    let (x, y) = complete_points(x, y);
    let logs: Vec<f64> = x.iter().map(|x| x.ln()).collect();
    let centre = mean(&logs);
    let points = Points {
        u: logs.iter().map(|log| log - centre).collect(),
        y,
    };
    let new: Vec<f64> = x_new.iter().map(|x| x.ln() - centre).collect();
    let forecast = points
        .fit()
        .and_then(|fit| points.forecast(&fit, centre, &new, level));
    Ok(forecast.unwrap_or(PowerlawForecast {
        identifiable: false,
        x0: None,
        a: None,
        b: None,
        c: None,
        sse: None,
        aicc: None,
        pred: None,
        pi: None,
    }))
}

/// The points over `u = ln(x/x0)`.
struct Points {
    u: Vec<f64>,
    y: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Fit {
    a: f64,
    b: f64,
    c: f64,
    sse: f64,
}

impl Fit {
    fn at(&self, u: f64) -> f64 {
        self.a - self.b * (-self.c * u).exp()
    }

    /// Derivatives of the curve by a, b and c.
    fn gradient(&self, u: f64) -> [f64; 3] {
        let z = (-self.c * u).exp();
        [1.0, -z, self.b * u * z]
    }
}

impl Points {
    /// The best a and b for an exponent.
    fn given(&self, c: f64) -> Fit {
        let z: Vec<f64> = self.u.iter().map(|u| (-c * u).exp()).collect();
        let (mz, my) = (Moments::of(&z), Moments::of(&self.y));
        let slope = products_about(&z, mz.mean, &self.y, my.mean) / mz.ss;
        let slope = if slope.is_finite() { slope } else { 0.0 };
        self.measured(my.mean - slope * mz.mean, -slope, c)
    }

    fn measured(&self, a: f64, b: f64, c: f64) -> Fit {
        let fit = Fit {
            a,
            b,
            c,
            sse: f64::INFINITY,
        };
        let squares: Vec<f64> = self
            .u
            .iter()
            .zip(&self.y)
            .map(|(u, y)| (y - fit.at(*u)).powi(2))
            .collect();
        Fit {
            sse: sum(&squares),
            ..fit
        }
    }

    /// `None` when the minimum is at an end of the range or there are too few points.
    fn fit(&self) -> Option<Fit> {
        if self.u.len() < 4 {
            return None;
        }
        let step = (MOST_EXPONENT / LEAST_EXPONENT).ln() / (GRID - 1) as f64;
        let exponent = |i: usize| (LEAST_EXPONENT.ln() + step * i as f64).exp();
        let errors: Vec<f64> = (0..GRID).map(|i| self.given(exponent(i)).sse).collect();
        let best = (0..GRID).min_by(|&i, &j| errors[i].total_cmp(&errors[j]))?;
        if best == 0 || best == GRID - 1 {
            return None;
        }
        let bracketed = self.minimise(exponent(best - 1).ln(), exponent(best + 1).ln());
        Some(self.polish(bracketed))
    }

    /// Golden section over ln c, to the precision that the residuals allow.
    fn minimise(&self, mut lo: f64, mut hi: f64) -> Fit {
        let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
        let at = |log: f64| self.given(log.exp());
        let (mut left, mut right) = (hi - ratio * (hi - lo), lo + ratio * (hi - lo));
        let (mut fit_left, mut fit_right) = (at(left), at(right));
        while hi - lo > 1e-9 {
            if fit_left.sse <= fit_right.sse {
                (hi, right, fit_right) = (right, left, fit_left);
                left = hi - ratio * (hi - lo);
                fit_left = at(left);
            } else {
                (lo, left, fit_left) = (left, right, fit_right);
                right = lo + ratio * (hi - lo);
                fit_right = at(right);
            }
        }
        if fit_left.sse <= fit_right.sse {
            fit_left
        } else {
            fit_right
        }
    }

    /// Gauss-Newton steps, halved until the residuals shrink; none that does not.
    fn polish(&self, mut fit: Fit) -> Fit {
        for _ in 0..50 {
            let Some(normal) = self.normal(&fit) else {
                return fit;
            };
            let residuals = self.u.iter().zip(&self.y).map(|(u, y)| (*u, y - fit.at(*u)));
            let mut slope = [0.0; 3];
            for (u, r) in residuals {
                slope
                    .iter_mut()
                    .zip(fit.gradient(u))
                    .for_each(|(sum, g)| *sum += g * r);
            }
            let step = normal.solve(&slope);
            let better = (0..20)
                .map(|halvings| 0.5_f64.powi(halvings))
                .map(|t| self.measured(fit.a + t * step[0], fit.b + t * step[1], fit.c + t * step[2]))
                .find(|next| next.sse < fit.sse);
            match better {
                Some(next) => fit = next,
                None => return fit,
            }
        }
        fit
    }

    fn normal(&self, fit: &Fit) -> Option<Normal> {
        Normal::of(self.u.iter().map(|&u| fit.gradient(u)))
    }

    fn forecast(&self, fit: &Fit, centre: f64, new: &[f64], level: f64) -> Option<PowerlawForecast> {
        let n = self.u.len() as f64;
        let df = n - 3.0;
        let variance = fit.sse / df;
        let normal = self.normal(fit)?;
        let t = t_ppf(0.5 + level / 2.0, df);
        let interval = |&u: &f64| {
            let g = fit.gradient(u);
            let of_curve: f64 = normal.solve(&g).iter().zip(g).map(|(x, g)| x * g).sum();
            Interval::around(fit.at(u), t * (variance * (1.0 + of_curve)).sqrt())
        };
        Some(PowerlawForecast {
            identifiable: true,
            x0: defined(centre.exp()),
            a: defined(fit.a),
            b: defined(fit.b),
            c: defined(fit.c),
            sse: defined(fit.sse),
            aicc: aicc(n, fit.sse, 4.0),
            pred: new.iter().map(|&u| defined(fit.at(u))).collect(),
            pi: new.iter().map(interval).collect(),
        })
    }
}

/// The normal equations of three parameters, with the columns brought to length one.
struct Normal {
    scale: [f64; 3],
    factor: Cholesky,
}

impl Normal {
    fn of(gradients: impl Iterator<Item = [f64; 3]>) -> Option<Self> {
        let mut products = vec![vec![0.0; 3]; 3];
        for g in gradients {
            for (row, gi) in products.iter_mut().zip(g) {
                row.iter_mut().zip(g).for_each(|(sum, gj)| *sum += gi * gj);
            }
        }
        let scale = [0, 1, 2].map(|i: usize| products[i][i].sqrt());
        for (row, si) in products.iter_mut().zip(scale) {
            row.iter_mut().zip(scale).for_each(|(x, sj)| *x /= si * sj);
        }
        Some(Self {
            scale,
            factor: Cholesky::of(&products)?,
        })
    }

    fn solve(&self, y: &[f64; 3]) -> [f64; 3] {
        let scaled: Vec<f64> = y.iter().zip(self.scale).map(|(y, s)| y / s).collect();
        let x = self.factor.solve(&scaled);
        [x[0] / self.scale[0], x[1] / self.scale[1], x[2] / self.scale[2]]
    }
}
