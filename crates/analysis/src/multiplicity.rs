//! Which of many p-values still count when all are looked at?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, domain};

/// P-values adjusted for their number, in input order; undefined ones stay undefined and do not
/// count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adjusted {
    /// `min(1, m p)`: family-wise, the bluntest.
    pub bonferroni: Vec<Option<f64>>,
    /// Holm 1979: family-wise, valid under any dependence. For gates.
    pub holm: Vec<Option<f64>>,
    /// Hochberg 1988: family-wise, for independent or positively dependent tests.
    pub hochberg: Vec<Option<f64>>,
    /// Benjamini and Hochberg 1995: false discovery rate. For lists of what changed.
    pub bh: Vec<Option<f64>>,
    /// Benjamini and Yekutieli 2001: false discovery rate under any dependence.
    pub by: Vec<Option<f64>>,
}

/// Adjusts p-values for multiple comparisons by five methods.
///
/// Each adjusted value is compared with the level itself: reject where it is at most α.
///
/// ```
/// use analysis::multiplicity::p_adjust;
///
/// let of = p_adjust(&[Some(0.01), Some(0.04), None, Some(0.03)])?;
/// assert_eq!(of.holm, [Some(0.03), Some(0.06), None, Some(0.06)]);
/// assert_eq!(of.bh[1], Some(0.04));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a p-value is outside [0, 1].
pub fn p_adjust(p: &[Option<f64>]) -> Result<Adjusted, InputError> {
    for &value in p.iter().flatten() {
        domain("p", value, (0.0..=1.0).contains(&value), "a number from 0 to 1")?;
    }
    let family = Family::of(p);
    let m = family.ascending.len() as f64;
    let harmonic: f64 = (1..=family.ascending.len()).map(|i| 1.0 / i as f64).sum();
    Ok(Adjusted {
        bonferroni: family.each(|p, _| m * p),
        holm: family.step_down(|p, rank| (m - rank) * p),
        hochberg: family.step_up(|p, rank| (m - rank) * p),
        bh: family.step_up(|p, rank| m / (rank + 1.0) * p),
        by: family.step_up(|p, rank| harmonic * m / (rank + 1.0) * p),
    })
}

/// Holm's adjustment alone, for values known to be probabilities.
pub(crate) fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let family = Family::of(p);
    let m = family.ascending.len() as f64;
    family.step_down(|p, rank| (m - rank) * p)
}

/// Benjamini and Hochberg's adjustment alone, for values known to be probabilities.
pub(crate) fn benjamini_hochberg(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let family = Family::of(p);
    let m = family.ascending.len() as f64;
    family.step_up(|p, rank| m / (rank + 1.0) * p)
}

/// The defined p-values in ascending order, with their places.
struct Family {
    ascending: Vec<(usize, f64)>,
    len: usize,
}

impl Family {
    fn of(p: &[Option<f64>]) -> Self {
        let mut ascending: Vec<(usize, f64)> = p
            .iter()
            .enumerate()
            .filter_map(|(i, p)| p.map(|p| (i, p)))
            .collect();
        ascending.sort_by(|x, y| x.1.total_cmp(&y.1));
        Self {
            ascending,
            len: p.len(),
        }
    }

    /// `f(p, rank from 0)`, at most 1.
    fn each(&self, f: impl Fn(f64, f64) -> f64) -> Vec<Option<f64>> {
        let mut out = vec![None; self.len];
        for (rank, &(i, p)) in self.ascending.iter().enumerate() {
            out[i] = Some(f(p, rank as f64).min(1.0));
        }
        out
    }

    /// As `each`, never below the value of a smaller p.
    fn step_down(&self, f: impl Fn(f64, f64) -> f64) -> Vec<Option<f64>> {
        let mut out = self.each(f);
        let mut highest = 0.0;
        for &(i, _) in &self.ascending {
            highest = out[i].map_or(highest, |p| p.max(highest));
            out[i] = Some(highest);
        }
        out
    }

    /// As `each`, never above the value of a larger p.
    fn step_up(&self, f: impl Fn(f64, f64) -> f64) -> Vec<Option<f64>> {
        let mut out = self.each(f);
        let mut lowest = 1.0;
        for &(i, _) in self.ascending.iter().rev() {
            lowest = out[i].map_or(lowest, |p| p.min(lowest));
            out[i] = Some(lowest);
        }
        out
    }
}
