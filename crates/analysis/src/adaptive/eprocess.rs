//! A comparison of two runs that may be stopped after every pair.

use serde::{Deserialize, Serialize};

use super::Bets;
use crate::input::{InputError, check_level, domain};

/// Evidence after t pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Pairs seen.
    pub t: usize,
    /// Natural logarithm of the e-value against "worse by the margin or more".
    #[serde(with = "crate::infinite")]
    pub log_e_noninferior: Option<f64>,
    /// Natural logarithm of the e-value against "not worse by the margin".
    #[serde(with = "crate::infinite")]
    pub log_e_regression: Option<f64>,
}

/// What the evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The candidate is not worse by the margin: stop.
    Noninferior,
    /// The candidate is worse by the margin: stop.
    Regression,
    /// Not clear yet.
    Continue,
}

/// A sequential comparison at the pairs asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EprocessResult {
    /// The evidence after some of the pairs.
    pub at: Vec<Evidence>,
    /// The number of pairs at which one side reached `1/α` first.
    pub stop: Option<usize>,
    /// The decision then.
    pub decision: Decision,
}

/// A margin this far outside [0, 1] is impossible rather than rounding.
const IMPOSSIBLE: f64 = 1e-9;

/// The running state of a sequential comparison: see [`eprocess`].
///
/// ```
/// use analysis::adaptive::{Decision, Eprocess};
///
/// let mut process = Eprocess::new(0.05, None, 0.05)?;
/// let mut pairs = 0;
/// while process.decision() == Decision::Continue {
///     process.push(-1.0)?;
///     pairs += 1;
/// }
/// assert_eq!(process.decision(), Decision::Regression);
/// assert!(pairs < 20);
/// # Ok::<(), analysis::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Eprocess {
    population: Option<f64>,
    log: f64,
    boundary: f64,
    bets: Bets,
    noninferior: f64,
    regression: f64,
    stop: Option<usize>,
    decision: Decision,
}

impl Eprocess {
    /// A comparison of paired differences in [-1, 1], out of a finite number of pairs or not.
    ///
    /// # Errors
    /// When the margin is not in [0, 1] or α not between 0 and 1.
    pub fn new(margin: f64, population: Option<u64>, alpha: f64) -> Result<Self, InputError> {
        check_level("alpha", alpha)?;
        domain(
            "margin",
            margin,
            (0.0..=1.0).contains(&margin),
            "a number from 0 to 1",
        )?;
        Ok(Self {
            population: population.map(|n| n as f64),
            log: (1.0 / alpha).ln(),
            boundary: (1.0 - margin) / 2.0,
            bets: Bets::default(),
            noninferior: 0.0,
            regression: 0.0,
            stop: None,
            decision: Decision::Continue,
        })
    }

    /// The evidence after the pairs so far; `None` before the first.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        let t = self.bets.t as usize;
        (t > 0).then_some(Evidence {
            t,
            log_e_noninferior: Some(self.noninferior),
            log_e_regression: Some(self.regression),
        })
    }

    /// The number of pairs at which the decision fell.
    #[must_use]
    pub fn stop(&self) -> Option<usize> {
        self.stop
    }

    /// The decision so far. It does not change once it has fallen.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Takes in the next difference, candidate minus baseline.
    ///
    /// # Errors
    /// When the difference is not in [-1, 1], or the population is exhausted.
    pub fn push(&mut self, d: f64) -> Result<(), InputError> {
        domain("d", d, (-1.0..=1.0).contains(&d), "a number from -1 to 1")?;
        let left = self.population.map(|n| n - self.bets.t);
        domain(
            "d",
            self.bets.t + 1.0,
            left.is_none_or(|left| left >= 1.0),
            "no more pairs than the population",
        )?;
        let x = f64::midpoint(d, 1.0);
        // The mean that the pairs left must have for the whole to lie exactly on the margin.
        let m = match (left, self.population) {
            (Some(left), Some(n)) => (n * self.boundary - self.bets.sum) / left,
            _ => self.boundary,
        };
        let lambda = self.bets.lambda(self.log);
        self.bets.push(x);
        if m < -IMPOSSIBLE {
            self.noninferior = f64::INFINITY;
        } else if m > 1.0 + IMPOSSIBLE {
            self.regression = f64::INFINITY;
        } else {
            let m = m.clamp(0.0, 1.0);
            let up = lambda.min(0.5 / m.max(IMPOSSIBLE));
            let down = lambda.min(0.5 / (1.0 - m).max(IMPOSSIBLE));
            self.noninferior += (up * (x - m)).ln_1p();
            self.regression += (-down * (x - m)).ln_1p();
        }
        self.decide();
        Ok(())
    }

    fn decide(&mut self) {
        let reached = self.noninferior.max(self.regression) >= self.log;
        if self.stop.is_none() && reached {
            self.stop = Some(self.bets.t as usize);
            self.decision = if self.noninferior >= self.regression {
                Decision::Noninferior
            } else {
                Decision::Regression
            };
        }
    }
}

/// Compares two runs pair by pair until it is clear whether the candidate is worse by `margin`.
///
/// Two betting e-processes on the paired differences, scaled to [0, 1] as `x = (d + 1)/2`: one
/// against "worse by the margin or more", one against the opposite (Waudby-Smith and Ramdas 2023).
/// With m the mean that the pairs left must have for the whole to lie on the margin, a pair
/// multiplies the evidence by `1 + λ(x - m)` and `1 - λ(x - m)`; `λ = √(2 ln(1/α)/(v t ln(1+t)))`
/// rests on the variance v of the pairs before it, and is at most `½/m` and `½/(1-m)`. Either may
/// be stopped at `1/α`, at any time, with error probability at most α. With a finite population
/// the evidence becomes infinite only when the pairs left cannot bring the mean back, strictly: at
/// the boundary itself they still can.
///
/// Assumes that the pairs come in random order. `looks` are the pair counts to report; those beyond
/// the data are left out.
///
/// ```
/// use analysis::adaptive::{Decision, eprocess};
///
/// // Equal models: one flip each way in twelve pairs.
/// let d: Vec<f64> = (0..600).map(|i| match i % 12 { 3 => 1.0, 9 => -1.0, _ => 0.0 }).collect();
/// let of = eprocess(&d, 0.05, Some(1000), 0.05, &[])?;
/// assert_eq!(of.decision, Decision::Noninferior);
/// assert!(of.stop < Some(600));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a difference is not in [-1, 1] (missing ones included), there are more than the
/// population, the margin is not in [0, 1], or α is not between 0 and 1.
pub fn eprocess(
    d: &[f64],
    margin: f64,
    population: Option<u64>,
    alpha: f64,
    looks: &[usize],
) -> Result<EprocessResult, InputError> {
    let mut process = Eprocess::new(margin, population, alpha)?;
    let mut evidence = Vec::with_capacity(d.len());
    for &d in d {
        process.push(d)?;
        evidence.extend(process.evidence());
    }
    Ok(EprocessResult {
        at: looks
            .iter()
            .filter_map(|&t| evidence.get(t.checked_sub(1)?).copied())
            .collect(),
        stop: process.stop,
        decision: process.decision,
    })
}
