//! Student's t distribution.

use super::beta::beta_split;
use super::{norm_ppf, norm_sf};

/// P(T > |t|), from the side of the incomplete beta function that does not cancel.
fn tail(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    if df.is_infinite() {
        return norm_sf(t.abs());
    }
    let square = t * t;
    let (x, y) = (df / (df + square), square / (df + square));
    if t.abs() < 1.0 {
        0.5 - 0.5 * beta_split(0.5, df / 2.0, y, x)
    } else {
        0.5 * beta_split(df / 2.0, 0.5, x, y)
    }
}

/// P(T > t) for Student's t with `df` > 0 degrees of freedom.
#[must_use]
pub fn t_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if t >= 0.0 { tail(t, df) } else { 1.0 - tail(t, df) }
}

/// P(T ≤ t).
#[must_use]
pub fn t_cdf(t: f64, df: f64) -> f64 {
    t_sf(-t, df)
}

/// P(|T| > |t|).
pub(crate) fn t_two_sided(t: f64, df: f64) -> f64 {
    (2.0 * t_sf(t.abs(), df)).min(1.0)
}

/// The t with P(T ≤ t) = p: bracketed Newton steps on the tail.
#[must_use]
pub fn t_ppf(p: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if p == 0.5 {
        return 0.0;
    }
    let side = p - 0.5;
    let q = if side < 0.0 { p } else { 1.0 - p };
    if q == 0.0 {
        return f64::INFINITY.copysign(side);
    }
    upper_quantile(q, df).copysign(side)
}

/// The t > 0 with P(T > t) = q, for q in (0, ½).
fn upper_quantile(q: f64, df: f64) -> f64 {
    let (mut lo, mut hi) = (0.0, 1.0);
    while t_sf(hi, df) > q && hi < 1e300 {
        lo = hi;
        hi *= 2.0;
    }
    let mut t = (-norm_ppf(q)).clamp(lo, hi);
    for _ in 0..300 {
        let excess = t_sf(t, df) - q;
        if excess > 0.0 {
            lo = t;
        } else {
            hi = t;
        }
        let newton = t + excess / density(t, df);
        let next = if newton > lo && newton < hi {
            newton
        } else {
            0.5 * (lo + hi)
        };
        let step = (next - t).abs();
        t = next;
        if step <= 1e-15 * t {
            break;
        }
    }
    t
}

fn density(t: f64, df: f64) -> f64 {
    let log = libm::lgamma(0.5 * (df + 1.0))
        - libm::lgamma(0.5 * df)
        - 0.5 * (df * core::f64::consts::PI).ln()
        - 0.5 * (df + 1.0) * (t * t / df).ln_1p();
    log.exp()
}
