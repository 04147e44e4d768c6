//! On which of several groups that may share samples does the model do worse?
//!
//! [`crate::slices`] takes groups that split the samples; saved slices overlap, so that each is set against all
//! samples that are not in it, and chance is what shuffled scores give the same groups.

use serde::{Deserialize, Serialize};

use crate::input::{InputError, MOST_REPLICATES, at_most, check_complete, defined};
use crate::interval::Interval;
use crate::mean::mean_ci;
use crate::moments::{Moments, extremes};
use crate::multiplicity::benjamini_hochberg;
use crate::proportion::{binom_ci, two_prop};
use crate::slices::{SliceRules, slices, tally, welch_t};
use crate::streams::{Stream, replicate};

/// Level of the intervals.
const LEVEL: f64 = 0.95;

/// One group. A suppressed one shows its size only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its samples.
    pub n: usize,
    /// Too small to show.
    pub suppressed: bool,
    /// Mean score.
    pub mean: Option<f64>,
    /// 95 % interval of the mean: Wilson's when all scores are 0 or 1, else by t.
    pub ci: Option<Interval>,
    /// Mean minus the mean of all other samples.
    pub delta_rest: Option<f64>,
    /// 95 % interval of that: Newcombe's when all scores are 0 or 1, else Welch's.
    pub delta_ci: Option<Interval>,
    /// Two-sided p against all other samples.
    pub p: Option<f64>,
    /// `p` adjusted by Benjamini and Hochberg over the visible groups.
    pub p_bh: Option<f64>,
}

/// How far groups are apart, beside what chance gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Largest minus smallest mean of the visible groups.
    pub max_min_gap: f64,
    /// The group with the worst mean, by its place in the input.
    pub worst: usize,
    /// By how much it is worse than all samples together; negative where it is better.
    pub worst_gap: f64,
    /// Shuffles of the scores.
    pub b: usize,
    /// Those whose gap reaches the observed one.
    pub perm_gap_count: usize,
    /// `(1 + perm_gap_count)/(b + 1)`.
    pub perm_gap_p: f64,
    /// The mean gap over the shuffles.
    pub perm_gap_mean: f64,
}

/// Groups and the gap between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Whether all scores are 0 or 1.
    pub binary: bool,
    /// Mean over all samples.
    pub overall: Option<f64>,
    /// Its 95 % interval.
    pub overall_ci: Option<Interval>,
    /// In input order.
    pub groups: Vec<Group>,
    /// Undefined with fewer than two visible groups, or without a replicate.
    pub gap: Option<Gap>,
}

/// Compares groups of samples that may overlap: `groups` holds places in `scores`.
///
/// ```
/// use analysis::overlap::overlap;
/// use analysis::slices::SliceRules;
///
/// let scores: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i % 4 > 0))).collect();
/// let fourths: Vec<usize> = (0..100).step_by(4).collect();
/// let evens: Vec<usize> = (0..100).step_by(2).collect();
/// let rules = SliceRules { min_n: 20, higher_is_better: true, b: 200, seed: 7, protect: false };
/// let of = overlap(&scores, &[evens, fourths], &rules)?;
/// let gap = of.gap.expect("two groups are large enough");
/// assert_eq!((gap.worst, gap.max_min_gap), (1, 0.5));
/// assert!(gap.perm_gap_mean < gap.max_min_gap);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a score is not finite, a place is outside of the scores, or there are too many replicates.
pub fn overlap(scores: &[f64], groups: &[Vec<usize>], rules: &SliceRules) -> Result<Overlap, InputError> {
    check_complete("scores", scores)?;
    at_most("b", rules.b, MOST_REPLICATES)?;
    for &place in groups.iter().flatten() {
        at_most("groups", place + 1, scores.len())?;
    }
    let binary = scores.iter().all(|&x| x == 0.0 || x == 1.0);
    let mut rows = groups
        .iter()
        .map(|places| group(scores, places, binary, rules))
        .collect::<Result<Vec<Group>, InputError>>()?;
    let adjusted = benjamini_hochberg(&rows.iter().map(|row| row.p).collect::<Vec<_>>());
    for (row, p) in rows.iter_mut().zip(adjusted) {
        row.p_bh = p;
    }
    let visible: Vec<usize> = (0..rows.len()).filter(|&g| rows[g].mean.is_some()).collect();
    let gap = (visible.len() >= 2 && rules.b > 0).then(|| gap(scores, groups, &visible, rules));
    Ok(Overlap {
        binary,
        overall: defined(Moments::of(scores).mean),
        overall_ci: overall_ci(scores, binary)?,
        groups: rows,
        gap,
    })
}

fn overall_ci(scores: &[f64], binary: bool) -> Result<Option<Interval>, InputError> {
    if binary {
        let (k, n) = tally(scores);
        return Ok(binom_ci(k, n, LEVEL)?.wilson);
    }
    Ok(mean_ci(scores, LEVEL)?.ci_t)
}

/// A group against the rest: two labels that split the samples.
fn group(scores: &[f64], places: &[usize], binary: bool, rules: &SliceRules) -> Result<Group, InputError> {
    let mut labels = vec!["rest"; scores.len()];
    for &place in places {
        labels[place] = "own";
    }
    let alone = SliceRules {
        b: 0,
        protect: false,
        ..*rules
    };
    let split = slices(scores, &labels, &alone)?;
    let Some(own) = split.slices.into_iter().find(|row| row.slice == "own") else {
        return Ok(Group {
            n: 0,
            suppressed: true,
            mean: None,
            ci: None,
            delta_rest: None,
            delta_ci: None,
            p: None,
            p_bh: None,
        });
    };
    let delta_ci = own
        .delta_rest
        .map_or(Ok(None), |_| difference(scores, &labels, binary))?;
    Ok(Group {
        n: own.n,
        suppressed: own.suppressed,
        mean: own.mean,
        ci: own.ci,
        delta_rest: own.delta_rest,
        delta_ci,
        p: own.p,
        p_bh: None,
    })
}

