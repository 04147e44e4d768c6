//! What do repeated answers to the same questions tell?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::input::{InputError, at_most, defined, present};
use crate::moments::{Moments, mean};

/// Repeats per question at which [`Repeats::se_pred`] is given.
const PREDICTED_AT: [usize; 4] = [1, 2, 4, 16];

/// The most repeats per question.
const MOST_REPEATS: usize = 10_000;

/// Statistics of K answers to each of n questions. Undefined without questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// Expected accuracy: mean over questions of the mean over repeats.
    pub ea: Option<f64>,
    /// Consensus accuracy: share of questions whose scores sum to more than half of K. It counts
    /// scores, not answers.
    pub ca: Option<f64>,
    /// Internal variance: mean over questions of the sample variance over repeats; over the
    /// questions with at least two repeats.
    pub iv: Option<f64>,
    /// Consistency rate: share of questions that score the same in every repeat.
    pub cr: Option<f64>,
    /// Standard error of `ea`: `sd(question means)/√n`. Needs two questions, as all below.
    pub se: Option<f64>,
    /// Variance between questions with the noise of the repeats taken out,
    /// `max(0, Var(question means) - iv/K)`.
    pub var_between: Option<f64>,
    /// The standard error to expect with 1, 2, 4 or 16 repeats of each question,
    /// `√((var_between + iv/K)/n)`.
    pub se_pred: Option<BTreeMap<usize, f64>>,
    /// The limit of `se_pred` with ever more repeats: beyond it only more questions help.
    pub se_floor: Option<f64>,
    /// Right-or-wrong scores only: the probability that at least one of k answers is right,
    /// `mean(1 - C(K-c, k)/C(K, k))` (Chen et al. 2021), for k up to the fewest repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at_k: Option<BTreeMap<usize, f64>>,
    /// Right-or-wrong scores only: the probability that all of k answers are right,
    /// `mean(C(c, k)/C(K, k))`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_hat_k: Option<BTreeMap<usize, f64>>,
}

/// Accuracy, consistency and noise of repeated answers (Miller 2024, section 3).
///
/// One inner slice per question; questions may differ in their number of repeats. NaN is a
/// missing answer, and a question without answers is left out.
///
/// ```
/// use analysis::repeats::repeats;
///
/// let of = repeats(&[vec![1.0, 0.0], vec![1.0, 1.0], vec![0.0, 0.0]])?;
/// assert_eq!(of.ea, Some(0.5));
/// assert_eq!(of.pass_at_k.expect("scores are 0 or 1")[&2], 2.0 / 3.0);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a score is infinite or a question has more than 10 000 repeats.
pub fn repeats(scores: &[Vec<f64>]) -> Result<Repeats, InputError> {
    let mut questions = Vec::with_capacity(scores.len());
    for question in scores {
        at_most("repeats", question.len(), MOST_REPEATS)?;
        let there = present("scores", question)?;
        if !there.is_empty() {
            questions.push(there);
        }
    }
    let questions: Vec<&[f64]> = questions.iter().map(AsRef::as_ref).collect();
    let of: Vec<Moments> = questions.iter().map(|q| Moments::of(q)).collect();
    let binary = questions.iter().all(|q| q.iter().all(|&x| x == 0.0 || x == 1.0));
    let means: Vec<f64> = of.iter().map(|m| m.mean).collect();
    let variances: Vec<f64> = of.iter().filter_map(Moments::variance).collect();
    let iv = defined(mean(&variances));
    let noise = Noise::of(&of, &Moments::of(&means), iv);
    Ok(Repeats {
        ea: defined(mean(&means)),
        ca: share(&questions, |q| q.iter().sum::<f64>() > q.len() as f64 / 2.0),
        iv,
        cr: share(&questions, |q| q.iter().all(|x| *x == q[0])),
        se: Moments::of(&means).se(),
        var_between: noise.as_ref().map(|noise| noise.between),
        se_pred: noise.as_ref().map(Noise::predictions),
        se_floor: noise.as_ref().map(|noise| (noise.between / noise.n).sqrt()),
        pass_at_k: passes(&questions, binary, |right, wrong, k| {
            1.0 - all_from(wrong, right, k)
        }),
        pass_hat_k: passes(&questions, binary, all_from),
    })
}

/// The two sources of variance of a mean over questions.
struct Noise {
    n: f64,
    between: f64,
    within: f64,
}

impl Noise {
    fn of(questions: &[Moments], means: &Moments, iv: Option<f64>) -> Option<Self> {
        let within = iv?;
        let inverse: f64 = questions.iter().map(|q| 1.0 / q.count()).sum();
        let noise = within * inverse / means.count();
        Some(Self {
            n: means.count(),
            between: (means.variance()? - noise).max(0.0),
            within,
        })
    }

    fn predictions(&self) -> BTreeMap<usize, f64> {
        let at = |k: usize| ((self.between + self.within / k as f64) / self.n).sqrt();
        PREDICTED_AT.into_iter().map(|k| (k, at(k))).collect()
    }
}

fn share(questions: &[&[f64]], holds: impl Fn(&[f64]) -> bool) -> Option<f64> {
    let count = questions.iter().filter(|q| holds(q)).count();
    defined(count as f64 / questions.len() as f64)
}

/// Mean over questions of `f(right, wrong, k)` for each k up to the fewest repeats.
fn passes(
    questions: &[&[f64]],
    binary: bool,
    f: impl Fn(f64, f64, usize) -> f64,
) -> Option<BTreeMap<usize, f64>> {
    let fewest = questions.iter().map(|q| q.len()).min().filter(|_| binary)?;
    let counts: Vec<(f64, f64)> = questions
        .iter()
        .map(|q| {
            let right: f64 = q.iter().sum();
            (right, q.len() as f64 - right)
        })
        .collect();
    let mean = |k| {
        counts
            .iter()
            .map(|&(right, wrong)| f(right, wrong, k))
            .sum::<f64>()
    };
    Some((1..=fewest).map(|k| (k, mean(k) / counts.len() as f64)).collect())
}

/// C(chosen, k)/C(chosen + others, k) as a product of ratios.
fn all_from(chosen: f64, others: f64, k: usize) -> f64 {
    (0..k)
        .map(|i| i as f64)
        .map(|i| ((chosen - i) / (chosen + others - i)).max(0.0))
        .product()
}
