//! Are a classifier's errors spread evenly over groups?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::input::{InputError, same_length};

/// Rates of one group; undefined where the denominator is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRates {
    /// Its name.
    pub group: String,
    /// Samples.
    pub n: usize,
    /// Samples whose true answer is yes.
    pub n_pos: usize,
    /// Samples whose true answer is no.
    pub n_neg: usize,
    /// Share of yes among the predictions.
    pub selection_rate: Option<f64>,
    /// Share of right predictions.
    pub accuracy: Option<f64>,
    /// Share of yes among the true yes.
    pub tpr: Option<f64>,
    /// Share of yes among the true no.
    pub fpr: Option<f64>,
    /// Share of true yes among the predicted yes.
    pub ppv: Option<f64>,
}

/// Fairness measures of a yes-or-no task, as fairlearn defines them. A measure needs two groups
/// in which its rates are defined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EqualizedOdds {
    /// The groups, by name.
    pub groups: Vec<GroupRates>,
    /// Demographic parity: largest minus smallest selection rate.
    pub dp_difference: Option<f64>,
    /// Smallest over largest selection rate; 1 when all are 0.
    pub dp_ratio: Option<f64>,
    /// Equal opportunity: largest minus smallest true positive rate.
    pub equal_opportunity_difference: Option<f64>,
    /// Equalized odds: the larger of the gaps in true and in false positive rate.
    pub eo_difference: Option<f64>,
    /// The smaller of the ratios of true and of false positive rates.
    pub eo_ratio: Option<f64>,
}

/// Error rates by group, for tasks with a true yes or no: POPE, HallusionBench, MME, refusals.
///
/// For open questions there are no such rates; there, fairness is the gap in accuracy of
/// [`crate::slices::slices`].
///
/// ```
/// use analysis::odds::equalized_odds;
///
/// let truth = [true, true, false, false, true, true, false, false];
/// let said = [true, false, false, false, true, true, true, false];
/// let group = ["indoor"; 4].into_iter().chain(["outdoor"; 4]).collect::<Vec<_>>();
/// let of = equalized_odds(&truth, &said, &group)?;
/// assert_eq!(of.equal_opportunity_difference, Some(0.5));
/// assert_eq!(of.dp_ratio, Some(0.25 / 0.75));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ.
pub fn equalized_odds<Group: AsRef<str>>(
    y_true: &[bool],
    y_pred: &[bool],
    groups: &[Group],
) -> Result<EqualizedOdds, InputError> {
    same_length("y_pred", y_pred.len(), y_true.len())?;
    same_length("groups", groups.len(), y_true.len())?;
    let mut tables: BTreeMap<&str, Confusion> = BTreeMap::new();
    for ((&truth, &said), group) in y_true.iter().zip(y_pred).zip(groups) {
        tables.entry(group.as_ref()).or_default().add(truth, said);
    }
    let groups: Vec<GroupRates> = tables.iter().map(|(name, table)| table.rates(name)).collect();
    let range = |rate: fn(&GroupRates) -> Option<f64>| Range::of(groups.iter().filter_map(rate));
    let (selection, tpr, fpr) = (range(|g| g.selection_rate), range(|g| g.tpr), range(|g| g.fpr));
    let both =
        |f: fn(&Range) -> f64, join: fn(f64, f64) -> f64| Some(join(f(tpr.as_ref()?), f(fpr.as_ref()?)));
    let (eo_difference, eo_ratio) = (both(Range::gap, f64::max), both(Range::ratio, f64::min));
    Ok(EqualizedOdds {
        dp_difference: selection.as_ref().map(Range::gap),
        dp_ratio: selection.as_ref().map(Range::ratio),
        equal_opportunity_difference: tpr.as_ref().map(Range::gap),
        eo_difference,
        eo_ratio,
        groups,
    })
}

/// Counts of one group: `[truth][prediction]`.
#[derive(Default)]
struct Confusion([[usize; 2]; 2]);

impl Confusion {
    fn add(&mut self, truth: bool, said: bool) {
        self.0[usize::from(truth)][usize::from(said)] += 1;
    }

    fn rates(&self, group: &str) -> GroupRates {
        let [[tn, fp], [fn_, tp]] = self.0;
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let n = tn + fp + fn_ + tp;
        GroupRates {
            group: group.to_owned(),
            n,
            n_pos: tp + fn_,
            n_neg: tn + fp,
            selection_rate: share(tp + fp, n),
            accuracy: share(tp + tn, n),
            tpr: share(tp, tp + fn_),
            fpr: share(fp, tn + fp),
            ppv: share(tp, tp + fp),
        }
    }
}

/// Smallest and largest of at least two rates.
struct Range {
    lo: f64,
    hi: f64,
}

impl Range {
    fn of(rates: impl Iterator<Item = f64>) -> Option<Self> {
        let rates: Vec<f64> = rates.collect();
        let (lo, hi) = crate::moments::extremes(&rates);
        (rates.len() >= 2).then_some(Self { lo, hi })
    }

    fn gap(&self) -> f64 {
        self.hi - self.lo
    }

    fn ratio(&self) -> f64 {
        if self.hi == 0.0 { 1.0 } else { self.lo / self.hi }
    }
}
