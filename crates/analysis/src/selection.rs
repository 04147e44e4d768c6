//! Which benchmarks, and which questions, are worth running?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, at_most, check_complete, domain, same_length};
use crate::moments::{Moments, sum};
use crate::similarity::pearson;

/// The most items of which all pairs are compared.
const MOST_ITEMS: usize = 5_000;

/// Gains this close are equal: similarities are often shares with equal sums.
const TIE: f64 = 1e-12;

/// A subset that stands for all benchmarks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GreedySelect {
    /// The chosen benchmarks, in the order in which they were chosen.
    pub order: Vec<usize>,
    /// What each added to the sum of best similarities.
    pub gains: Vec<f64>,
    /// Mean over all benchmarks of the similarity to the nearest chosen one, after each choice.
    pub coverage: Vec<f64>,
}

/// Chooses k benchmarks that represent all: greedy facility location.
///
/// Each step takes the benchmark with the largest gain in `Σ_j max_{i chosen} similarity_ij` per
/// unit of cost; of equals the first. With equal costs the result has at least 63 % (1 - 1/e) of
/// the best possible coverage. A good similarity is ρ² over models, a good cost the median GPU
/// time. Benchmarks that were run already go into `chosen`: they count as covered and cost
/// nothing.
///
/// ```
/// use analysis::selection::greedy_select;
///
/// let similarity = [vec![1.0, 0.9, 0.1], vec![0.9, 1.0, 0.1], vec![0.1, 0.1, 1.0]];
/// let of = greedy_select(&similarity, &[1.0, 1.0, 1.0], 2, &[])?;
/// assert_eq!(of.order, [0, 2]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When `similarity` is not square or holds a missing or infinite number, a cost is not above 0,
/// or `chosen` names a benchmark that is not there.
pub fn greedy_select(
    similarity: &[Vec<f64>],
    cost: &[f64],
    k: usize,
    chosen: &[usize],
) -> Result<GreedySelect, InputError> {
    let n = similarity.len();
    at_most("similarity", n, MOST_ITEMS)?;
    same_length("cost", cost.len(), n)?;
    check_complete("cost", cost)?;
    for row in similarity {
        same_length("similarity", row.len(), n)?;
        check_complete("similarity", row)?;
    }
    for &c in cost {
        domain("cost", c, c > 0.0, "a number above 0")?;
    }
    for &i in chosen {
        domain("chosen", i as f64, i < n, "an index into `similarity`")?;
    }
    Ok(facility_location(n, &|i, j| similarity[i][j], cost, k, chosen))
}

fn facility_location(
    n: usize,
    similarity: &dyn Fn(usize, usize) -> f64,
    cost: &[f64],
    k: usize,
    chosen: &[usize],
) -> GreedySelect {
    let mut covered = vec![0.0_f64; n];
    let mut taken = vec![false; n];
    for &i in chosen {
        taken[i] = true;
        (0..n).for_each(|j| covered[j] = covered[j].max(similarity(i, j)));
    }
    let mut of = GreedySelect {
        order: Vec::new(),
        gains: Vec::new(),
        coverage: Vec::new(),
    };
    while of.order.len() < k {
        let mut best: Option<(usize, f64)> = None;
        for i in (0..n).filter(|&i| !taken[i]) {
            let gain: f64 = (0..n).map(|j| (similarity(i, j) - covered[j]).max(0.0)).sum();
            let better = |(known, least): (usize, f64)| gain / cost[i] > least / cost[known] + TIE;
            if best.is_none_or(better) {
                best = Some((i, gain));
            }
        }
        let Some((i, gain)) = best else { break };
        taken[i] = true;
        (0..n).for_each(|j| covered[j] = covered[j].max(similarity(i, j)));
        of.order.push(i);
        of.gains.push(gain);
        of.coverage.push(sum(&covered) / n as f64);
    }
    of
}

/// Classical item statistics of a benchmark's questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Items {
    /// Share of models that get each question right.
    pub difficulty: Vec<f64>,
    /// Correlation of each question with the score on all others: low or negative means noise or
    /// a wrong key. Undefined below three models or when either does not vary.
    pub discrimination: Vec<Option<f64>>,
    /// Cronbach's α of the whole benchmark; undefined below two models or questions, or when all
    /// models score the same.
    pub cronbach_alpha: Option<f64>,
    /// Questions that all models get right, or all wrong.
    pub n_saturated: usize,
}

