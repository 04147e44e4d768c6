//! Which model wins, item by item?

use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::input::{InputError, at_most, check, check_complete, domain, same_length};
use crate::linear::Cholesky;

/// The most models of one fit.
const MOST_MODELS: usize = 500;

/// Strengths of models from their wins over each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BradleyTerry {
    /// Strength, in logits; the strengths sum to 0.
    pub theta: Vec<f64>,
    /// Standard error of `theta`, from the curvature. Votes on one item depend on each other, so
    /// bootstrap items or clusters for a board.
    pub se: Vec<Option<f64>>,
    /// Strength on the Elo scale, `1000 + 400/ln 10 · theta`.
    pub elo: Vec<f64>,
    /// Probability that model 0 beats model 1; undefined with fewer than two models.
    pub p_01: Option<f64>,
    /// Standard errors of the differences to model 0; undefined for itself.
    pub se_diff_row0: Vec<Option<f64>>,
    /// Whether the fit settled.
    pub converged: bool,
}

/// Fits strengths θ with `P(i beats j) = 1/(1 + e^(θj - θi))`.
///
/// `wins[i][j]` is how often i beat j, ties half to each. Maximises the log likelihood less
/// `lambda/2 |θ|²` by Newton's method; the small penalty (0.01) keeps a model that never lost, or
/// that met nobody, finite. The order of votes does not matter, unlike online Elo.
///
/// ```
/// use analysis::bradley_terry::bradley_terry;
///
/// let of = bradley_terry(&[vec![0.0, 30.0], vec![10.0, 0.0]], 0.01)?;
/// assert!((of.p_01.expect("two models") - 0.75).abs() < 0.001);
/// assert!(of.elo[0] > 1090.0);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When `wins` is not square, a count is negative, missing or infinite, `lambda` is not in
/// [1e-9, 1e9], or there are more than 500 models.
pub fn bradley_terry(wins: &[Vec<f64>], lambda: f64) -> Result<BradleyTerry, InputError> {
    domain(
        "lambda",
        lambda,
        (1e-9..=1e9).contains(&lambda),
        "a number from 1e-9 to 1e9",
    )?;
    at_most("models", wins.len(), MOST_MODELS)?;
    for row in wins {
        same_length("wins", row.len(), wins.len())?;
        check_complete("wins", row)?;
        for &count in row {
            domain("wins", count, (0.0..=1e15).contains(&count), "a count")?;
        }
    }
    let fit = Fit { wins, lambda };
    let (theta, converged) = fit.maximise();
    let covariance = Cholesky::of(&fit.curvature(&theta)).map(|of| of.inverse());
    let variance = |v: f64| (v >= 0.0 && v.is_finite()).then(|| v.sqrt());
    let se_diff = |j: usize| {
        let c = covariance.as_ref().filter(|_| j > 0)?;
        variance(c[0][0] + c[j][j] - 2.0 * c[0][j])
    };
    Ok(BradleyTerry {
        se: (0..wins.len())
            .map(|i| variance(centred_variance(covariance.as_ref()?, i)))
            .collect(),
        elo: theta
            .iter()
            .map(|x| 1000.0 + 400.0 / core::f64::consts::LN_10 * x)
            .collect(),
        p_01: theta.get(1).map(|second| logistic(theta[0] - second)),
        se_diff_row0: (0..wins.len()).map(se_diff).collect(),
        theta,
        converged,
    })
}

/// The variance of a strength about the mean of all: centring both sides of the covariance.
fn centred_variance(c: &[Vec<f64>], i: usize) -> f64 {
    let m = c.len() as f64;
    let row: f64 = c[i].iter().sum();
    let all: f64 = c.iter().flatten().sum();
    c[i][i] - 2.0 * row / m + all / (m * m)
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

struct Fit<'a> {
    wins: &'a [Vec<f64>],
    lambda: f64,
}

