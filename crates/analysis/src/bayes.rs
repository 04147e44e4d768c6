//! What can be said about a handful of right-or-wrong questions?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_count, check_level, check_number, check_share, domain};
use crate::interval::Interval;
use crate::quadrature::BetaMass;
use crate::special::{beta_cdf, beta_ppf};

/// Right answers out of questions asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Right answers.
    pub k: u64,
    /// Questions.
    pub n: u64,
}

/// The posterior of an accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Posterior {
    /// Posterior mean.
    pub mean: f64,
    /// Equal-tailed credible interval.
    pub eti: Interval,
}

/// Posteriors of two accuracies on different questions, and how they compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Independent {
    /// The baseline.
    pub a: Posterior,
    /// The candidate.
    pub b: Posterior,
    /// Posterior probability that the candidate's accuracy is higher.
    pub p_b_gt_a: f64,
    /// The same for higher by more than two points.
    pub p_b_gt_a_plus_0_02: f64,
}

/// Beta-binomial comparison of two runs on different questions (Bowyer et al. 2025).
///
/// The accuracies have independent posteriors `Beta(k+prior, n-k+prior)`: a prior of 1 is uniform,
/// ½ is Jeffreys'. Works with no data at all, where it returns the prior.
///
/// ```
/// use analysis::bayes::{Tally, independent};
///
/// let of = independent(Tally { k: 7, n: 10 }, Tally { k: 9, n: 10 }, 1.0, 0.95)?;
/// assert!((of.p_b_gt_a - 0.8446).abs() < 1e-4);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a count of right answers exceeds its questions, the prior is not in [1e-3, 1e6], or
/// `level` is not between 0 and 1.
pub fn independent(a: Tally, b: Tally, prior: f64, level: f64) -> Result<Independent, InputError> {
    check_level("level", level)?;
    let (a, b) = (Shape::of(a, prior)?, Shape::of(b, prior)?);
    Ok(Independent {
        a: a.posterior(level),
        b: b.posterior(level),
        p_b_gt_a: b.exceeds(&a, 0.0),
        p_b_gt_a_plus_0_02: b.exceeds(&a, 0.02),
    })
}

/// Posterior probability that the candidate's accuracy exceeds the baseline's by more than
/// `margin`, `∫ f_B(x) F_A(x - margin) dx`.
///
/// ```
/// use analysis::bayes::{Tally, probability_better_by};
///
/// let (a, b) = (Tally { k: 40, n: 50 }, Tally { k: 46, n: 50 });
/// let (any, much) = (probability_better_by(0.0, a, b, 1.0)?, probability_better_by(0.1, a, b, 1.0)?);
/// assert!(any > 0.9 && much < 0.7);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// As [`independent`], and when `margin` is not finite.
pub fn probability_better_by(margin: f64, a: Tally, b: Tally, prior: f64) -> Result<f64, InputError> {
    check_number("margin", margin)?;
    Ok(Shape::of(b, prior)?.exceeds(&Shape::of(a, prior)?, margin))
}

/// A beta posterior.
struct Shape {
    a: f64,
    b: f64,
}

impl Shape {
    fn of(tally: Tally, prior: f64) -> Result<Self, InputError> {
        check_prior(prior)?;
        let (k, n) = check_share(tally.k, tally.n)?;
        Ok(Self {
            a: k + prior,
            b: n - k + prior,
        })
    }

    fn posterior(&self, level: f64) -> Posterior {
        let at = |u| beta_ppf(self.a, self.b, u);
        let tail = (1.0 - level) / 2.0;
        Posterior {
            mean: self.a / (self.a + self.b),
            eti: Interval {
                lo: at(tail),
                hi: at(1.0 - tail),
            },
        }
    }

    /// P(self > other + margin).
    fn exceeds(&self, other: &Self, margin: f64) -> f64 {
        let below = |x: f64| beta_cdf(other.a, other.b, x - margin);
        BetaMass::new(self.a, self.b)
            .expect_above(margin.max(0.0), below)
            .clamp(0.0, 1.0)
    }
}

fn check_prior(prior: f64) -> Result<(), InputError> {
    domain(
        "prior",
        prior,
        (1e-3..=1e6).contains(&prior),
        "a number from 0.001 to 1000000",
    )
}

/// The posterior of the difference between two runs on the same questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedPosterior {
    /// Posterior probability that the candidate is better.
    pub p_candidate_better: f64,
    /// Posterior mean of candidate minus baseline.
    pub diff_mean: f64,
    /// Equal-tailed credible interval of candidate minus baseline.
    pub diff_eti: Interval,
}

