//! How sure a rank is: all pairs are compared, corrected by Holm; a model's best place is one more than the number of
//! models that are surely better, its worst the number of models less those that are surely worse.

use super::{Board, Key, scale_of};
use analysis::multiplicity::p_adjust;
use analysis::special::t_sf;
use std::collections::HashMap;
use types::BoardEntry;

/// Simultaneous error rate.
const ALPHA: f64 = 0.05;
/// Documents below which a difference without spread proves nothing.
const FEW: f64 = 10.0;

/// How much better one is than another, on a scale of 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The mean difference.
    pub mean: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom.
    pub df: f64,
}

impl Difference {
    /// Of values that were measured on the same documents.
    pub fn of(differences: &[f64]) -> Option<Self> {
        let n = differences.len() as f64;
        if n < 2.0 {
            return None;
        }
        let mean = differences.iter().sum::<f64>() / n;
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        Some(Self {
            mean,
            se: (squares / (n - 1.0) / n).sqrt(),
            df: n - 1.0,
        })
    }

    /// The mean over benchmarks, as fixed strata.
    fn over(parts: &[Self]) -> Option<Self> {
        let n = parts.len() as f64;
        (!parts.is_empty()).then(|| Self {
            mean: parts.iter().map(|p| p.mean).sum::<f64>() / n,
            se: parts.iter().map(|p| p.se.powi(2)).sum::<f64>().sqrt() / n,
            df: parts.iter().map(|p| p.df).fold(f64::INFINITY, f64::min),
        })
    }

    /// Two-sided p.
    fn p(self) -> f64 {
        if self.se > 0.0 {
            return (2.0 * t_sf((self.mean / self.se).abs(), self.df)).min(1.0);
        }
        if self.mean == 0.0 || self.df < FEW {
            1.0
        } else {
            0.0
        }
    }
}

/// The places that the data allow, by model and checkpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intervals {
    /// Best and worst place.
    pub places: HashMap<Key, (u32, u32)>,
    /// Comparisons that were corrected for.
    pub tests: u32,
}

/// From how much better the second of each pair is than the first.
fn intervals(entries: &[&BoardEntry], difference: impl Fn(usize, usize) -> Option<Difference>) -> Intervals {
    let all = entries.len();
    let pairs: Vec<(usize, usize)> = (0..all).flat_map(|i| (i + 1..all).map(move |j| (i, j))).collect();
    let found: Vec<Option<Difference>> = pairs.iter().map(|&(i, j)| difference(i, j)).collect();
    let p: Vec<Option<f64>> = found.iter().map(|d| d.map(Difference::p)).collect();
    let holm = p_adjust(&p).map(|adjusted| adjusted.holm).unwrap_or_default();
    let mut places = vec![(1, all as u32); all];
    for ((&(i, j), difference), p) in pairs.iter().zip(&found).zip(holm) {
        if p.is_none_or(|p| p > ALPHA) {
            continue;
        }
        let up = difference.is_some_and(|d| d.mean > 0.0);
        let (winner, loser) = if up { (j, i) } else { (i, j) };
        places[loser].0 += 1;
        places[winner].1 -= 1;
    }
    let key = |entry: &&BoardEntry| (entry.model_id.0, entry.checkpoint.clone());
    Intervals {
        places: entries.iter().map(key).zip(places).collect(),
        tests: p.iter().flatten().count() as u32,
    }
}

/// The entries that have a place.
fn placed(board: &Board) -> Vec<&BoardEntry> {
    board.entries.iter().filter(|e| e.rank.is_some()).collect()
}

/// For each column that can be compared by difference: its place, sign and width of scale.
fn comparable_columns(board: &Board) -> Vec<(usize, f64, f64)> {
    let of = |(at, column): (usize, &types::BoardColumn)| {
        let sign = if column.higher_is_better? { 1.0 } else { -1.0 };
        let (low, high) = scale_of(at, &board.entries)?;
        Some((at, sign, high - low))
    };
    board.columns.iter().enumerate().filter_map(of).collect()
}

/// From the scores' own errors, as if each model had answered other documents: wider than need be, but always there.
pub fn unpaired(board: &Board) -> Intervals {
    let entries = placed(board);
    let columns = comparable_columns(board);
    let cell = |at: usize, column: usize| {
        let cell = entries[at].cells[column].as_ref().filter(|c| c.counts)?;
        Some((cell.value, cell.stderr?, cell.n.unwrap_or(i64::MAX) as f64))
    };
    intervals(&entries, |i, j| {
        let part = |&(at, sign, width): &(usize, f64, f64)| {
            let ((a, sa, na), (b, sb, nb)) = (cell(i, at)?, cell(j, at)?);
            Some(Difference {
                mean: sign * (b - a) / width,
                se: sa.hypot(sb) / width,
                df: (na.min(nb) - 1.0).max(1.0),
            })
        };
        Difference::over(&columns.iter().filter_map(part).collect::<Vec<_>>())
    })
}

/// From samples, on the scale of 0 to 1: `difference` says how much higher the second of two entries of the board is in
/// a column, where they have documents in common.
pub fn paired(
    board: &Board,
    difference: impl Fn(&BoardEntry, &BoardEntry, usize) -> Option<Difference>,
) -> Intervals {
    let entries = placed(board);
    let columns = comparable_columns(board);
    let counts = |entry: &BoardEntry, column: usize| entry.cells[column].as_ref().is_some_and(|c| c.counts);
    intervals(&entries, |i, j| {
        let (first, second) = (entries[i], entries[j]);
        let part = |&(column, sign, _): &(usize, f64, f64)| {
            let both = counts(first, column) && counts(second, column);
            let found = both.then(|| difference(first, second, column)).flatten()?;
            Some(Difference {
                mean: sign * found.mean,
                ..found
            })
        };
        Difference::over(&columns.iter().filter_map(part).collect::<Vec<_>>())
    })
}

/// Gives the entries their intervals and tiers, and orders them by interval, then by win rate. A tier holds those that
/// cannot be told apart from its first.
pub fn rank(board: &mut Board, intervals: &Intervals) {
    for entry in &mut board.entries {
        let key = (entry.model_id.0, entry.checkpoint.clone());
        let place = intervals.places.get(&key).filter(|_| entry.rank.is_some());
        (entry.rank_lo, entry.rank_hi) = (place.map(|p| p.0), place.map(|p| p.1));
    }
    let order = |e: &BoardEntry| {
        (
            e.rank_lo.unwrap_or(u32::MAX),
            e.rank_hi.unwrap_or(u32::MAX),
            e.rank.unwrap_or(u32::MAX),
        )
    };
    board.entries.sort_by(|a, b| {
        order(a)
            .cmp(&order(b))
            .then_with(|| a.model_name.cmp(&b.model_name))
    });
    let (mut tier, mut worst) = (0, 0);
    for entry in &mut board.entries {
        let (Some(lo), Some(hi)) = (entry.rank_lo, entry.rank_hi) else {
            continue;
        };
        if lo > worst {
            (tier, worst) = (tier + 1, hi);
        }
        entry.tier = Some(tier);
    }
}
