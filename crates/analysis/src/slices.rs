//! On which kinds of samples does the model do worse?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, MOST_REPLICATES, at_most, check, defined, same_length};
use crate::interval::Interval;
use crate::moments::{Moments, extremes, standardised, sum};
use crate::multiplicity::benjamini_hochberg;
use crate::proportion::wilson;
use crate::special::{chi2_sf, f_sf, fisher_exact, norm_ppf, t_two_sided};
use crate::streams::{Stream, replicate};
use crate::unpaired::welch;

/// Level of the intervals of slices.
const LEVEL: f64 = 0.95;

/// How to look at slices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SliceRules {
    /// Slices with fewer samples are suppressed: 20, or 50 for sensitive attributes.
    pub min_n: usize,
    /// Direction of the score.
    pub higher_is_better: bool,
    /// Permutations of the labels.
    pub b: usize,
    /// Seed of the streams.
    pub seed: u64,
    /// For sensitive attributes: if exactly one slice is suppressed, suppress the next smallest
    /// too, because the one could be had by subtraction.
    #[serde(default)]
    pub protect: bool,
}

/// One slice. A suppressed one shows its size only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Its name.
    pub slice: String,
    /// Its samples.
    pub n: usize,
    /// Too small to show.
    pub suppressed: bool,
    /// Mean score.
    pub mean: Option<f64>,
    /// 95 % confidence interval of the mean: Wilson's when all scores are 0 or 1, else by t.
    pub ci: Option<Interval>,
    /// Mean minus the mean of all other samples; undefined when there are none.
    pub delta_rest: Option<f64>,
    /// Two-sided p against all other samples: Fisher's when all scores are 0 or 1, else Welch's.
    pub p: Option<f64>,
    /// `p` adjusted by Benjamini and Hochberg over the visible slices.
    pub p_bh: Option<f64>,
}

/// Slices and the gaps between them. The gaps need two visible slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slices {
    /// Whether all scores are 0 or 1.
    pub binary: bool,
    /// Mean over all samples.
    pub overall: Option<f64>,
    /// Every slice, by name.
    pub slices: Vec<Slice>,
    /// Largest minus smallest mean. Grows with the number of slices: show it beside
    /// `perm_gap_mean`.
    pub max_min_gap: Option<f64>,
    /// Smallest over largest mean.
    pub ratio: Option<f64>,
    /// The slice with the worst mean; the first by name when several share it.
    pub worst: Option<String>,
    /// By how much the worst slice is worse than all samples together.
    pub worst_gap: Option<f64>,
    /// Mean of the slice means.
    pub macro_mean: Option<f64>,
    /// p of "all slices have the same mean": χ² for 0 and 1, else Welch's analysis of variance,
    /// which is undefined when a slice has no variance.
    pub p_homogeneity: Option<f64>,
    /// Permutations of the labels whose gap reaches the observed one.
    pub perm_gap_count: Option<usize>,
    /// `(1 + perm_gap_count)/(b + 1)`.
    pub perm_gap_p: Option<f64>,
    /// The gap to expect from chance alone: the mean over permutations.
    pub perm_gap_mean: Option<f64>,
}

/// Compares the slices of a score: one label per sample, NaN for a missing score.
///
/// ```
/// use analysis::slices::{SliceRules, slices};
///
/// let scores: Vec<f64> = (0..90).map(|i| f64::from(u8::from(i % 3 > 0 || i % 5 > 0))).collect();
/// let labels: Vec<&str> = (0..90).map(|i| ["chart", "photo", "text"][i % 3]).collect();
/// let rules = SliceRules { min_n: 20, higher_is_better: true, b: 500, seed: 7, protect: false };
/// let of = slices(&scores, &labels, &rules)?;
/// assert_eq!(of.worst.as_deref(), Some("chart"));
/// assert!(of.perm_gap_mean < of.max_min_gap, "more than chance gives");
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a score is infinite, or there are too many permutations.
pub fn slices<Label: AsRef<str>>(
    scores: &[f64],
    labels: &[Label],
    rules: &SliceRules,
) -> Result<Slices, InputError> {
    same_length("slices", labels.len(), scores.len())?;
    check("scores", scores)?;
    at_most("b", rules.b, MOST_REPLICATES)?;
    let table = Labelled::of(scores, labels, rules);
    let visible: Vec<usize> = (0..table.names.len()).filter(|&g| !table.hidden[g]).collect();
    let mut rows: Vec<Slice> = (0..table.names.len()).map(|g| table.row(g)).collect();
    let adjusted = benjamini_hochberg(&rows.iter().map(|row| row.p).collect::<Vec<_>>());
    for (row, p) in rows.iter_mut().zip(adjusted) {
        row.p_bh = p;
    }
    let gaps = (visible.len() >= 2).then(|| table.gaps(&visible, rules));
    let gaps = gaps.unwrap_or_default();
    Ok(Slices {
        binary: table.binary,
        overall: defined(Moments::of(&table.scores).mean),
        slices: rows,
        ..gaps
    })
}