/// How two runs did on the same right-or-wrong questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedTally {
    /// Both right.
    pub n11: u64,
    /// Baseline right, candidate wrong.
    pub n10: u64,
    /// Baseline wrong, candidate right.
    pub n01: u64,
    /// Both wrong.
    pub n00: u64,
}

/// Dirichlet-multinomial comparison of two runs on the same questions, in closed form.
///
/// Under a Dirichlet prior on the four cells, the share of questions that only one run gets right
/// is `S ~ Beta(n01+n10+2·prior, n11+n00+2·prior)`, and independently of it the candidate's part
/// of them is `B ~ Beta(n01+prior, n10+prior)`; the difference is `S(2B-1)`. Its probability of
/// being positive is `1 - I_½(n01+prior, n10+prior)`, exactly.
///
/// ```
/// use analysis::bayes::{PairedTally, paired};
///
/// let of = paired(PairedTally { n11: 3, n10: 0, n01: 4, n00: 2 }, 1.0, 0.95)?;
/// assert_eq!(of.p_candidate_better, 0.96875);
/// assert!(of.diff_eti.contains(0.0), "nine questions are few");
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a count is too large, the prior is not in [1e-3, 1e6], or `level` is not between 0 and 1.
pub fn paired(tally: PairedTally, prior: f64, level: f64) -> Result<PairedPosterior, InputError> {
    check_level("level", level)?;
    check_prior(prior)?;
    let n11 = check_count("n11", tally.n11)?;
    let n10 = check_count("n10", tally.n10)?;
    let n01 = check_count("n01", tally.n01)?;
    let n00 = check_count("n00", tally.n00)?;
    let shares = Difference {
        size: BetaMass::new(n01 + n10 + 2.0 * prior, n11 + n00 + 2.0 * prior),
        part: Shape {
            a: n01 + prior,
            b: n10 + prior,
        },
    };
    let tail = (1.0 - level) / 2.0;
    Ok(PairedPosterior {
        p_candidate_better: beta_cdf(n10 + prior, n01 + prior, 0.5),
        diff_mean: (n01 - n10) / (n11 + n10 + n01 + n00 + 4.0 * prior),
        diff_eti: Interval {
            lo: shares.quantile(tail),
            hi: shares.quantile(1.0 - tail),
        },
    })
}

/// The distribution of `S(2B-1)`.
struct Difference {
    size: BetaMass,
    part: Shape,
}

impl Difference {
    /// P(S(2B-1) ≤ d); for d < 0 the questions with S ≤ |d| contribute nothing, for d ≥ 0 all.
    fn cdf(&self, d: f64) -> f64 {
        let beyond = |s: f64| {
            if d >= 0.0 {
                self.above(d / s)
            } else {
                self.below(d / s)
            }
        };
        let mass = self.size.expect_above(d.abs(), beyond);
        if d >= 0.0 { 1.0 - mass } else { mass }
    }

    /// P(2B-1 ≤ r).
    fn below(&self, r: f64) -> f64 {
        beta_cdf(self.part.a, self.part.b, 0.5 * (1.0 + r))
    }

    /// P(2B-1 > r).
    fn above(&self, r: f64) -> f64 {
        beta_cdf(self.part.b, self.part.a, 0.5 * (1.0 - r))
    }

    /// The d with `cdf(d) = p`, by bracketed false position (Illinois).
    fn quantile(&self, p: f64) -> f64 {
        let (mut lo, mut hi) = (-1.0, 1.0);
        let (mut below, mut above) = (-p, 1.0 - p);
        let mut last = None;
        for _ in 0..200 {
            let weighted = (lo * above - hi * below) / (above - below);
            let x = if weighted > lo && weighted < hi {
                weighted
            } else {
                0.5 * (lo + hi)
            };
            let excess = self.cdf(x) - p;
            let moved = if excess > 0.0 { hi - x } else { x - lo };
            if excess == 0.0 || moved.min(hi - lo) < 1e-13 {
                return x;
            }
            let again = last == Some(excess > 0.0);
            if excess > 0.0 {
                (hi, above) = (x, excess);
                below *= if again { 0.5 } else { 1.0 };
            } else {
                (lo, below) = (x, excess);
                above *= if again { 0.5 } else { 1.0 };
            }
            last = Some(excess > 0.0);
        }
        0.5 * (lo + hi)
    }
}
