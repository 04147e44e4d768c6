//! Which model is best over many benchmarks with different scales and gaps?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check, domain, same_length};
use crate::moments::Moments;
use crate::order::{competition_ranks, ranks};

/// What is known about one benchmark's column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Direction of the metric.
    pub higher_is_better: bool,
    /// Smallest possible score; `None` when unbounded.
    pub min: Option<f64>,
    /// Largest possible score; `None` when unbounded.
    pub max: Option<f64>,
}

/// Aggregates and ranks of models; one entry per model, in input order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaderboard {
    /// Scores on a scale of 0 (worst) to 1 (best), per model and column; `None` when missing or
    /// the column is unbounded.
    pub normalized: Vec<Vec<Option<f64>>>,
    /// Share of columns with a score.
    pub coverage: Vec<f64>,
    /// Mean of the normalized scores that are there.
    pub mean_score: Vec<Option<f64>>,
    /// Mean of the normalized scores over the columns that every model has.
    pub mean_score_common: Vec<Option<f64>>,
    /// Columns that every model has.
    pub n_common: usize,
    /// Mean over columns of the score in standard deviations from the column's mean, with the
    /// sign of better; over columns with at least two scores.
    pub z_mean: Vec<Option<f64>>,
    /// Mean over columns of the share of other models that it beats, ties half (HELM). It depends
    /// on the pool: freeze the pool for a release.
    pub mean_win_rate: Vec<Option<f64>>,
    /// Mean over columns of the rank from the top, ties averaged.
    pub mean_rank: Vec<Option<f64>>,
    /// Sum over columns of models beaten, ties half. Comparable only at equal coverage.
    pub borda: Vec<f64>,
    /// Rank by `mean_score`, best 1; `None` below the coverage asked for.
    pub rank_mean_score: Vec<Option<u32>>,
    /// Rank by `mean_win_rate`, best 1; `None` below the coverage asked for.
    pub rank_win_rate: Vec<Option<u32>>,
    /// Best and worst rank over five schemes: mean score, mean score over common columns, z mean,
    /// win rate, mean rank.
    pub rank_range: Vec<Option<[u32; 2]>>,
}

/// Ranks models over benchmarks.
///
/// `scores[model][column]`, NaN for a missing score; nothing is imputed. Win rate is the default
/// order when columns have different units, the mean only when all are fractions of items.
/// Competition ranks: equal scores (within 1e-12) share the better rank.
///
/// ```
/// use analysis::leaderboard::{Column, leaderboard};
///
/// let accuracy = Column { higher_is_better: true, min: Some(0.0), max: Some(1.0) };
/// let wer = Column { higher_is_better: false, min: Some(0.0), max: Some(100.0) };
/// let scores = [vec![0.7, 20.0], vec![0.6, 10.0], vec![0.5, f64::NAN]];
/// let board = leaderboard(&scores, &[accuracy, wer], 0.6)?;
/// assert_eq!(board.mean_win_rate[..2], [Some(0.5), Some(0.75)]);
/// assert_eq!(board.rank_win_rate, [Some(2), Some(1), None]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a row has not one score per column, a number is infinite, or `min_coverage` is not in
/// [0, 1].
pub fn leaderboard(
    scores: &[Vec<f64>],
    columns: &[Column],
    min_coverage: f64,
) -> Result<Leaderboard, InputError> {
    domain(
        "min_coverage",
        min_coverage,
        (0.0..=1.0).contains(&min_coverage),
        "a share",
    )?;
    for row in scores {
        same_length("scores", row.len(), columns.len())?;
        check("scores", row)?;
    }
    for column in columns {
        check("range", &[column.min.unwrap_or(0.0), column.max.unwrap_or(0.0)])?;
    }
    let table: Vec<ColumnScores> = columns
        .iter()
        .enumerate()
        .map(|(c, column)| ColumnScores::of(&scores.iter().map(|row| row[c]).collect::<Vec<f64>>(), column))
        .collect();
    let per_model = |f: &dyn Fn(&ColumnScores, usize) -> Option<f64>| -> Vec<Option<f64>> {
        (0..scores.len())
            .map(|model| mean_of(table.iter().filter_map(|c| f(c, model))))
            .collect()
    };
    let mean_score = per_model(&|c, model| c.normalized[model]);
    let mean_score_common = per_model(&|c, model| c.normalized[model].filter(|_| c.complete));
    let z_mean = per_model(&|c, model| c.z[model]);
    let mean_win_rate = per_model(&|c, model| c.win_rate[model]);
    let mean_rank = per_model(&|c, model| c.rank[model]);
    let coverage: Vec<f64> = scores.iter().map(|row| coverage(row)).collect();
    let ranked = |xs: &[Option<f64>]| -> Vec<Option<u32>> {
        let covered = |(x, c): (&Option<f64>, &f64)| x.filter(|_| *c >= min_coverage);
        competition_ranks(&xs.iter().zip(&coverage).map(covered).collect::<Vec<_>>())
    };
    let fewest_first: Vec<Option<f64>> = mean_rank.iter().map(|x| x.map(|x| -x)).collect();
    let schemes = [
        &mean_score,
        &mean_score_common,
        &z_mean,
        &mean_win_rate,
        &fewest_first,
    ];
    let schemes = schemes.map(|xs| ranked(xs));
    Ok(Leaderboard {
        normalized: (0..scores.len())
            .map(|model| table.iter().map(|c| c.normalized[model]).collect())
            .collect(),
        n_common: table.iter().filter(|c| c.complete).count(),
        borda: (0..scores.len())
            .map(|model| table.iter().filter_map(|c| c.wins[model]).sum())
            .collect(),
        rank_mean_score: ranked(&mean_score),
        rank_win_rate: ranked(&mean_win_rate),
        rank_range: (0..scores.len()).map(|model| range(&schemes, model)).collect(),
        coverage,
        mean_score,
        mean_score_common,
        z_mean,
        mean_win_rate,
        mean_rank,
    })
}

