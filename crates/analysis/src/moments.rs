//! Sums, means and variances that keep their digits.
//!
//! Sums are pairwise over blocks of eight running totals: the error grows with the logarithm of
//! the length, and the compiler can use vector registers. Variances are two-pass.

const LEAF: usize = 256;

/// Σ leaf over the slice, split in halves down to blocks.
fn pairwise(xs: &[f64], leaf: &impl Fn(&[f64]) -> f64) -> f64 {
    if xs.len() <= LEAF {
        return leaf(xs);
    }
    let (left, right) = xs.split_at((xs.len() / 2).next_multiple_of(LEAF));
    pairwise(left, leaf) + pairwise(right, leaf)
}

/// Σ f(x) over a short block.
#[inline]
fn block(xs: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let chunks = xs.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|&x| f(x)).sum();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f(x);
        }
    }
    let [a, b, c, d, e, g, h, i] = lanes;
    ((a + e) + (b + g)) + ((c + h) + (d + i)) + rest
}

pub(crate) fn sum(xs: &[f64]) -> f64 {
    pairwise(xs, &|leaf| block(leaf, |x| x))
}

/// Σ (x - centre)^2.
pub(crate) fn squares_about(xs: &[f64], centre: f64) -> f64 {
    pairwise(xs, &|leaf| block(leaf, |x| (x - centre) * (x - centre)))
}

/// Σ (x - cx)(y - cy) over the common length.
pub(crate) fn products_about(xs: &[f64], cx: f64, ys: &[f64], cy: f64) -> f64 {
    let n = xs.len().min(ys.len());
    if n <= LEAF {
        return xs.iter().zip(ys).map(|(x, y)| (x - cx) * (y - cy)).sum();
    }
    let at = (n / 2).next_multiple_of(LEAF);
    let ((xl, xr), (yl, yr)) = (xs.split_at(at), ys.split_at(at));
    products_about(xl, cx, yl, cy) + products_about(xr, cx, yr, cy)
}

/// The mean, corrected by the mean of what is left over; NaN when empty.
pub(crate) fn mean(xs: &[f64]) -> f64 {
    let n = xs.len() as f64;
    let first = sum(xs) / n;
    first + pairwise(xs, &|leaf| block(leaf, |x| x - first)) / n
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
        let (lo, hi) = extremes(xs);
        if lo == hi {
            return Self {
                n: xs.len(),
                mean: lo,
                ss: 0.0,
            };
        }
        let mean = mean(xs);
        Self {
            n: xs.len(),
            mean,
            ss: squares_about(xs, mean),
        }
    }

    /// As [`Moments::of`], with the rule for differences: values within a relative 1e-12 of each
    /// other are constant, so that rounding of the subtraction is not taken for spread.
    pub(crate) fn of_differences(d: &[f64]) -> Self {
        let (lo, hi) = extremes(d);
        let mut of = Self::of(d);
        if is_constant(lo, hi) {
            of.ss = 0.0;
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
