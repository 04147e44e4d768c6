//! Integrals against a beta density, to about twelve digits.

use std::sync::LazyLock;

use crate::special::{beta_pdf, beta_ppf};

const POINTS: usize = 64;

/// Shares of the density's mass at which the integral is cut into panels: close together where a
/// tail probability hides.
const EDGES: [f64; 17] = [
    0.0,
    1e-9,
    1e-7,
    1e-5,
    1e-3,
    0.02,
    0.1,
    0.3,
    0.5,
    0.7,
    0.9,
    0.98,
    0.999,
    0.99999,
    0.999_999_9,
    0.999_999_999,
    1.0,
];

/// Nodes and weights of Gauss and Legendre on [-1, 1].
static RULE: LazyLock<[(f64, f64); POINTS]> = LazyLock::new(|| {
    let mut rule = [(0.0, 0.0); POINTS];
    for (i, slot) in rule.iter_mut().enumerate() {
        let guess = (core::f64::consts::PI * (i as f64 + 0.75) / (POINTS as f64 + 0.5)).cos();
        let mut x = guess;
        for _ in 0..20 {
            let (value, slope) = legendre(x);
            x -= value / slope;
        }
        let (_, slope) = legendre(x);
        *slot = (x, 2.0 / ((1.0 - x * x) * slope * slope));
    }
    rule
});

/// The Legendre polynomial of degree [`POINTS`] and its derivative.
fn legendre(x: f64) -> (f64, f64) {
    let (mut before, mut now) = (1.0, x);
    for k in 2..=POINTS {
        let k = k as f64;
        (before, now) = (now, ((2.0 * k - 1.0) * x * now - (k - 1.0) * before) / k);
    }
    (now, POINTS as f64 * (x * now - before) / (x * x - 1.0))
}

/// A beta density prepared for integration: abscissae with their share of the mass.
#[derive(Debug, Clone)]
pub(crate) struct BetaMass {
    a: f64,
    b: f64,
    edges: Vec<f64>,
}

impl BetaMass {
    pub(crate) fn new(a: f64, b: f64) -> Self {
        Self {
            a,
            b,
            edges: EDGES.iter().map(|&u| beta_ppf(a, b, u)).collect(),
        }
    }

    /// E\[g(X); X > from\] for X of this distribution.
    pub(crate) fn expect_above(&self, from: f64, g: impl Fn(f64) -> f64) -> f64 {
        let panels = self.edges.windows(2).filter(|panel| panel[1] > from);
        panels
            .map(|panel| self.panel(panel[0].max(from), panel[1], &g))
            .sum()
    }

    fn panel(&self, lo: f64, hi: f64, g: &impl Fn(f64) -> f64) -> f64 {
        let (centre, half) = (0.5 * (lo + hi), 0.5 * (hi - lo));
        let at = |&(node, weight): &(f64, f64)| {
            let x = centre + half * node;
            weight * beta_pdf(self.a, self.b, x) * g(x)
        };
        half * RULE.iter().map(at).sum::<f64>()
    }
}
