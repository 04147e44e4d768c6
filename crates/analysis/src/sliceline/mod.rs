//! Which combinations of sample properties gather the errors?
//!
//! SliceLine (Sagadeeva and Boehm, SIGMOD 2021): an exact search over conjunctions of
//! `column = value`. It needs only metadata and one error per sample, and its answers can be read.

mod search;
mod table;

use serde::{Deserialize, Serialize};

use crate::input::{InputError, at_most, check_complete, domain, same_length};
use crate::moments::Moments;
use crate::multiplicity::holm;
use crate::slices::welch_t;
use crate::special::t_sf;

use search::Search;
pub use table::{Column, MISSING, OTHER, Table};

/// How to search for slices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SearchRules {
    /// Weight of the error against the size, in (0, 1].
    pub alpha: f64,
    /// How many slices to return.
    pub k: usize,
    /// Fewest samples of a slice; see [`SearchRules::for_samples`].
    pub min_support: usize,
    /// Most predicates of a slice.
    pub max_level: usize,
    /// Sample visits after which the search stops. A pure function has no clock: a billion takes
    /// a few seconds.
    #[serde(default = "default_work")]
    pub max_work: u64,
}

fn default_work() -> u64 {
    4_000_000_000
}

impl SearchRules {
    /// The usual settings for `n` samples: α = 0.95, the ten best slices of at most three
    /// predicates and at least 20 samples or 1 %.
    #[must_use]
    pub fn for_samples(n: usize) -> Self {
        Self {
            alpha: 0.95,
            k: 10,
            min_support: n.div_ceil(100).max(20),
            max_level: 3,
            max_work: default_work(),
        }
    }
}

/// A conjunction of predicates with its errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundSlice {
    /// Column index and value, by column.
    pub predicates: Vec<(usize, String)>,
    /// Samples.
    pub size: usize,
    /// Sum of their errors.
    pub error_sum: f64,
    /// Mean of their errors.
    pub error_mean: f64,
    /// `α((error_mean/overall mean) - 1) - (1-α)(n/size - 1)`.
    pub score: f64,
    /// `√2 (mean - mean of the rest)/√(variance + variance of the rest)`; undefined without a
    /// rest or any variance.
    pub effect_size: Option<f64>,
    /// One-sided p by Welch's t that the slice has the larger errors. Exploratory, because the
    /// slice was chosen for them: see [`validate`].
    pub p_welch_greater: Option<f64>,
}

/// The slices that were found, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundSlices {
    /// At most k slices with a score above 0; equal scores (to 1e-12) by fewer predicates, then
    /// by column and value.
    pub slices: Vec<FoundSlice>,
    /// The search was stopped by `max_work`; slices of `level_reached` predicates are complete.
    pub truncated: bool,
    /// Up to how many predicates every slice was considered.
    pub level_reached: usize,
}

/// Finds the k slices with the highest score.
///
/// `errors` are at least 0, one per row of the table: `1 - score` for a bounded score, or
/// `max(0, a - b)` for what run b lost against run a.
///
/// ```
/// use analysis::sliceline::{SearchRules, Table, sliceline};
///
/// let rows: Vec<[&str; 2]> = (0..120)
///     .map(|i| [["en", "zh"][i % 2], ["chart", "photo", "text"][i % 3]])
///     .collect();
/// let errors: Vec<f64> = (0..120).map(|i| f64::from(u8::from(i % 2 == 1 && i % 3 == 2))).collect();
/// let of = sliceline(&Table::from_rows(&rows)?, &errors, &SearchRules::for_samples(120))?;
/// assert_eq!(of.slices[0].predicates, [(0, "zh".to_owned()), (1, "text".to_owned())]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When there is not one error per row, an error is negative, missing or infinite, or α is not
/// in (0, 1].
pub fn sliceline(table: &Table, errors: &[f64], rules: &SearchRules) -> Result<FoundSlices, InputError> {
    check_errors(table, errors)?;
    domain(
        "alpha",
        rules.alpha,
        rules.alpha > 0.0 && rules.alpha <= 1.0,
        "a number in (0, 1]",
    )?;
    at_most("k", rules.k, 1000)?;
    let search = Search::new(table, errors, rules);
    let outcome = search.run();
    let slices = outcome
        .best
        .into_iter()
        .map(|found| {
            let contrast = Contrast::of(table, errors, &found.predicates);
            FoundSlice {
                predicates: table.names(&found.predicates),
                size: found.size,
                error_sum: found.error_sum,
                error_mean: found.error_sum / found.size as f64,
                score: found.score,
                effect_size: contrast.effect_size(),
                p_welch_greater: contrast.p_greater(),
            }
        })
        .collect();
    Ok(FoundSlices {
        slices,
        truncated: outcome.truncated,
        level_reached: outcome.level_reached,
    })
}

