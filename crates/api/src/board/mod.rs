//! From committed scores to a ranking: which can be compared, who beats whom, and how sure that is.
//!
//! The rule it keeps: numbers in, numbers out, no I/O. The handler and the worker build the same board, so that the
//! ranks that the worker stores are those of the table that is shown.

mod comparable;
mod documents;
mod pairs;
mod ranks;

pub use documents::{Answer, Overlap, overlap};
pub use pairs::{Answers, Measured, Pairs};
pub use ranks::{Difference, Intervals, paired, rank, unpaired};

use crate::db::board::{Score, Scored};
use analysis::leaderboard::{Column, leaderboard};
use analysis::mean::reported_ci;
use comparable::judge;
use std::collections::{BTreeMap, HashMap};
use types::{BoardCell, BoardColumn, BoardEntry};
use uuid::Uuid;

/// Columns that are shown when nobody chooses.
const DEFAULT_COLUMNS: usize = 12;
/// The most columns of a board.
const MOST_COLUMNS: usize = 48;
/// The most rows of a board.
pub const MOST_ENTRIES: usize = 500;

/// Which checkpoints are ranked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The best one of each model.
    #[default]
    Best,
    /// This one of each model that has it.
    Specific(String),
    /// All, each for itself.
    All,
}

/// What is ranked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which checkpoints.
    pub mode: Mode,
    /// Also scores that were measured under other conditions.
    pub lenient: bool,
}

/// A table that can be ranked.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// What is compared.
    pub columns: Vec<BoardColumn>,
    /// Who, best first.
    pub entries: Vec<BoardEntry>,
    /// How many there were before the most that are shown.
    pub total: usize,
}

/// The columns of a board, and how many more there are: for each benchmark its own metric, or all its metrics.
/// Groups stand for themselves only where none of their members has a score.
pub fn columns(scored: &[Scored], wanted: Option<&[Uuid]>, all_metrics: bool) -> (Vec<Scored>, usize) {
    let asked = |s: &&Scored| wanted.is_none_or(|ids| ids.contains(&s.benchmark_id));
    let leaves = scored.iter().filter(asked).any(|s| !s.is_group);
    let mut by_benchmark: BTreeMap<usize, Vec<&Scored>> = BTreeMap::new();
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    for metric in scored.iter().filter(asked).filter(|s| !leaves || !s.is_group) {
        let next = places.len();
        let place = *places.entry(metric.benchmark_id).or_insert(next);
        by_benchmark.entry(place).or_default().push(metric);
    }
    let worth = |s: &&Scored| {
        (
            s.is_primary,
            s.higher_is_better.is_some(),
            s.with_error > 0,
            s.entries,
        )
    };
    let mut found = Vec::new();
    for mut metrics in by_benchmark.into_values() {
        // A stable sort: of equals the first by name stays first.
        metrics.sort_by_key(|s| std::cmp::Reverse(worth(s)));
        let take = if all_metrics { metrics.len() } else { 1 };
        found.extend(metrics.into_iter().take(take).cloned());
    }
    let most = if wanted.is_some() || all_metrics {
        MOST_COLUMNS
    } else {
        DEFAULT_COLUMNS
    };
    let more = found.len().saturating_sub(most);
    found.truncate(most);
    (found, more)
}

/// The board of these scores, by win rate; rank intervals come after it.
pub fn build(columns: &[Scored], scores: &[Score], options: &Options) -> Board {
    let rows = rows_of(columns, scores, &options.mode);
    let mut entries: Vec<BoardEntry> = rows.into_values().collect();
    judge(
        &mut entries,
        columns.len(),
        &scores_of(columns, scores),
        options.lenient,
    );
    place(columns, &mut entries);
    if options.mode == Mode::Best {
        keep_best(&mut entries);
        place(columns, &mut entries);
    }
    let total = entries.len();
    entries.sort_by(|a, b| {
        by_place(a)
            .cmp(&by_place(b))
            .then_with(|| a.model_name.cmp(&b.model_name))
    });
    entries.truncate(MOST_ENTRIES);
    Board {
        columns: columns
            .iter()
            .enumerate()
            .map(|(at, c)| column(at, c, &entries))
            .collect(),
        entries,
        total,
    }
}

fn by_place(entry: &BoardEntry) -> (u32, std::cmp::Reverse<u32>) {
    (entry.rank.unwrap_or(u32::MAX), std::cmp::Reverse(entry.counted))
}

/// The column of a score.
fn column_of(columns: &[Scored], score: &Score) -> Option<usize> {
    columns.iter().position(|c| {
        c.benchmark_id == score.benchmark_id && c.metric_name == score.metric_name && c.filter == score.filter
    })
}

/// What an entry is known by: its model and checkpoint.
pub type Key = (Uuid, String);

/// What a score was measured under, by entry and column.
fn scores_of<'a>(columns: &[Scored], scores: &'a [Score]) -> HashMap<(Key, usize), &'a Score> {
    let keyed = |score: &'a Score| {
        let key = (score.model_id, score.checkpoint_variant.clone());
        Some(((key, column_of(columns, score)?), score))
    };
    scores.iter().filter_map(keyed).collect()
}

fn rows_of(columns: &[Scored], scores: &[Score], mode: &Mode) -> BTreeMap<Key, BoardEntry> {
    let mut rows: BTreeMap<Key, BoardEntry> = BTreeMap::new();
    for score in scores {
        let Some(at) = column_of(columns, score) else {
            continue;
        };
        if matches!(mode, Mode::Specific(variant) if *variant != score.checkpoint_variant) {
            continue;
        }
        let key = (score.model_id, score.checkpoint_variant.clone());
        let entry = rows.entry(key).or_insert_with(|| empty(score, columns.len()));
        if score.ran_at > entry.last_run {
            (entry.last_run, entry.run_id) = (score.ran_at, score.run_id.into());
        }
        entry.cells[at] = Some(cell(score));
    }
    rows
}