/// The 95 % interval of the difference between own samples and the rest.
fn difference(scores: &[f64], labels: &[&str], binary: bool) -> Result<Option<Interval>, InputError> {
    let of = |label: &str| -> Vec<f64> {
        let there = scores.iter().zip(labels).filter(|(_, own)| **own == label);
        there.map(|(x, _)| *x).collect()
    };
    let (own, rest) = (of("own"), of("rest"));
    if binary {
        let ((k, n), (k_rest, n_rest)) = (tally(&own), tally(&rest));
        return Ok(two_prop(k_rest, n_rest, k, n, LEVEL)?.newcombe);
    }
    let (own, rest) = (Moments::of(&own), Moments::of(&rest));
    Ok(welch_t(&own, &rest).and_then(|(_, df)| {
        let se = (own.se()?.powi(2) + rest.se()?.powi(2)).sqrt();
        Interval::student(own.mean - rest.mean, se, df, LEVEL)
    }))
}

fn gap(scores: &[f64], groups: &[Vec<usize>], visible: &[usize], rules: &SliceRules) -> Gap {
    let means = means_of(scores, groups, visible);
    let (lo, hi) = extremes(&means);
    let worst = if rules.higher_is_better { lo } else { hi };
    let at = means.iter().position(|&mean| mean == worst).unwrap_or_default();
    let permuted = replicate(rules.b, |b| {
        let mut shuffled = scores.to_vec();
        Stream::new(rules.seed, b as u64).shuffle(&mut shuffled);
        let (lo, hi) = extremes(&means_of(&shuffled, groups, visible));
        hi - lo
    });
    let reached = permuted.iter().filter(|gap| **gap >= hi - lo - 1e-9).count();
    let below = Moments::of(scores).mean - worst;
    Gap {
        max_min_gap: hi - lo,
        worst: visible[at],
        worst_gap: if rules.higher_is_better { below } else { -below },
        b: rules.b,
        perm_gap_count: reached,
        perm_gap_p: (1 + reached) as f64 / (rules.b + 1) as f64,
        perm_gap_mean: Moments::of(&permuted).mean,
    }
}

fn means_of(scores: &[f64], groups: &[Vec<usize>], visible: &[usize]) -> Vec<f64> {
    let mean = |&g: &usize| {
        let total: f64 = groups[g].iter().map(|&place| scores[place]).sum();
        total / groups[g].len() as f64
    };
    visible.iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: SliceRules = SliceRules {
        min_n: 3,
        higher_is_better: true,
        b: 300,
        seed: 1,
        protect: false,
    };

    #[test]
    fn groups_that_split_the_samples_are_slices() {
        let scores: Vec<f64> = (0..60)
            .map(|i| f64::from(i % 7) / 6.0 + f64::from(i % 3))
            .collect();
        let labels: Vec<&str> = (0..60).map(|i| ["a", "b", "c"][i % 3]).collect();
        let groups: Vec<Vec<usize>> = (0..3).map(|g| (g..60).step_by(3).collect()).collect();
        let (split, shared) = (
            slices(&scores, &labels, &RULES).unwrap(),
            overlap(&scores, &groups, &RULES).unwrap(),
        );
        for (one, other) in split.slices.iter().zip(&shared.groups) {
            assert_eq!(
                (one.mean, one.ci, one.p, one.p_bh),
                (other.mean, other.ci, other.p, other.p_bh)
            );
            let (delta, ci) = (other.delta_rest.unwrap(), other.delta_ci.unwrap());
            assert!(ci.lo < delta && delta < ci.hi);
        }
        let gap = shared.gap.unwrap();
        assert!((gap.max_min_gap - split.max_min_gap.unwrap()).abs() < 1e-12);
        assert_eq!(gap.worst, 0);
        // Other permutations of the same kind.
        assert!((gap.perm_gap_mean - split.perm_gap_mean.unwrap()).abs() < 0.1);
    }

    #[test]
    fn small_groups_show_their_size_alone() {
        let scores = [1.0, 0.0, 1.0, 1.0, 0.0];
        let of = overlap(&scores, &[vec![0, 1], vec![0, 2, 3], vec![]], &RULES).unwrap();
        assert_eq!(
            of.groups
                .iter()
                .map(|g| (g.n, g.suppressed, g.mean))
                .collect::<Vec<_>>(),
            [(2, true, None), (3, false, Some(1.0)), (0, true, None)]
        );
        assert!(of.gap.is_none() && of.binary && of.overall == Some(0.6));
        assert!(overlap(&scores, &[vec![5]], &RULES).is_err());
        assert!(overlap(&[], &[vec![]], &RULES).unwrap().overall.is_none());
    }

    #[test]
    fn the_worst_follows_the_direction() {
        let scores = [0.5, 0.6, 0.7, 2.5, 2.6, 2.7];
        let groups = [vec![0, 1, 2], vec![3, 4, 5]];
        let down = SliceRules {
            higher_is_better: false,
            ..RULES
        };
        let gap = overlap(&scores, &groups, &down).unwrap().gap.unwrap();
        assert_eq!(gap.worst, 1);
        assert!((gap.worst_gap - 1.0).abs() < 1e-12);
    }
}