fn range(schemes: &[Vec<Option<u32>>], model: usize) -> Option<[u32; 2]> {
    let of = || schemes.iter().filter_map(|ranks| ranks[model]);
    Some([of().min()?, of().max()?])
}

fn coverage(row: &[f64]) -> f64 {
    if row.is_empty() {
        return 0.0;
    }
    row.iter().filter(|x| !x.is_nan()).count() as f64 / row.len() as f64
}

fn mean_of(xs: impl Iterator<Item = f64>) -> Option<f64> {
    Moments::of(&xs.collect::<Vec<f64>>()).mean()
}

/// One column seen from every model.
struct ColumnScores {
    complete: bool,
    normalized: Vec<Option<f64>>,
    z: Vec<Option<f64>>,
    wins: Vec<Option<f64>>,
    win_rate: Vec<Option<f64>>,
    rank: Vec<Option<f64>>,
}

impl ColumnScores {
    fn of(scores: &[f64], column: &Column) -> Self {
        let sign = if column.higher_is_better { 1.0 } else { -1.0 };
        let there: Vec<usize> = (0..scores.len()).filter(|&i| !scores[i].is_nan()).collect();
        let better: Vec<f64> = there.iter().map(|&i| sign * scores[i]).collect();
        let spread_out = |values: Vec<f64>| {
            let mut all = vec![None; scores.len()];
            for (&i, value) in there.iter().zip(values) {
                all[i] = Some(value);
            }
            all
        };
        let m = better.len() as f64;
        let (ascending, _) = ranks(&better);
        let compared = |f: &dyn Fn(f64) -> f64| -> Vec<Option<f64>> {
            if better.len() < 2 {
                return vec![None; scores.len()];
            }
            spread_out(ascending.iter().map(|&r| f(r)).collect())
        };
        Self {
            complete: there.len() == scores.len(),
            normalized: scores.iter().map(|&x| normalize(x, column)).collect(),
            z: if better.len() < 2 {
                vec![None; scores.len()]
            } else {
                spread_out(z_scores(&better))
            },
            wins: spread_out(ascending.iter().map(|r| r - 1.0).collect()),
            win_rate: compared(&|r| (r - 1.0) / (m - 1.0)),
            rank: compared(&|r| m + 1.0 - r),
        }
    }
}

fn z_scores(xs: &[f64]) -> Vec<f64> {
    let of = Moments::of(xs);
    let sd = of.sd().unwrap_or(0.0);
    xs.iter()
        .map(|x| if sd == 0.0 { 0.0 } else { (x - of.mean) / sd })
        .collect()
}

fn normalize(x: f64, column: &Column) -> Option<f64> {
    let (min, max) = (column.min?, column.max?);
    let share = (x - min) / (max - min);
    if share.is_nan() || share.is_infinite() {
        return None;
    }
    let share = share.clamp(0.0, 1.0);
    Some(if column.higher_is_better {
        share
    } else {
        1.0 - share
    })
}