fn empty(score: &Score, columns: usize) -> BoardEntry {
    BoardEntry {
        rank: None,
        rank_lo: None,
        rank_hi: None,
        tier: None,
        model_id: score.model_id.into(),
        model_name: score.model_name.clone(),
        family: score.family.clone(),
        num_parameters: score.num_parameters,
        checkpoint: score.checkpoint_variant.clone(),
        checkpoint_index: score.checkpoint_index,
        score: None,
        win_rate: None,
        counted: 0,
        last_run: score.ran_at,
        run_id: score.run_id.into(),
        cells: vec![None; columns],
    }
}

fn cell(score: &Score) -> BoardCell {
    let n = score.sample_count.and_then(|n| u64::try_from(n).ok());
    let ends = score.stderr.and_then(|se| reported_ci(score.value, se, n));
    BoardCell {
        value: score.value,
        stderr: score.stderr,
        low: ends.map(|ends| ends.lo),
        high: ends.map(|ends| ends.hi),
        n: score.sample_count,
        run_id: score.run_id.into(),
        run_benchmark_id: score.run_benchmark_id.into(),
        ran_at: score.ran_at,
        counts: true,
        notes: Vec::new(),
    }
}

/// The smallest scale that holds all values of a column: shares or percent; none for others.
fn scale_of(at: usize, entries: &[BoardEntry]) -> Option<(f64, f64)> {
    let mut values = entries
        .iter()
        .filter_map(|e| e.cells[at].as_ref())
        .map(|c| c.value)
        .peekable();
    values.peek()?;
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    match (low >= 0.0, high) {
        (true, high) if high <= 1.0 => Some((0.0, 1.0)),
        (true, high) if high <= 100.0 => Some((0.0, 100.0)),
        _ => None,
    }
}

/// Ranks the entries by mean win rate over the columns whose direction is known.
fn place(columns: &[Scored], entries: &mut [BoardEntry]) {
    let used: Vec<usize> = (0..columns.len())
        .filter(|&c| columns[c].higher_is_better.is_some())
        .collect();
    let rules: Vec<Column> = used
        .iter()
        .map(|&c| {
            let scale = scale_of(c, entries);
            Column {
                higher_is_better: columns[c].higher_is_better.unwrap_or(true),
                min: scale.map(|s| s.0),
                max: scale.map(|s| s.1),
            }
        })
        .collect();
    let value = |entry: &BoardEntry, c: usize| {
        let cell = entry.cells[c]
            .as_ref()
            .filter(|cell| cell.counts && cell.value.is_finite());
        cell.map_or(f64::NAN, |cell| cell.value)
    };
    let table: Vec<Vec<f64>> = entries
        .iter()
        .map(|e| used.iter().map(|&c| value(e, c)).collect())
        .collect();
    let Ok(found) = leaderboard(&table, &rules, 0.0) else {
        return;
    };
    for (at, entry) in entries.iter_mut().enumerate() {
        entry.counted = table[at].iter().filter(|x| !x.is_nan()).count() as u32;
        entry.win_rate = found.mean_win_rate[at];
        entry.rank = found.rank_win_rate[at]
            .or(found.rank_mean_score[at].filter(|_| found.mean_win_rate[at].is_none()));
        entry.score = entry.cells.first().and_then(|c| c.as_ref()).map(|c| c.value);
    }
}

/// Keeps the best checkpoint of each model: the one with most benchmarks, then the highest win rate, then the latest.
fn keep_best(entries: &mut Vec<BoardEntry>) {
    let better = |a: &BoardEntry, b: &BoardEntry| {
        (a.counted.cmp(&b.counted))
            .then(a.win_rate.unwrap_or(-1.0).total_cmp(&b.win_rate.unwrap_or(-1.0)))
            .then(a.checkpoint_index.cmp(&b.checkpoint_index))
            .then(a.last_run.cmp(&b.last_run))
    };
    let mut best: BTreeMap<Uuid, BoardEntry> = BTreeMap::new();
    for entry in entries.drain(..) {
        match best.get(&entry.model_id.0) {
            Some(known) if better(&entry, known).is_le() => {}
            _ => drop(best.insert(entry.model_id.0, entry)),
        }
    }
    entries.extend(best.into_values());
}

fn column(at: usize, scored: &Scored, entries: &[BoardEntry]) -> BoardColumn {
    let cells = || entries.iter().filter_map(|e| e.cells[at].as_ref());
    let low = cells()
        .map(|c| c.low.unwrap_or(c.value))
        .fold(f64::INFINITY, f64::min);
    let high = cells()
        .map(|c| c.high.unwrap_or(c.value))
        .fold(f64::NEG_INFINITY, f64::max);
    let some = low.is_finite() && high.is_finite();
    BoardColumn {
        benchmark_id: scored.benchmark_id.into(),
        benchmark: scored.benchmark.clone(),
        metric: scored.metric_name.clone(),
        filter: scored.filter.clone(),
        higher_is_better: scored.higher_is_better,
        n: comparable::most_common(cells().filter_map(|c| c.n)),
        low: if some { low } else { 0.0 },
        high: if some { high } else { 1.0 },
    }
}

#[cfg(test)]
mod tests;
