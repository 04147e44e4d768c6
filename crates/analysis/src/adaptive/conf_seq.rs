//! A confidence interval that may be looked at after every sample.

use serde::{Deserialize, Serialize};

use super::Bets;
use crate::input::{InputError, check_level, domain};

/// Bounds of the mean after t samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// Samples seen.
    pub t: usize,
    /// Lower bound, never falling with t.
    pub lo: f64,
    /// Upper bound, never rising with t.
    pub hi: f64,
}

/// A confidence sequence at the samples asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfSeq {
    /// The bounds after some of the samples.
    pub at: Vec<Bound>,
}

/// The running state of a confidence sequence: see [`conf_seq`].
///
/// ```
/// use analysis::adaptive::ConfidenceSequence;
///
/// let mut sequence = ConfidenceSequence::new(Some(100), 0.05)?;
/// for _ in 0..60 {
///     sequence.push(1.0)?;
/// }
/// let bound = sequence.bound().expect("sixty samples");
/// assert!(bound.lo > 0.9, "sixty right out of a hundred, all of them right so far");
/// # Ok::<(), analysis::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConfidenceSequence {
    population: Option<f64>,
    log: f64,
    alpha: f64,
    bets: Bets,
    weighted: f64,
    weights: f64,
    loss: f64,
    lo: f64,
    hi: f64,
}
impl ConfidenceSequence {
    /// A sequence for scores in [0, 1], out of a finite population or an endless one.
    ///
    /// # Errors
    /// When α is not between 0 and 1.
    pub fn new(population: Option<u64>, alpha: f64) -> Result<Self, InputError> {
        check_level("alpha", alpha)?;
        Ok(Self {
            population: population.map(|n| n as f64),
            log: (2.0 / alpha).ln(),
            alpha,
            bets: Bets::default(),
            weighted: 0.0,
            weights: 0.0,
            loss: 0.0,
            lo: 0.0,
            hi: 1.0,
        })
    }

    /// The error probability over all samples together.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The bounds after the samples so far; `None` before the first.
    #[must_use]
    pub fn bound(&self) -> Option<Bound> {
        let t = self.bets.t as usize;
        (t > 0).then_some(Bound {
            t,
            lo: self.lo,
            hi: self.hi,
        })
    }

    /// Takes in the next score.
    ///
    /// # Errors
    /// When the score is not in [0, 1], or the population is exhausted.
    pub fn push(&mut self, x: f64) -> Result<(), InputError> {
        domain("x", x, (0.0..=1.0).contains(&x), "a number from 0 to 1")?;
        let before = self.bets.t;
        let left = self.population.map(|n| n - before);
        domain(
            "x",
            before + 1.0,
            left.is_none_or(|left| left >= 1.0),
            "no more samples than the population",
        )?;
        // What the samples already seen say about those that are left.
        let (z, w) = left.map_or((0.0, 0.0), |left| (self.bets.sum / left, before / left));
        let lambda = self.bets.lambda(self.log).min(0.5);
        let surprise = (x - self.bets.mean()).powi(2);
        self.weighted += lambda * (x + z);
        self.weights += lambda * (1.0 + w);
        self.loss += surprise * (-(-lambda).ln_1p() - lambda);
        self.bets.push(x);
        let centre = self.weighted / self.weights;
        let half = (self.log + self.loss) / self.weights;
        self.narrow(centre - half, centre + half);
        if let Some(n) = self.population {
            self.narrow(self.bets.sum / n, (self.bets.sum + n - self.bets.t) / n);
        }
        Ok(())
    }

    fn narrow(&mut self, lo: f64, hi: f64) {
        self.lo = self.lo.max(lo);
        self.hi = self.hi.min(hi);
    }
}

/// Bounds of a mean score that hold after every sample at once, with probability 1 - α.
///
/// The predictable-mixture empirical Bernstein confidence sequence, without replacement when the
/// population of N is known (Waudby-Smith and Ramdas 2020, 2023):
/// `(Σ λ(x + Z) ± (ln(2/α) + Σ (x - m)² (-ln(1-λ) - λ))) / Σ λ(1 + W)`, where at sample t
/// `λ = min(½, √(2 ln(2/α)/(v t ln(1+t))))`, m and v are mean and variance of the scores before it
/// together with one imagined score (of mean ½ and variance ¼), S is their sum, `Z = S/(N-t+1)`,
/// `W = (t-1)/(N-t+1)`, and Z = W = 0 without a population. The bounds are intersected over time
/// and with what is certain after t samples: `[S/N, (S + N - t)/N]`.
///
/// Assumes that the samples come in random order, and of an endless population that they are
/// independent. About twice as wide as a fixed-n interval. `looks` are the sample counts to report;
/// those beyond the data are left out.
///
/// ```
/// use analysis::adaptive::conf_seq;
///
/// let x: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 4 > 0))).collect();
/// let of = conf_seq(&x, Some(400), 0.05, &[50, 200])?;
/// assert!(of.at[1].lo > of.at[0].lo && of.at[1].hi < of.at[0].hi);
/// assert!(of.at[1].lo < 0.75 && 0.75 < of.at[1].hi);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a score is not in [0, 1] (missing ones included), there are more than the population, or
/// α is not between 0 and 1.
pub fn conf_seq(
    x: &[f64],
    population: Option<u64>,
    alpha: f64,
    looks: &[usize],
) -> Result<ConfSeq, InputError> {
    let mut sequence = ConfidenceSequence::new(population, alpha)?;
    let mut bounds = Vec::with_capacity(x.len());
    for &x in x {
        sequence.push(x)?;
        bounds.extend(sequence.bound());
    }
    let at = looks
        .iter()
        .filter_map(|&t| bounds.get(t.checked_sub(1)?).copied())
        .collect();
    Ok(ConfSeq { at })
}
