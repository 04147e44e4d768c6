//! What the gate is given and what it answers.

use serde::{Deserialize, Serialize};

/// How much a benchmark weighs in the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// A regression here blocks the release.
    Blocking,
    /// A regression here is a warning.
    Warning,
    /// Shown, never tested for regression.
    Info,
}

/// One run's score on one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The score in its own units.
    pub score: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Questions behind it.
    pub n: Option<u64>,
}

/// The mean difference over the questions that both runs answered, candidate minus baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedScore {
    /// Pairs.
    pub n: Option<u64>,
    /// Mean difference.
    pub diff: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Degrees of freedom.
    pub df: Option<f64>,
}

/// One benchmark of the table that the gate looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateRow {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Direction of its metric.
    pub higher_is_better: bool,
    /// Its weight in the verdict.
    pub tier: Tier,
    /// The largest loss that does not matter, in units of the score; 1 % of the metric's range
    /// is a good default.
    pub margin: f64,
    /// The baseline's score.
    pub baseline: Score,
    /// The candidate's score.
    pub candidate: Score,
    /// The paired comparison, preferred when it is there.
    pub paired: Option<PairedScore>,
}

/// When the candidate is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Only a proven regression stops a release.
    #[default]
    BlockOnRegression,
    /// Every blocking benchmark has to be proven non-inferior.
    RequireNoninferiority,
}

/// The gate's error rates and policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GateRules {
    /// Family-wise error rate of a false regression, per tier.
    pub alpha: f64,
    /// False discovery rate of the list of improvements.
    pub q: f64,
    /// When the candidate is held back.
    pub policy: Policy,
}

impl Default for GateRules {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            q: 0.05,
            policy: Policy::default(),
        }
    }
}

/// What a benchmark says about the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A score or standard error is missing.
    NoData,
    /// Proven worse, by the margin or more.
    Regression,
    /// Proven worse, by less than the margin.
    MinorRegression,
    /// Proven better.
    Improved,
    /// Proven not to be worse by the margin.
    Noninferior,
    /// Nothing is proven: see `mde` and `required_n`.
    Inconclusive,
}

/// The decision about the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A blocking benchmark regressed (NO-GO).
    Block,
    /// The policy asks for proof that is not there (INCONCLUSIVE).
    Hold,
    /// Nothing blocks, and something is worth a look (GO with warnings).
    PassWithWarnings,
    /// Every benchmark improved or is non-inferior (GO).
    Pass,
}

/// Where a row's numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The paired difference and Student's t.
    Paired,
    /// Two scores with their standard errors and the normal distribution.
    Unpaired,
    /// Two scores alone: a gain that cannot be tested.
    Point,
}

/// A benchmark's part in the decision. Without standard errors only `gain` is known, without
/// scores nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// Name of the benchmark.
    pub benchmark: String,
    /// What it says.
    pub status: Status,
    /// Difference with the sign of better, in units of the score.
    pub gain: Option<f64>,
    /// Standard error of `gain`.
    pub se: Option<f64>,
    /// `gain/se`; infinite when only the standard error is 0.
    #[serde(with = "crate::infinite")]
    pub z: Option<f64>,
    /// One-sided p of "not worse".
    pub p_regression: Option<f64>,
    /// One-sided p of "worse by the margin or more".
    pub p_noninferior: Option<f64>,
    /// Two-sided p of no difference.
    pub p_two: Option<f64>,
    /// Where the numbers come from.
    pub method: Option<Method>,
    /// `p_regression` adjusted by Holm within the tier; undefined for information only.
    pub p_regression_holm: Option<f64>,
    /// `p_two` adjusted by Benjamini and Hochberg over all rows.
    pub p_two_bh: Option<f64>,
    /// The loss that this row would detect with 80 % power at a one-sided α, before adjustment.
    pub mde: Option<f64>,
    /// Questions at which `mde` would be the margin; undefined for a margin of 0.
    pub required_n: Option<u64>,
    /// `gain·max(0, 1 - 1/z²)`: the gain with the luck of the winner taken off, a heuristic.
    pub shrunk_gain: Option<f64>,
}

/// The gate's decision with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// One entry per benchmark, in input order.
    pub rows: Vec<GateResult>,
    /// The decision.
    pub verdict: Verdict,
}
