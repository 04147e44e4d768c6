//! Sums, means and variances that keep their digits.
//!
//! Sums are pairwise over blocks of eight running totals: the error grows with the logarithm of
//! the length, and the compiler can use vector registers. Variances are two-pass.

const LEAF: usize = 256;

/// Sums of `N` terms per value over the common length, split in halves down to blocks.
fn pairwise<const N: usize>(xs: &[f64], ys: &[f64], terms: &impl Fn(f64, f64) -> [f64; N]) -> [f64; N] {
    let n = xs.len().min(ys.len());
    if n <= LEAF {
        return block(&xs[..n], &ys[..n], terms);
    }
    let at = (n / 2).next_multiple_of(LEAF);
    let ((x_left, x_right), (y_left, y_right)) = (xs.split_at(at), ys.split_at(at));
    let (left, right) = (pairwise(x_left, y_left, terms), pairwise(x_right, y_right, terms));
    core::array::from_fn(|i| left[i] + right[i])
}

/// The sums over a short block, eight running totals each.
#[inline]
fn block<const N: usize>(xs: &[f64], ys: &[f64], terms: impl Fn(f64, f64) -> [f64; N]) -> [f64; N] {
    let mut lanes = [[0.0; 8]; N];
    let ((x_chunks, x_rest), (y_chunks, y_rest)) = (xs.as_chunks::<8>(), ys.as_chunks::<8>());
    for (x, y) in x_chunks.iter().zip(y_chunks) {
        for lane in 0..8 {
            let terms = terms(x[lane], y[lane]);
            for (lanes, term) in lanes.iter_mut().zip(terms) {
                lanes[lane] += term;
            }
        }
    }
    let mut sums = lanes.map(|[a, b, c, d, e, f, g, h]| ((a + e) + (b + f)) + ((c + g) + (d + h)));
    for (x, y) in x_rest.iter().zip(y_rest) {
        for (sum, term) in sums.iter_mut().zip(terms(*x, *y)) {
            *sum += term;
        }
    }
    sums
}

pub(crate) fn sum(xs: &[f64]) -> f64 {
    pairwise(xs, xs, &|x, _| [x])[0]
}

/// Σ (x - cx)(y - cy) over the common length.
pub(crate) fn products_about(xs: &[f64], cx: f64, ys: &[f64], cy: f64) -> f64 {
    pairwise(xs, ys, &|x, y| [(x - cx) * (y - cy)])[0]
}

/// The mean, corrected by the mean of what is left over; NaN when empty.
pub(crate) fn mean(xs: &[f64]) -> f64 {
    let n = xs.len() as f64;
    let first = sum(xs) / n;
    first + pairwise(xs, xs, &|x, _| [x - first])[0] / n
}

/// (smallest, largest); (∞, -∞) when empty.
pub(crate) fn extremes(xs: &[f64]) -> (f64, f64) {
    xs.iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &x| {
            (lo.min(x), hi.max(x))
        })
}

/// Count, mean and sum of squared deviations of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) n: usize,
    pub(crate) mean: f64,
    pub(crate) ss: f64,
}

impl Moments {
    /// Equal values have exactly their value as mean and no spread.
    pub(crate) fn of(xs: &[f64]) -> Self {
        let n = xs.len() as f64;
        match xs {
            [] => {
                return Self {
                    n: 0,
                    mean: f64::NAN,
                    ss: 0.0,
                };
            }
            [first, rest @ ..] if rest.iter().all(|x| x == first) => {
                return Self {
                    n: xs.len(),
                    mean: *first,
                    ss: 0.0,
                };
            }
            _ => {}
        }
        let first = sum(xs) / n;
        let [left_over, squares] = pairwise(xs, xs, &|x, _| [x - first, (x - first) * (x - first)]);
        let ss = (squares - left_over * left_over / n).max(0.0);
        Self {
            n: xs.len(),
            mean: first + left_over / n,
            ss,
        }
    }

    /// As [`Moments::of`], with the rule for differences: values within a relative 1e-12 of each
    /// other are constant, so that rounding of the subtraction is not taken for spread.
    pub(crate) fn of_differences(d: &[f64]) -> Self {
        let mut of = Self::of(d);
        // The spread is between the standard deviation and √ss, which settles most cases.
        let largest = of.mean.abs() + of.ss.sqrt();
        if of.n > 0 && (of.ss / of.count()).sqrt() <= 1e-12 * largest.max(1.0) {
            let (lo, hi) = extremes(d);
            if is_constant(lo, hi) {
                of.ss = 0.0;
            }
        }
        of
    }

    pub(crate) fn count(&self) -> f64 {
        self.n as f64
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.n > 0).then_some(self.mean)
    }

    /// Sample variance (divisor n-1).
    pub(crate) fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.ss / (self.count() - 1.0))
    }

    pub(crate) fn sd(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Standard error of the mean.
    pub(crate) fn se(&self) -> Option<f64> {
        self.sd().map(|sd| sd / self.count().sqrt())
    }
}

/// `max - min ≤ 1e-12 max(1, max|d|)`.
pub(crate) fn is_constant(lo: f64, hi: f64) -> bool {
    hi - lo <= 1e-12 * lo.abs().max(hi.abs()).max(1.0)
}

/// The estimate in units of its standard error: 0 for 0/0, ±∞ when only the error is zero.
pub(crate) fn standardised(estimate: f64, se: f64) -> f64 {
    if se > 0.0 {
        estimate / se
    } else if estimate == 0.0 {
        0.0
    } else {
        f64::INFINITY.copysign(estimate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_large_offset_does_not_eat_the_variance() {
        let xs: Vec<f64> = (0..1000).map(|i| 1e6 + f64::from(i % 2) * 1e-3).collect();
        let sd = Moments::of(&xs).sd().expect("a thousand values have a spread");
        assert!((sd - 0.5e-3 * (1000.0_f64 / 999.0).sqrt()).abs() < 1e-10, "{sd}");
    }

    #[test]
    fn a_long_sum_of_tenths_is_exact_to_rounding() {
        let xs = vec![0.1; 1_000_000];
        assert!((sum(&xs) - 100_000.0).abs() < 1e-9);
    }
}
