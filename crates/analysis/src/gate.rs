//! May this candidate replace the baseline?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_level, check_number, check_size, domain};
use crate::moments::standardised;
use crate::multiplicity::{benjamini_hochberg, holm};
use crate::special::{norm_cdf, norm_ppf, t_cdf, t_two_sided};
use crate::unpaired::combined_se;

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

/// Decides whether a candidate may replace a baseline.
///
/// Every row is tested for a regression (H0: not worse) and for non-inferiority (H0: worse by the
/// margin or more), by the paired difference where there is one. The regression p-values are
/// adjusted by Holm within the blocking and within the warning tier, because a false block is
/// expensive; the two-sided ones by Benjamini and Hochberg over everything.
///
/// The status is the first that holds: no data; adjusted regression p ≤ α and a loss, of at least
/// the margin or less; adjusted two-sided p ≤ q and a gain; non-inferiority p ≤ α; inconclusive.
/// A blocking regression blocks. Under [`Policy::RequireNoninferiority`] a blocking row that is
/// neither improved nor non-inferior holds. Anything else short of that anywhere is a warning.
///
/// ```
/// use analysis::gate::{GateRow, GateRules, Score, Tier, Verdict, gate};
///
/// let of = |score, se| Score { score: Some(score), se: Some(se), n: Some(2374) };
/// let row = GateRow {
///     benchmark: "mme".into(), higher_is_better: true, tier: Tier::Blocking, margin: 20.0,
///     baseline: of(1610.0, 20.0), candidate: of(1402.0, 21.0), paired: None,
/// };
/// assert_eq!(gate(&[row], &GateRules::default())?.verdict, Verdict::Block);
/// assert_eq!(gate(&[], &GateRules::default())?.verdict, Verdict::Pass);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When α or q is not between 0 and 1, a margin or standard error is negative, degrees of
/// freedom are not positive, or a number is infinite.
pub fn gate(rows: &[GateRow], rules: &GateRules) -> Result<Gate, InputError> {
    check_level("alpha", rules.alpha)?;
    check_level("q", rules.q)?;
    let tests: Vec<Option<Test>> = rows.iter().map(Test::of).collect::<Result<_, _>>()?;
    let within = |tier: Tier| -> Vec<Option<f64>> {
        let tested = rows.iter().zip(&tests);
        let p = tested.map(|(row, test)| test.as_ref().filter(|_| row.tier == tier));
        holm(&p.map(|test| test.map(Test::p_regression)).collect::<Vec<_>>())
    };
    let (blocking, warning) = (within(Tier::Blocking), within(Tier::Warning));
    let two_sided: Vec<_> = tests.iter().map(|test| test.as_ref().map(Test::p_two)).collect();
    let bh = benjamini_hochberg(&two_sided);
    let results: Vec<GateResult> = rows
        .iter()
        .zip(&tests)
        .enumerate()
        .map(|(i, (row, test))| match test {
            None => no_data(row),
            Some(test) => result(row, test, blocking[i].or(warning[i]), bh[i], rules),
        })
        .collect();
    let verdict = verdict(rows, &results, rules.policy);
    Ok(Gate {
        rows: results,
        verdict,
    })
}

fn verdict(rows: &[GateRow], results: &[GateResult], policy: Policy) -> Verdict {
    let settled = |status| matches!(status, Status::Improved | Status::Noninferior);
    let blocking = || {
        rows.iter()
            .zip(results)
            .filter(|(row, _)| row.tier == Tier::Blocking)
    };
    if blocking().any(|(_, of)| of.status == Status::Regression) {
        Verdict::Block
    } else if policy == Policy::RequireNoninferiority && blocking().any(|(_, of)| !settled(of.status)) {
        Verdict::Hold
    } else if results.iter().any(|of| !settled(of.status)) {
        Verdict::PassWithWarnings
    } else {
        Verdict::Pass
    }
}

/// The numbers that one row's tests rest on.
struct Test {
    gain: f64,
    se: f64,
    margin: f64,
    /// `None`: the normal distribution.
    df: Option<f64>,
    n: Option<u64>,
}

impl Test {
    /// `None` when a number that is needed is missing.
    fn of(row: &GateRow) -> Result<Option<Self>, InputError> {
        check_size("margin", row.margin)?;
        check_score("baseline", &row.baseline)?;
        check_score("candidate", &row.candidate)?;
        Ok(match Self::paired(row)? {
            Some(paired) => Some(paired),
            None => Self::unpaired(row),
        })
    }

