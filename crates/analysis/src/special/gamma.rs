//! The gamma function, Loader's saddle-point pieces and the χ² tail.

use core::f64::consts::PI;

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;
pub(super) const MOST_TERMS: usize = 20_000;

/// ln Γ(x) for x > 0.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The error of Stirling's formula, `ln Γ(z+1) - (z+½) ln z + z - ln √(2π)`, for z > 0.
///
/// The series is exact to rounding from 16 on; below, the definition loses nothing.
pub(super) fn stirling_error(z: f64) -> f64 {
    if z < 16.0 {
        return ln_gamma(z + 1.0) - (z + 0.5) * z.ln() + z - LN_SQRT_2PI;
    }
    let z2 = z * z;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0) / z2) / z2) / z2) / z2) / z
}

/// Loader's deviance `x ln(x/m) + m - x`, without cancellation when x is near m.
pub(super) fn deviance(x: f64, m: f64) -> f64 {
    if x == 0.0 {
        return m;
    }
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut term = 2.0 * x * v;
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// `x^a e^-x / Γ(a+1)`.
fn poisson_mass(a: f64, x: f64) -> f64 {
    (-stirling_error(a) - deviance(a, x)).exp() / (2.0 * PI * a).sqrt()
}

/// P(X > x) for a χ² variable with `df` degrees of freedom: the regularised upper gamma function
/// Q(df/2, x/2), by its series below the mean and a continued fraction above.
#[must_use]
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    if x.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let (a, x) = (df / 2.0, x / 2.0);
    if x < a + 1.0 {
        1.0 - lower_series(a, x)
    } else {
        upper_fraction(a, x)
    }
}

fn lower_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..MOST_TERMS {
        term *= x / (a + k as f64);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    poisson_mass(a, x) * sum
}

fn upper_fraction(a: f64, x: f64) -> f64 {
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut h = d;
    for k in 1..MOST_TERMS {
        let k = k as f64;
        let an = -k * (k - a);
        b += 2.0;
        d = 1.0 / floor_at(an * d + b, tiny);
        c = floor_at(b + an / c, tiny);
        let delta = c * d;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 {
            break;
        }
    }
    poisson_mass(a, x) * a * h
}

/// Lentz's guard: a denominator never closer to zero than `tiny`.
pub(super) fn floor_at(x: f64, tiny: f64) -> f64 {
    if x.abs() < tiny { tiny } else { x }
}
