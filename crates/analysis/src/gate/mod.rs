//! May this candidate replace the baseline?

mod table;
mod test;

use crate::input::{InputError, check_level};
use crate::multiplicity::{benjamini_hochberg, holm};

pub use table::{
    Gate, GateResult, GateRow, GateRules, Method, PairedScore, Policy, Score, Status, Tier, Verdict,
};
use test::{Test, no_data, result};

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
