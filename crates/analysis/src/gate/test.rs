//! The tests of one row, and its status.

use super::{GateResult, GateRow, GateRules, Method, PairedScore, Score, Status};
use crate::input::{InputError, check_number, check_size, domain};
use crate::moments::standardised;
use crate::special::{norm_cdf, norm_ppf, t_cdf, t_two_sided};
use crate::unpaired::combined_se;

/// The numbers that one row's tests rest on.
pub(super) struct Test {
    gain: f64,
    se: f64,
    margin: f64,
    /// `None`: the normal distribution.
    df: Option<f64>,
    n: Option<u64>,
}

impl Test {
    /// `None` when a number that is needed is missing.
    pub(super) fn of(row: &GateRow) -> Result<Option<Self>, InputError> {
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

    pub(super) fn p_regression(&self) -> f64 {
        self.cdf(self.z())
    }

    fn p_noninferior(&self) -> f64 {
        self.cdf(-standardised(self.gain + self.margin, self.se))
    }

    pub(super) fn p_two(&self) -> f64 {
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

/// What a tested row says.
pub(super) fn result(
    row: &GateRow,
    test: &Test,
    holm: Option<f64>,
    bh: Option<f64>,
    rules: &GateRules,
) -> GateResult {
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

/// What a row without standard errors says.
pub(super) fn no_data(row: &GateRow) -> GateResult {
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
