//! Which of many settings deserves more samples?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_complete, domain};

/// The most rungs; beyond it every budget overflows.
const MOST_RUNGS: usize = 64;

/// Promotions of an asynchronous successive halving run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asha {
    /// After each arrival at the lowest rung, the setting that is promoted, if any.
    pub promotion_after_each: Vec<Option<usize>>,
    /// Samples of each rung: `r_min · eta^i`.
    pub rung_budgets: Vec<u64>,
}

/// Asynchronous successive halving (Li et al. 2020): scores arrive at the lowest rung one by one,
/// and after each the best setting of the top `⌊n/eta⌋` that was not promoted yet moves up.
///
/// Higher is better, of equals the first. The winner of a sweep is the best of noisy scores:
/// evaluate it again on samples that were not used.
///
/// ```
/// use analysis::sweep::asha;
///
/// let of = asha(&[0.2, 0.9, 0.5, 0.1, 0.8, 0.3], 3, 100, 3)?;
/// assert_eq!(of.promotion_after_each, [None, None, Some(1), None, None, Some(4)]);
/// assert_eq!(of.rung_budgets, [100, 300, 900]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a score is missing or infinite, `eta` is below 2, or a budget does not fit.
pub fn asha(scores: &[f64], eta: u64, r_min: u64, n_rungs: usize) -> Result<Asha, InputError> {
    check_complete("scores", scores)?;
    domain("eta", eta as f64, eta >= 2, "a whole number of at least 2")?;
    domain("n_rungs", n_rungs as f64, n_rungs <= MOST_RUNGS, "at most 64")?;
    let budget = |i: usize| {
        eta.checked_pow(i as u32)
            .and_then(|times| times.checked_mul(r_min))
    };
    let rung_budgets: Option<Vec<u64>> = (0..n_rungs).map(budget).collect();
    let Some(rung_budgets) = rung_budgets else {
        return Err(InputError::Domain {
            name: "r_min",
            value: r_min as f64,
            expected: "budgets below 2^64",
        });
    };
    let mut promoted = vec![false; scores.len()];
    let promotion_after_each = (1..=scores.len())
        .map(|n| {
            let next = promotable(&scores[..n], &promoted, eta);
            next.inspect(|&i| promoted[i] = true)
        })
        .collect();
    Ok(Asha {
        promotion_after_each,
        rung_budgets,
    })
}

/// The setting of a rung to promote next: the best of its top `⌊n/eta⌋` that was not promoted
/// yet, whatever rung it is.
///
/// ```
/// use analysis::sweep::promotable;
///
/// assert_eq!(promotable(&[0.5, 0.7, 0.6, 0.4], &[false, true, false, false], 2), Some(2));
/// ```
#[must_use]
pub fn promotable(scores: &[f64], promoted: &[bool], eta: u64) -> Option<usize> {
    let top = usize::try_from(eta)
        .ok()
        .and_then(|eta| scores.len().checked_div(eta))?;
    let mut by_score: Vec<usize> = (0..scores.len()).collect();
    by_score.sort_by(|&i, &j| scores[j].total_cmp(&scores[i]).then(i.cmp(&j)));
    by_score
        .into_iter()
        .take(top)
        .find(|&i| !promoted.get(i).copied().unwrap_or(false))
}