impl Fit<'_> {
    /// Newton steps of at most 2 logits until they vanish.
    fn maximise(&self) -> (Vec<f64>, bool) {
        let mut theta = vec![0.0; self.wins.len()];
        for _ in 0..500 {
            let Some(curvature) = Cholesky::of(&self.curvature(&theta)) else {
                return (theta, false);
            };
            let step = curvature.solve(&self.slope(&theta));
            let longest = step.iter().fold(0.0_f64, |longest, x| longest.max(x.abs()));
            let scale = if longest > 2.0 { 2.0 / longest } else { 1.0 };
            for (theta, step) in theta.iter_mut().zip(&step) {
                *theta += scale * step;
            }
            if longest < 1e-13 {
                return (theta, true);
            }
        }
        let slope = self.slope(&theta);
        let scale: f64 = self.wins.iter().flatten().sum::<f64>().max(1.0);
        (theta, slope.iter().all(|x| x.abs() < 1e-9 * scale))
    }

    fn slope(&self, theta: &[f64]) -> Vec<f64> {
        (0..theta.len())
            .map(|i| {
                let won = (0..theta.len()).filter(|&j| j != i).map(|j| {
                    let p = logistic(theta[i] - theta[j]);
                    self.wins[i][j] * (1.0 - p) - self.wins[j][i] * p
                });
                won.sum::<f64>() - self.lambda * theta[i]
            })
            .collect()
    }

    /// The negative second derivative: positive definite by the penalty.
    fn curvature(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let m = theta.len();
        let mut h = vec![vec![0.0; m]; m];
        for i in 0..m {
            h[i][i] += self.lambda;
            for j in 0..i {
                let p = logistic(theta[i] - theta[j]);
                let weight = (self.wins[i][j] + self.wins[j][i]) * p * (1.0 - p);
                h[i][i] += weight;
                h[j][j] += weight;
                h[i][j] -= weight;
                h[j][i] -= weight;
            }
        }
        h
    }
}

/// Counts wins item by item: `wins[i][j]` for `scores[item][model]`, higher better, a difference
/// of at most 1e-9 half to each, a missing score no vote. With clusters each cluster votes once,
/// by its mean over the items that both models have.
///
/// ```
/// use analysis::bradley_terry::votes;
///
/// let wins = votes(&[vec![1.0, 0.0], vec![1.0, 1.0]], None)?;
/// assert_eq!(wins, [[0.0, 1.5], [0.5, 0.0]]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the items have different numbers of models, `clusters` has another length, a score is
/// infinite, or there are more than 500 models.
pub fn votes(scores: &[Vec<f64>], clusters: Option<&Clusters>) -> Result<Vec<Vec<f64>>, InputError> {
    let models = scores.first().map_or(0, Vec::len);
    at_most("models", models, MOST_MODELS)?;
    for item in scores {
        same_length("scores", item.len(), models)?;
        check("scores", item)?;
    }
    same_length(
        "clusters",
        clusters.map_or(scores.len(), Clusters::len),
        scores.len(),
    )?;
    let ballots: Vec<Vec<usize>> = match clusters {
        Some(of) => of.members(),
        None => (0..scores.len()).map(|i| vec![i]).collect(),
    };
    let mut wins = vec![vec![0.0; models]; models];
    let pairs = || (0..models).flat_map(|i| (0..i).map(move |j| (i, j)));
    for ballot in &ballots {
        for (i, j) in pairs() {
            if let Some(share) = vote(scores, ballot, i, j) {
                wins[i][j] += share;
                wins[j][i] += 1.0 - share;
            }
        }
    }
    Ok(wins)
}

/// 1 when i wins, ½ for a tie, `None` without an item that both have.
fn vote(scores: &[Vec<f64>], ballot: &[usize], i: usize, j: usize) -> Option<f64> {
    let gaps = ballot.iter().map(|&item| scores[item][i] - scores[item][j]);
    let (sum, count) = gaps
        .filter(|gap| !gap.is_nan())
        .fold((0.0, 0.0), |(sum, count), gap| (sum + gap, count + 1.0));
    let gap = (count > 0.0).then(|| sum / count)?;
    Some(if gap.abs() <= 1e-9 {
        0.5
    } else {
        f64::from(u8::from(gap > 0.0))
    })
}
