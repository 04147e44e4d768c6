//! The beta distribution and the F tail that follows from it.

use core::f64::consts::PI;

use super::gamma::{MOST_TERMS, deviance, floor_at, stirling_error};
use super::norm_ppf;

/// P(X ≤ x) for X ~ Beta(a, b): the regularised incomplete beta function I_x(a, b).
#[must_use]
pub fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if bad_shape(a) || bad_shape(b) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    beta_split(a, b, x, 1.0 - x)
}

/// The density of Beta(a, b) at x in (0, 1); 0 outside.
#[must_use]
pub fn beta_pdf(a: f64, b: f64, x: f64) -> f64 {
    if bad_shape(a) || bad_shape(b) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    prefactor(a, b, x, 1.0 - x) / (x * (1.0 - x))
}

/// P(X > x) for an F variable with `d1` and `d2` degrees of freedom.
#[must_use]
pub fn f_sf(x: f64, d1: f64, d2: f64) -> f64 {
    if x.is_nan() || bad_shape(d1) || bad_shape(d2) {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let whole = d2 + d1 * x;
    beta_split(d2 / 2.0, d1 / 2.0, d2 / whole, d1 * x / whole)
}

fn bad_shape(a: f64) -> bool {
    a.is_nan() || a <= 0.0 || a.is_infinite()
}

/// I_x(a, b) with `y = 1 - x` handed in, so that a caller who knows y exactly loses nothing.
pub(super) fn beta_split(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    if x < (a + 1.0) / (a + b + 2.0) {
        prefactor(a, b, x, y) * fraction(a, b, x) / a
    } else {
        1.0 - prefactor(b, a, y, x) * fraction(b, a, y) / b
    }
}

/// `x^a y^b / B(a, b)` by Loader's saddle point.
fn prefactor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let log =
        stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * y);
    log.exp() * (a * b / (2.0 * PI * n)).sqrt()
}

/// The continued fraction of the incomplete beta function by the modified Lentz method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let tiny = 1e-300;
    let mut c = 1.0;
    let mut d = 1.0 / floor_at(1.0 - (a + b) * x / (a + 1.0), tiny);
    let mut h = d;
    for m in 1..MOST_TERMS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / floor_at(1.0 + even * d, tiny);
        c = floor_at(1.0 + even / c, tiny);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / floor_at(1.0 + odd * d, tiny);
        c = floor_at(1.0 + odd / c, tiny);
        let delta = d * c;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// The x with P(X ≤ x) = p for X ~ Beta(a, b): Newton steps kept inside a bracket.
///
/// Stops when a step is below 1e-15 of x, or after 300 steps.
#[must_use]
pub fn beta_ppf(a: f64, b: f64, p: f64) -> f64 {
    if bad_shape(a) || bad_shape(b) || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    let (mut lo, mut hi) = (0.0_f64, 1.0_f64);
    let mut x = first_guess(a, b, p);
    for _ in 0..300 {
        let excess = beta_cdf(a, b, x) - p;
        if excess == 0.0 {
            break;
        }
        if excess > 0.0 {
            hi = x;
        } else {
            lo = x;
        }
        let newton = x - excess / beta_pdf(a, b, x);
        let next = if newton > lo && newton < hi {
            newton
        } else {
            between(lo, hi)
        };
        let step = (next - x).abs();
        x = next;
        if step <= 1e-15 * x {
            break;
        }
    }
    x
}

/// The bracket's middle: geometric where its ends differ by orders of magnitude.
fn between(lo: f64, hi: f64) -> f64 {
    if lo > 0.0 && hi > 16.0 * lo {
        (lo * hi).sqrt()
    } else if lo == 0.0 && hi > 0.0 {
        hi / 16.0
    } else {
        0.5 * (lo + hi)
    }
}

/// Near zero the distribution is a power of x; elsewhere a normal in disguise (Carter 1947).
fn first_guess(a: f64, b: f64, p: f64) -> f64 {
    let guess = if a >= 1.0 && b >= 1.0 {
        let z = norm_ppf(p);
        let k = (z * z - 3.0) / 6.0;
        let (u, v) = (1.0 / (2.0 * a - 1.0), 1.0 / (2.0 * b - 1.0));
        let h = 2.0 / (u + v);
        let w = z * (k + h).max(0.0).sqrt() / h - (v - u) * (k + 5.0 / 6.0 - 2.0 / (3.0 * h));
        a / (a + b * (-2.0 * w).exp())
    } else {
        let (t, u) = (
            (a * (a / (a + b)).ln()).exp() / a,
            (b * (b / (a + b)).ln()).exp() / b,
        );
        if p < t / (t + u) {
            (a * (t + u) * p).powf(1.0 / a)
        } else {
            1.0 - (b * (t + u) * (1.0 - p)).powf(1.0 / b)
        }
    };
    if guess > 0.0 && guess < 1.0 { guess } else { 0.5 }
}
