//! How sure is a rank?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, MOST_REPLICATES, at_most, check, check_level, same_length};
use crate::moments::{Moments, standardised};
use crate::multiplicity::holm;
use crate::order::competition_ranks;
use crate::special::t_two_sided;
use crate::streams::{Stream, replicate};

/// The most models of one analysis.
const MOST_MODELS: usize = 500;

/// How to find rank intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankRules {
    /// Simultaneous error rate.
    pub alpha: f64,
    /// Bootstrap replicates.
    pub b: usize,
    /// Seed of the streams.
    pub seed: u64,
}

/// The comparison of two models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairwiseP {
    /// Index of one model.
    pub i: usize,
    /// Index of the other, larger.
    pub j: usize,
    /// Mean of j minus mean of i.
    pub diff: Option<f64>,
    /// Two-sided p of the paired t-test, adjusted by Holm over all pairs; undefined below two
    /// items.
    pub p: Option<f64>,
}

/// Ranks with their uncertainty; one entry per model, rank 1 is best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankCi {
    /// Mean score over the items that every model has.
    pub mean: Vec<Option<f64>>,
    /// Rank of the mean; equal means share the better rank.
    pub rank: Vec<Option<u32>>,
    /// All pairs, ordered by i, then j.
    pub pairwise_p_holm: Vec<PairwiseP>,
    /// One more than the number of models that are significantly better: the best rank that the
    /// data allow. With `rank_hi` the interval to show.
    pub rank_lo: Vec<usize>,
    /// The number of models less those that are significantly worse. The intervals hold for all
    /// models at once with probability 1 - α.
    pub rank_hi: Vec<usize>,
    /// α/2 quantile of the rank over bootstrap replicates of the items. Too narrow for near ties.
    pub boot_rank_lo: Vec<Option<u32>>,
    /// 1 - α/2 quantile.
    pub boot_rank_hi: Vec<Option<u32>>,
    /// Share of replicates in which the model is on top. Ties count for each, so the sum may
    /// exceed 1.
    pub p_best: Vec<Option<f64>>,
}

/// Rank intervals ("rank 1-3") of models on the same items.
///
/// `scores[item][model]`, higher is better; items with a missing score are left out. All pairs
/// are compared by the paired t-test with Holm's adjustment (the construction of Mogstad, Romano,
/// Shaikh and Wilhelm 2024, without their stepdown bootstrap).
///
/// ```
/// use analysis::rank_ci::{RankRules, rank_ci};
///
/// let scores: Vec<Vec<f64>> =
///     (0..60).map(|i| vec![f64::from(i % 2), f64::from(u8::from(i % 10 > 0)), 1.0]).collect();
/// let of = rank_ci(&scores, &RankRules { alpha: 0.05, b: 500, seed: 1 })?;
/// assert_eq!((of.rank_lo[0], of.rank_hi[0]), (3, 3), "the first model is surely last");
/// assert_eq!((of.rank_lo[2], of.rank_hi[2]), (1, 1), "and the third first");
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the items have different numbers of models, a score is infinite, α is not between 0 and
/// 1, or there are too many models or replicates.
pub fn rank_ci(scores: &[Vec<f64>], rules: &RankRules) -> Result<RankCi, InputError> {
    check_level("alpha", rules.alpha)?;
    at_most("b", rules.b, MOST_REPLICATES)?;
    let models = scores.first().map_or(0, Vec::len);
    at_most("models", models, MOST_MODELS)?;
    for item in scores {
        same_length("scores", item.len(), models)?;
        check("scores", item)?;
    }
    let items: Vec<&[f64]> = scores
        .iter()
        .map(Vec::as_slice)
        .filter(|item| !item.iter().any(|x| x.is_nan()))
        .collect();
    let by_model: Vec<Vec<f64>> = (0..models)
        .map(|m| items.iter().map(|item| item[m]).collect())
        .collect();
    let means: Vec<Option<f64>> = by_model.iter().map(|xs| Moments::of(xs).mean()).collect();
    let pairs = pairwise(&by_model);
    let significant = |pair: &&PairwiseP| pair.p.is_some_and(|p| p <= rules.alpha);
    let better = |pair: &PairwiseP| {
        if pair.diff > Some(0.0) {
            (pair.j, pair.i)
        } else {
            (pair.i, pair.j)
        }
    };
    let (mut rank_lo, mut rank_hi) = (vec![1; models], vec![models; models]);
    for (winner, loser) in pairs.iter().filter(significant).map(better) {
        rank_lo[loser] += 1;
        rank_hi[winner] -= 1;
    }
    let boot = BootRanks::of(&items, models, rules);
    Ok(RankCi {
        rank: competition_ranks(&means),
        mean: means,
        pairwise_p_holm: pairs,
        rank_lo,
        rank_hi,
        boot_rank_lo: boot.quantiles(rules.alpha / 2.0),
        boot_rank_hi: boot.quantiles(1.0 - rules.alpha / 2.0),
        p_best: boot.p_best(),
    })
}

fn pairwise(by_model: &[Vec<f64>]) -> Vec<PairwiseP> {
    let mut pairs = Vec::new();
    for i in 0..by_model.len() {
        for j in i + 1..by_model.len() {
            let d: Vec<f64> = by_model[i].iter().zip(&by_model[j]).map(|(a, b)| b - a).collect();
            let of = Moments::of_differences(&d);
            let p = of
                .se()
                .map(|se| t_two_sided(standardised(of.mean, se), of.count() - 1.0));
            pairs.push(PairwiseP {
                i,
                j,
                diff: of.mean(),
                p,
            });
        }
    }
    let adjusted = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<_>>());
    for (pair, p) in pairs.iter_mut().zip(adjusted) {
        pair.p = p;
    }
    pairs
}

/// Ranks over bootstrap replicates: for each model how often it had each rank.
struct BootRanks {
    counts: Vec<Vec<usize>>,
    b: usize,
}

impl BootRanks {
    fn of(items: &[&[f64]], models: usize, rules: &RankRules) -> Self {
        let mut counts = vec![vec![0; models]; models];
        if items.is_empty() {
            return Self { counts, b: 0 };
        }
        let ranks = replicate(rules.b, |b| {
            let mut stream = Stream::new(rules.seed, b as u64);
            let mut sums = vec![0.0; models];
            for _ in 0..items.len() {
                let item = items[stream.below(items.len())];
                sums.iter_mut().zip(item).for_each(|(sum, x)| *sum += x);
            }
            let means: Vec<f64> = sums.iter().map(|sum| sum / items.len() as f64).collect();
            let above = |x: f64| means.iter().filter(|&&other| other > x + 1e-12).count();
            means.iter().map(|&x| above(x)).collect::<Vec<usize>>()
        });
        for (model, &rank) in ranks.iter().flat_map(|of| of.iter().enumerate()) {
            counts[model][rank] += 1;
        }
        Self { counts, b: rules.b }
    }

    /// The smallest rank that at least a share `q` of the replicates does not exceed.
    fn quantiles(&self, q: f64) -> Vec<Option<u32>> {
        let needed = (q * self.b as f64).ceil().max(1.0) as usize;
        let quantile = |counts: &Vec<usize>| {
            let mut seen = 0;
            let at = counts.iter().position(|count| {
                seen += count;
                seen >= needed
            });
            at.map(|rank| rank as u32 + 1)
        };
        self.counts.iter().map(quantile).collect()
    }

    fn p_best(&self) -> Vec<Option<f64>> {
        let share = |counts: &Vec<usize>| (self.b > 0).then(|| counts[0] as f64 / self.b as f64);
        self.counts.iter().map(share).collect()
    }
}
