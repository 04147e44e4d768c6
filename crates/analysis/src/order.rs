//! Order statistics: quantiles, medians and ranks.

/// Median absolute deviation to standard deviation of a normal distribution, `1/Φ⁻¹(¾)`.
pub(crate) const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// The values in ascending order.
pub(crate) fn sorted(xs: &[f64]) -> Vec<f64> {
    let mut xs = xs.to_vec();
    xs.sort_unstable_by(f64::total_cmp);
    xs
}

/// Quantile of type 7 (linear between order statistics) of ascending values; NaN when empty.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = (q * last as f64).clamp(0.0, last as f64);
    let below = at.floor();
    let (i, t) = (below as usize, at - below);
    let (lo, hi) = (sorted[i], sorted[(i + 1).min(last)]);
    if t < 0.5 {
        lo + (hi - lo) * t
    } else {
        hi - (hi - lo) * (1.0 - t)
    }
}

/// The median; NaN when empty.
pub(crate) fn median(xs: &[f64]) -> f64 {
    let mut xs = xs.to_vec();
    median_in_place(&mut xs)
}

/// The median, leaving the values in another order.
pub(crate) fn median_in_place(xs: &mut [f64]) -> f64 {
    let n = xs.len();
    if n == 0 {
        return f64::NAN;
    }
    let (below, middle, _) = xs.select_nth_unstable_by(n / 2, f64::total_cmp);
    let middle = *middle;
    if n % 2 == 1 {
        return middle;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    0.5 * (lower + middle)
}

/// Median of the absolute deviations from the median, not scaled.
pub(crate) fn median_deviation(xs: &[f64]) -> f64 {
    let centre = median(xs);
    let mut deviations: Vec<f64> = xs.iter().map(|x| (x - centre).abs()).collect();
    median_in_place(&mut deviations)
}

/// The indices of the values in ascending order; ties keep their order.
pub(crate) fn order(xs: &[f64]) -> Vec<usize> {
    let mut at: Vec<usize> = (0..xs.len()).collect();
    at.sort_by(|&i, &j| xs[i].total_cmp(&xs[j]));
    at
}

/// Average ranks from 1, and the sizes of the groups of ties (singletons left out).
pub(crate) fn ranks(xs: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let at = order(xs);
    let mut ranks = vec![0.0; xs.len()];
    let mut ties = Vec::new();
    let mut from = 0;
    while from < at.len() {
        let to = from + at[from..].iter().take_while(|&&i| xs[i] == xs[at[from]]).count();
        for &i in &at[from..to] {
            ranks[i] = (from + 1 + to) as f64 / 2.0;
        }
        if to - from > 1 {
            ties.push((to - from) as f64);
        }
        from = to;
    }
    (ranks, ties)
}

/// Competition ranks, best first: 1 + the number of values that are larger by more than 1e-12.
pub(crate) fn competition_ranks(xs: &[Option<f64>]) -> Vec<Option<u32>> {
    let better = |x: f64| xs.iter().flatten().filter(|&&other| other > x + 1e-12).count() as u32;
    xs.iter().map(|x| x.map(|x| 1 + better(x))).collect()
}