/// Difficulty, discrimination and reliability of questions: `matrix[model][question]`, 1 right
/// and 0 wrong.
///
/// ```
/// use analysis::selection::items;
///
/// let answers = [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]];
/// let of = items(&answers.map(Vec::from))?;
/// assert_eq!(of.difficulty, [1.0, 0.75, 0.25]);
/// assert_eq!((of.n_saturated, of.discrimination[0]), (1, None));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the models have different numbers of questions, or a score is missing or infinite.
pub fn items(matrix: &[Vec<f64>]) -> Result<Items, InputError> {
    let (models, questions) = shape(matrix)?;
    let column = |q: usize| -> Vec<f64> { matrix.iter().map(|row| row[q]).collect() };
    let totals: Vec<f64> = matrix.iter().map(|row| sum(row)).collect();
    let of: Vec<Moments> = (0..questions).map(|q| Moments::of(&column(q))).collect();
    let difficulty: Vec<f64> = of.iter().map(|m| m.mean).collect();
    let discrimination = |q: usize| {
        let own = column(q);
        let rest: Vec<f64> = totals.iter().zip(&own).map(|(total, x)| total - x).collect();
        pearson(&own, &rest)
    };
    Ok(Items {
        discrimination: (0..questions).map(discrimination).collect(),
        cronbach_alpha: if models < 2 {
            None
        } else {
            cronbach(&of, &Moments::of(&totals))
        },
        n_saturated: difficulty.iter().filter(|d| **d == 0.0 || **d == 1.0).count(),
        difficulty,
    })
}

fn shape(matrix: &[Vec<f64>]) -> Result<(usize, usize), InputError> {
    let questions = matrix.first().map_or(0, Vec::len);
    for row in matrix {
        same_length("matrix", row.len(), questions)?;
        check_complete("matrix", row)?;
    }
    Ok((matrix.len(), questions))
}

/// `k/(k-1) (1 - Σ item variances/variance of totals)`.
fn cronbach(items: &[Moments], totals: &Moments) -> Option<f64> {
    let k = items.len() as f64;
    let variance = totals.variance().filter(|v| *v > 0.0)?;
    let of_items: f64 = items.iter().filter_map(Moments::variance).sum();
    (k > 1.0).then(|| k / (k - 1.0) * (1.0 - of_items / variance))
}

/// A few questions that stand for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anchors {
    /// The chosen questions, in the order in which they were chosen.
    pub anchors: Vec<usize>,
    /// Share of all questions that each stands for.
    pub weights: Vec<f64>,
    /// The new model's score over all questions, from its answers to the anchors alone. For a
    /// first look, never for a gate: a model unlike those of the calibration breaks it.
    pub estimate: Option<f64>,
}

/// Chooses k anchor questions by their answers (tinyBenchmarks, correctness variant) and
/// estimates a new model's score from them.
///
/// `matrix[model][question]` are answers of known models, 1 right and 0 wrong; the similarity of
/// two questions is the share of models that treat them alike. Every question counts for the most
/// similar anchor, of equals the one chosen first.
///
/// ```
/// use analysis::selection::anchors;
///
/// let known = [vec![1.0, 1.0, 0.0, 0.0], vec![1.0, 1.0, 1.0, 1.0], vec![0.0, 0.0, 0.0, 0.0]];
/// let of = anchors(&known, 2, &[1.0, f64::NAN, 0.0, f64::NAN])?;
/// assert_eq!((of.anchors, of.weights), (vec![0, 2], vec![0.5, 0.5]));
/// assert_eq!(of.estimate, Some(0.5));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the models have different numbers of questions, a known answer is missing or infinite,
/// `new_model` has another length, or there are more than 5 000 questions.
pub fn anchors(matrix: &[Vec<f64>], k: usize, new_model: &[f64]) -> Result<Anchors, InputError> {
    let (models, questions) = shape(matrix)?;
    at_most("questions", questions, MOST_ITEMS)?;
    same_length("new_model", new_model.len(), questions)?;
    crate::input::check("new_model", new_model)?;
    let alike = |i: usize, j: usize| {
        let same = matrix.iter().filter(|row| row[i] == row[j]).count();
        same as f64 / models as f64
    };
    let anchors = facility_location(questions, &alike, &vec![1.0; questions], k, &[]).order;
    let mut counts = vec![0_usize; anchors.len()];
    for question in 0..questions {
        let mut nearest = 0;
        for (at, &anchor) in anchors.iter().enumerate() {
            if alike(anchor, question) > alike(anchors[nearest], question) {
                nearest = at;
            }
        }
        if let Some(count) = counts.get_mut(nearest) {
            *count += 1;
        }
    }
    let weights: Vec<f64> = counts
        .iter()
        .map(|&count| count as f64 / questions as f64)
        .collect();
    let estimate: f64 = anchors
        .iter()
        .zip(&weights)
        .map(|(&at, w)| w * new_model[at])
        .sum();
    Ok(Anchors {
        estimate: (!anchors.is_empty() && estimate.is_finite()).then_some(estimate),
        anchors,
        weights,
    })
}