impl Default for Slices {
    /// Nothing known.
    fn default() -> Self {
        Self {
            binary: false,
            overall: None,
            slices: Vec::new(),
            max_min_gap: None,
            ratio: None,
            worst: None,
            worst_gap: None,
            macro_mean: None,
            p_homogeneity: None,
            perm_gap_count: None,
            perm_gap_p: None,
            perm_gap_mean: None,
        }
    }
}

/// The samples that have a score, grouped by label in order of name.
struct Labelled {
    scores: Vec<f64>,
    label: Vec<usize>,
    names: Vec<String>,
    hidden: Vec<bool>,
    groups: Vec<Vec<f64>>,
    binary: bool,
}

impl Labelled {
    fn of<Label: AsRef<str>>(scores: &[f64], labels: &[Label], rules: &SliceRules) -> Self {
        let there: Vec<(f64, &str)> = scores
            .iter()
            .zip(labels)
            .filter(|(x, _)| !x.is_nan())
            .map(|(x, label)| (*x, label.as_ref()))
            .collect();
        let mut names: Vec<&str> = there.iter().map(|(_, name)| *name).collect();
        names.sort_unstable();
        names.dedup();
        let label: Vec<usize> = there
            .iter()
            .map(|(_, name)| names.binary_search(name).unwrap_or_default())
            .collect();
        let mut groups = vec![Vec::new(); names.len()];
        for (&g, &(x, _)) in label.iter().zip(&there) {
            groups[g].push(x);
        }
        Self {
            hidden: hidden(&groups, rules),
            binary: there.iter().all(|&(x, _)| x == 0.0 || x == 1.0),
            scores: there.iter().map(|&(x, _)| x).collect(),
            names: names.into_iter().map(str::to_owned).collect(),
            label,
            groups,
        }
    }

    fn row(&self, g: usize) -> Slice {
        let own = &self.groups[g];
        let mut row = Slice {
            slice: self.names[g].clone(),
            n: own.len(),
            suppressed: self.hidden[g],
            mean: None,
            ci: None,
            delta_rest: None,
            p: None,
            p_bh: None,
        };
        if row.suppressed {
            return row;
        }
        let rest: Vec<f64> = self
            .scores
            .iter()
            .zip(&self.label)
            .filter(|(_, label)| **label != g)
            .map(|(x, _)| *x)
            .collect();
        let (of, of_rest) = (Moments::of(own), Moments::of(&rest));
        row.mean = of.mean();
        row.ci = self.interval(own, &of);
        row.delta_rest = of.mean().zip(of_rest.mean()).map(|(own, rest)| own - rest);
        row.p = if rest.is_empty() {
            None
        } else if self.binary {
            let ((k, n), (k_rest, n_rest)) = (tally(own), tally(&rest));
            Some(fisher_exact(k, n - k, k_rest, n_rest - k_rest))
        } else {
            welch_t(&of, &of_rest).map(|(t, df)| t_two_sided(t, df))
        };
        row
    }

    fn interval(&self, own: &[f64], of: &Moments) -> Option<Interval> {
        if self.binary {
            return wilson(sum(own), of.count(), norm_ppf(0.5 + LEVEL / 2.0));
        }
        of.se()
            .and_then(|se| Interval::student(of.mean, se, of.count() - 1.0, LEVEL))
    }

    fn gaps(&self, visible: &[usize], rules: &SliceRules) -> Slices {
        let means: Vec<f64> = visible
            .iter()
            .map(|&g| Moments::of(&self.groups[g]).mean)
            .collect();
        let (lo, hi) = extremes(&means);
        let worst = if rules.higher_is_better { lo } else { hi };
        let at = means.iter().position(|&mean| mean == worst);
        let permuted = self.permuted_gaps(visible, rules);
        let reached = permuted.iter().filter(|gap| **gap >= hi - lo - 1e-9).count();
        Slices {
            max_min_gap: defined(hi - lo),
            ratio: defined(lo / hi),
            worst: at.map(|i| self.names[visible[i]].clone()),
            worst_gap: defined((Moments::of(&self.scores).mean - worst).abs()),
            macro_mean: Moments::of(&means).mean(),
            p_homogeneity: self.homogeneity(visible),
            perm_gap_count: Some(reached),
            perm_gap_p: Some((1 + reached) as f64 / (rules.b + 1) as f64),
            perm_gap_mean: Moments::of(&permuted).mean(),
            ..Slices::default()
        }
    }