    fn paired(row: &GateRow) -> Result<Option<Self>, InputError> {
        let Some(PairedScore {
            n,
            diff: Some(diff),
            se: Some(se),
            df: Some(df),
        }) = row.paired
        else {
            return Ok(None);
        };
        check_number("paired.diff", diff)?;
        check_size("paired.se", se)?;
        domain("paired.df", df, df > 0.0 && df <= 1e100, "a positive number")?;
        Ok(Some(Self {
            gain: direction(row) * diff,
            se,
            margin: row.margin,
            df: Some(df),
            n,
        }))
    }

    fn unpaired(row: &GateRow) -> Option<Self> {
        let (a, b) = (&row.baseline, &row.candidate);
        Some(Self {
            gain: point_gain(row)?,
            se: combined_se(a.se?, b.se?, 0.0),
            margin: row.margin,
            df: None,
            n: a.n.zip(b.n).map(|(a, b)| a.min(b)),
        })
    }

    fn cdf(&self, x: f64) -> f64 {
        self.df.map_or_else(|| norm_cdf(x), |df| t_cdf(x, df))
    }

    fn z(&self) -> f64 {
        standardised(self.gain, self.se)
    }

    fn p_regression(&self) -> f64 {
        self.cdf(self.z())
    }

    fn p_noninferior(&self) -> f64 {
        self.cdf(-standardised(self.gain + self.margin, self.se))
    }

    fn p_two(&self) -> f64 {
        let z = self.z();
        self.df
            .map_or_else(|| 2.0 * norm_cdf(-z.abs()), |df| t_two_sided(z, df))
    }

    fn mde(&self, alpha: f64) -> f64 {
        (norm_ppf(0.8) - norm_ppf(alpha)) * self.se
    }
}

fn direction(row: &GateRow) -> f64 {
    if row.higher_is_better { 1.0 } else { -1.0 }
}

/// The gain by the scores alone.
fn point_gain(row: &GateRow) -> Option<f64> {
    Some(direction(row) * (row.candidate.score? - row.baseline.score?))
}

fn check_score(name: &'static str, of: &Score) -> Result<(), InputError> {
    of.score.map_or(Ok(()), |score| check_number(name, score))?;
    of.se.map_or(Ok(()), |se| check_size(name, se))
}

fn result(row: &GateRow, test: &Test, holm: Option<f64>, bh: Option<f64>, rules: &GateRules) -> GateResult {
    let mde = test.mde(rules.alpha);
    let z = test.z();
    GateResult {
        benchmark: row.benchmark.clone(),
        status: status(test, holm, bh, rules),
        gain: Some(test.gain),
        se: Some(test.se),
        z: Some(z),
        p_regression: Some(test.p_regression()),
        p_noninferior: Some(test.p_noninferior()),
        p_two: Some(test.p_two()),
        method: Some(if test.df.is_some() {
            Method::Paired
        } else {
            Method::Unpaired
        }),
        p_regression_holm: holm,
        p_two_bh: bh,
        mde: Some(mde),
        required_n: test.n.and_then(|n| required(n, mde, row.margin)),
        shrunk_gain: Some(if z == 0.0 {
            0.0
        } else {
            test.gain * (1.0 - (z * z).recip()).max(0.0)
        }),
    }
}

fn required(n: u64, mde: f64, margin: f64) -> Option<u64> {
    let needed = (n as f64 * (mde / margin).powi(2)).ceil();
    (needed.is_finite() && needed < 1e18).then_some(needed as u64)
}

fn status(test: &Test, holm: Option<f64>, bh: Option<f64>, rules: &GateRules) -> Status {
    let loss = -test.gain;
    if loss > 0.0 && holm.is_some_and(|p| p <= rules.alpha) {
        if loss >= test.margin {
            Status::Regression
        } else {
            Status::MinorRegression
        }
    } else if test.gain > 0.0 && bh.is_some_and(|p| p <= rules.q) {
        Status::Improved
    } else if test.p_noninferior() <= rules.alpha {
        Status::Noninferior
    } else {
        Status::Inconclusive
    }
}

fn no_data(row: &GateRow) -> GateResult {
    let gain = point_gain(row);
    GateResult {
        benchmark: row.benchmark.clone(),
        status: Status::NoData,
        gain,
        se: None,
        z: None,
        p_regression: None,
        p_noninferior: None,
        p_two: None,
        method: gain.map(|_| Method::Point),
        p_regression_holm: None,
        p_two_bh: None,
        mde: None,
        required_n: None,
        shrunk_gain: None,
    }
}
