//! Exact tests: binomial, hypergeometric, and Kendall's permutation distribution.

use core::f64::consts::PI;

use super::beta::beta_cdf;
use super::gamma::{deviance, stirling_error};

/// P(X ≤ k) for X ~ Binomial(n, p): `I_{1-p}(n-k, k+1)`.
#[must_use]
pub fn binom_cdf(k: f64, n: f64, p: f64) -> f64 {
    if k.is_nan() || n.is_nan() || n < 0.0 || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let k = k.floor();
    if k < 0.0 {
        return 0.0;
    }
    if k >= n {
        return 1.0;
    }
    beta_cdf(n - k, k + 1.0, 1.0 - p)
}

/// P(X = k) for X ~ Binomial(n, p), by Loader's saddle point.
#[must_use]
pub fn binom_pmf(k: f64, n: f64, p: f64) -> f64 {
    if k < 0.0 || k > n {
        return 0.0;
    }
    let q = 1.0 - p;
    if k == 0.0 {
        return q.powf(n);
    }
    if k == n {
        return p.powf(n);
    }
    let log = stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
        - deviance(k, n * p)
        - deviance(n - k, n * q);
    log.exp() * (n / (2.0 * PI * k * (n - k))).sqrt()
}

/// The hypergeometric distribution of the first cell of a 2×2 table with its margins fixed.
struct Table {
    row1: f64,
    row2: f64,
    column1: f64,
}

impl Table {
    fn lowest(&self) -> f64 {
        (self.column1 - self.row2).max(0.0)
    }

    fn highest(&self) -> f64 {
        self.row1.min(self.column1)
    }

    fn mode(&self) -> f64 {
        let m = (self.row1 + 1.0) * (self.column1 + 1.0) / (self.row1 + self.row2 + 2.0);
        m.floor().clamp(self.lowest(), self.highest())
    }

    /// A quotient of three binomials with a common p, which keeps all logarithms small.
    fn mass(&self, k: f64) -> f64 {
        let n = self.row1 + self.row2;
        let p = self.column1 / n;
        if p == 0.0 || p == 1.0 {
            return 1.0;
        }
        binom_pmf(k, self.row1, p) * binom_pmf(self.column1 - k, self.row2, p) / binom_pmf(self.column1, n, p)
    }

    /// P(X = k+1) / P(X = k).
    fn rise(&self, k: f64) -> f64 {
        (self.row1 - k) * (self.column1 - k) / ((k + 1.0) * (self.row2 - self.column1 + k + 1.0))
    }

    /// The mass of `k` and everything beyond it, walking away from the mode.
    fn tail_from(&self, k: f64, up: bool) -> f64 {
        let (mut k, mut mass) = (k, self.mass(k));
        let mut sum = mass;
        loop {
            if up {
                mass *= self.rise(k);
                k += 1.0;
            } else {
                k -= 1.0;
                mass /= self.rise(k);
            }
            if k < self.lowest() || k > self.highest() || mass <= sum * 1e-18 || mass.is_nan() {
                return sum;
            }
            sum += mass;
        }
    }

    /// On the given side of the mode, the value nearest to it whose mass is at most `limit`.
    fn first_at_most(&self, limit: f64, up: bool) -> Option<f64> {
        let (mut inside, mut outside) = (self.mode(), if up { self.highest() } else { self.lowest() });
        if self.mass(outside) > limit {
            return None;
        }
        if self.mass(inside) <= limit {
            return Some(if up { (inside + 1.0).min(outside) } else { inside });
        }
        while (outside - inside).abs() > 1.0 {
            let middle = ((inside + outside) / 2.0).floor();
            if self.mass(middle) <= limit {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        Some(outside)
    }
}

/// Fisher's exact two-sided p for the table `[[a, b], [c, d]]`: the total probability of all
/// tables with the same margins that are at most `1 + 1e-7` times as likely as this one.
#[must_use]
pub fn fisher_exact(a: u64, b: u64, c: u64, d: u64) -> f64 {
    let (a, b, c, d) = (a as f64, b as f64, c as f64, d as f64);
    let table = Table {
        row1: a + b,
        row2: c + d,
        column1: a + c,
    };
    if table.lowest() == table.highest() {
        return 1.0;
    }
    let limit = table.mass(a) * (1.0 + 1e-7);
    if table.mass(table.mode()) <= limit {
        return 1.0;
    }
    let below = table
        .first_at_most(limit, false)
        .map_or(0.0, |k| table.tail_from(k, false));
    let above = table
        .first_at_most(limit, true)
        .map_or(0.0, |k| table.tail_from(k, true));
    (below + above).min(1.0)
}

/// Exact two-sided p of Kendall's τ without ties, from the number of discordant pairs among `n`
/// ranks: twice the share of permutations with at most as many inversions.
#[must_use]
pub fn kendall_exact(n: usize, discordant: usize) -> f64 {
    let pairs = n * n.saturating_sub(1) / 2;
    let c = discordant.min(pairs - discordant.min(pairs));
    let mut share = vec![0.0; c + 1];
    share[0] = 1.0;
    for j in 2..=n {
        let mut next = vec![0.0; c + 1];
        let mut window = 0.0;
        for i in 0..=c {
            window += share[i];
            if i >= j {
                window -= share[i - j];
            }
            next[i] = window / j as f64;
        }
        share = next;
    }
    (2.0 * share.iter().sum::<f64>()).min(1.0)
}