    /// The gap between the visible slices with all labels shuffled.
    fn permuted_gaps(&self, visible: &[usize], rules: &SliceRules) -> Vec<f64> {
        replicate(rules.b, |b| {
            let mut order: Vec<usize> = (0..self.label.len()).collect();
            Stream::new(rules.seed, b as u64).shuffle(&mut order);
            let mut sums = vec![0.0; self.groups.len()];
            for (x, &from) in self.scores.iter().zip(&order) {
                sums[self.label[from]] += x;
            }
            let mean = |&g: &usize| sums[g] / self.groups[g].len() as f64;
            let (lo, hi) = extremes(&visible.iter().map(mean).collect::<Vec<f64>>());
            hi - lo
        })
    }

    fn homogeneity(&self, visible: &[usize]) -> Option<f64> {
        if self.binary {
            let tallies: Vec<(u64, u64)> = visible.iter().map(|&g| tally(&self.groups[g])).collect();
            return Some(chi2_homogeneity(&tallies));
        }
        let groups: Vec<Moments> = visible.iter().map(|&g| Moments::of(&self.groups[g])).collect();
        welch_anova(&groups)
    }
}

fn hidden(groups: &[Vec<f64>], rules: &SliceRules) -> Vec<bool> {
    let mut hidden: Vec<bool> = groups.iter().map(|group| group.len() < rules.min_n).collect();
    if rules.protect && hidden.iter().filter(|small| **small).count() == 1 {
        let shown = (0..groups.len()).filter(|&g| !hidden[g]);
        if let Some(next) = shown.min_by_key(|&g| groups[g].len()) {
            hidden[next] = true;
        }
    }
    hidden
}

/// Right answers and questions, for scores of 0 and 1.
pub(crate) fn tally(xs: &[f64]) -> (u64, u64) {
    (xs.iter().filter(|x| **x == 1.0).count() as u64, xs.len() as u64)
}

/// Welch's t with its degrees of freedom; undefined below two samples on a side, and without any
/// variance unless the means differ.
pub(crate) fn welch_t(a: &Moments, b: &Moments) -> Option<(f64, f64)> {
    let (va, vb) = (a.variance()? / a.count(), b.variance()? / b.count());
    let t = standardised(a.mean - b.mean, (va + vb).sqrt());
    let df = welch(va, a.count(), vb, b.count()).unwrap_or(a.count() + b.count() - 2.0);
    Some((t, df))
}

/// Pearson's χ² without correction for groups of right and wrong answers; 1 when all are alike.
fn chi2_homogeneity(groups: &[(u64, u64)]) -> f64 {
    let total = groups
        .iter()
        .fold((0, 0), |(k, n), group| (k + group.0, n + group.1));
    let p = total.0 as f64 / total.1 as f64;
    let spread = p * (1.0 - p);
    if spread.is_nan() || spread == 0.0 {
        return 1.0;
    }
    let chi2: f64 = groups
        .iter()
        .map(|&(k, n)| (k as f64 - n as f64 * p).powi(2) / (n as f64 * spread))
        .sum();
    chi2_sf(chi2, groups.len() as f64 - 1.0)
}

/// Welch's analysis of variance; undefined when a group has no variance.
fn welch_anova(groups: &[Moments]) -> Option<f64> {
    let weights: Vec<f64> = groups
        .iter()
        .map(|g| g.variance().filter(|v| *v > 0.0).map(|v| g.count() / v))
        .collect::<Option<_>>()?;
    let (k, whole) = (groups.len() as f64, sum(&weights));
    let centre = groups.iter().zip(&weights).map(|(g, w)| w * g.mean).sum::<f64>() / whole;
    let between: f64 = groups
        .iter()
        .zip(&weights)
        .map(|(g, w)| w * (g.mean - centre).powi(2))
        .sum();
    let loss: f64 = groups
        .iter()
        .zip(&weights)
        .map(|(g, w)| (1.0 - w / whole).powi(2) / (g.count() - 1.0))
        .sum();
    let f = between / (k - 1.0) / (1.0 + 2.0 * (k - 2.0) / (k * k - 1.0) * loss);
    defined(f_sf(f, k - 1.0, (k * k - 1.0) / (3.0 * loss)))
}