fn check_errors(table: &Table, errors: &[f64]) -> Result<(), InputError> {
    same_length("errors", errors.len(), table.len())?;
    check_complete("errors", errors)?;
    let negative = errors.iter().copied().find(|e| *e < 0.0);
    negative.map_or(Ok(()), |e| domain("errors", e, false, "a number of at least 0"))
}

/// A slice looked at again on samples that took no part in finding it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidatedSlice {
    /// Column index and value, by column.
    pub predicates: Vec<(usize, String)>,
    /// Samples of the other half in the slice.
    pub size: usize,
    /// Mean of their errors.
    pub error_mean: Option<f64>,
    /// One-sided p by Welch's t that the slice has the larger errors.
    pub p: Option<f64>,
    /// `p` adjusted by Holm over the slices.
    pub p_holm: Option<f64>,
}

/// Tests found slices on other samples: search one half of the data, validate on the other.
///
/// ```
/// use analysis::sliceline::{SearchRules, Table, sliceline, validate};
///
/// let rows: Vec<[&str; 1]> = (0..100).map(|i| [["night", "day"][i % 2]]).collect();
/// let errors: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i % 2 == 0 || i % 7 == 0))).collect();
/// let (table, half) = (Table::from_rows(&rows)?, SearchRules::for_samples(100));
/// let found = sliceline(&table, &errors, &half)?;
/// // In earnest the second table holds the samples that were kept back.
/// let of = validate(&found.slices, &table, &errors)?;
/// assert!(of[0].p_holm < Some(0.001));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When there is not one error per row, or an error is negative, missing or infinite.
pub fn validate(
    slices: &[FoundSlice],
    table: &Table,
    errors: &[f64],
) -> Result<Vec<ValidatedSlice>, InputError> {
    check_errors(table, errors)?;
    let contrasts: Vec<Contrast> = slices
        .iter()
        .map(|slice| match table.codes(&slice.predicates) {
            Some(predicates) => Contrast::of(table, errors, &predicates),
            None => Contrast {
                inside: Moments::of(&[]),
                rest: Moments::of(errors),
            },
        })
        .collect();
    let p: Vec<Option<f64>> = contrasts.iter().map(Contrast::p_greater).collect();
    let adjusted = holm(&p);
    Ok(slices
        .iter()
        .enumerate()
        .map(|(i, slice)| ValidatedSlice {
            predicates: slice.predicates.clone(),
            size: contrasts[i].inside.n,
            error_mean: contrasts[i].inside.mean(),
            p: p[i],
            p_holm: adjusted[i],
        })
        .collect())
}

/// The errors of a slice against those of all other samples.
struct Contrast {
    inside: Moments,
    rest: Moments,
}

impl Contrast {
    fn of(table: &Table, errors: &[f64], predicates: &[(usize, u32)]) -> Self {
        let (inside, rest): (Vec<usize>, Vec<usize>) =
            (0..table.len()).partition(|&row| table.holds(row, predicates));
        let of = |rows: &[usize]| Moments::of(&rows.iter().map(|&row| errors[row]).collect::<Vec<f64>>());
        Self {
            inside: of(&inside),
            rest: of(&rest),
        }
    }

    fn effect_size(&self) -> Option<f64> {
        let spread = (self.inside.variance()? + self.rest.variance()?).sqrt();
        let effect = core::f64::consts::SQRT_2 * (self.inside.mean - self.rest.mean) / spread;
        effect.is_finite().then_some(effect)
    }

    fn p_greater(&self) -> Option<f64> {
        welch_t(&self.inside, &self.rest).map(|(t, df)| t_sf(t, df))
    }
}
