//! Ranks with their doubt, found again after scores have changed.
//!
//! What was compared is remembered, so that a new run costs the comparisons with itself alone. The memory goes with the
//! process; the next one compares once more.

use crate::board::{self, Answer, Answers, Board, Intervals, Key, Measured, Options, Pairs};
use crate::db::board::{Ranked, Score, Scored, State, outdated, sample_scores, scored, scores, store};
use crate::db::board_pairs::{self, PairRow};
use crate::db::{self, Conn, Db};
use std::collections::{HashMap, HashSet};
use std::time::Instant;
use types::{BoardCell, BoardEntry};
use uuid::Uuid;

/// The most models whose samples are compared pair by pair; above it the scores' own errors decide.
const MOST_PAIRED: usize = 80;
/// The most documents of a benchmark that are compared.
const MOST_DOCUMENTS: i64 = 20_000;

/// What was compared before, by organization.
#[derive(Debug, Default)]
pub(super) struct Memory(HashMap<Uuid, Pairs>);

/// Finds the ranks of every organization whose scores have changed.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn refresh(db: &Db, memory: &mut Memory) -> Result<(), db::Error> {
    let stale = db
        .service(async |conn: &mut Conn| Ok::<_, db::Error>(outdated(conn).await?))
        .await?;
    for state in stale {
        let pairs = memory.0.remove(&state.organization_id).unwrap_or_default();
        if let Some(pairs) = refresh_one(db, state, pairs).await? {
            memory.0.insert(state.organization_id, pairs);
        }
    }
    Ok(())
}

async fn refresh_one(db: &Db, state: State, mut pairs: Pairs) -> Result<Option<Pairs>, db::Error> {
    let start = Instant::now();
    let loaded = db
        .service(async |conn: &mut Conn| load(conn, state.organization_id).await)
        .await?;
    for column in loaded.paired_columns() {
        let cells = loaded.measured(column);
        let measured: Vec<Measured> = cells.iter().map(|(one, _)| one.clone()).collect();
        let unknown = pairs.unknown(&measured);
        if unknown.is_empty() {
            continue;
        }
        let answers = db
            .service(async |conn: &mut Conn| answers(conn, &cells, &unknown).await)
            .await?;
        let learned = tokio::task::spawn_blocking(move || {
            pairs.learn(&answers);
            pairs
        });
        let Ok(back) = learned.await else {
            tracing::warn!("the samples of a leaderboard could not be compared");
            return Ok(None);
        };
        pairs = back;
    }
    let found = tokio::task::spawn_blocking(move || {
        let found = (loaded.ranks(&pairs), loaded.beside_first(&pairs));
        loaded.forget_others(&mut pairs);
        (found, pairs)
    });
    let Ok(((ranks, beside), pairs)) = found.await else {
        tracing::warn!("the leaderboard's ranks could not be found");
        return Ok(None);
    };
    let took = start.elapsed().as_secs_f64();
    db.service(async |conn: &mut Conn| -> Result<(), db::Error> {
        store(conn, &state, &ranks, took).await?;
        Ok(board_pairs::replace(conn, state.organization_id, &beside).await?)
    })
    .await?;
    Ok(Some(pairs))
}

/// The board as it is shown when nobody chooses.
async fn load(conn: &mut Conn, organization: Uuid) -> Result<Loaded, db::Error> {
    let known = scored(conn, organization, None).await?;
    let (columns, _) = board::columns(&known, None, false);
    let benchmarks: Vec<Uuid> = columns.iter().map(|c| c.benchmark_id).collect();
    let rows = scores(conn, organization, None, &benchmarks).await?;
    let board = board::build(&columns, &rows, &Options::default());
    let ingested = rows
        .iter()
        .map(|row| (row.run_benchmark_id, row.ingested_at))
        .collect();
    Ok(Loaded {
        columns,
        rows,
        board,
        ingested,
    })
}

/// The samples of these cells, where they are what the score is the mean of.
async fn answers(
    conn: &mut Conn,
    cells: &[(Measured, f64)],
    which: &[usize],
) -> Result<Vec<(Measured, Answers)>, db::Error> {
    let mut all = Vec::with_capacity(which.len());
    for (one, value) in which.iter().filter_map(|&at| cells.get(at)) {
        let found = sample_scores(conn, one.pick, one.benchmark, &one.filter, MOST_DOCUMENTS).await?;
        all.push((one.clone(), Some(found).filter(|found| is_mean(found, *value))));
    }
    Ok(all)
}

/// What the ranks of one organization are found from.
struct Loaded {
    columns: Vec<Scored>,
    rows: Vec<Score>,
    board: Board,
    ingested: HashMap<Uuid, Option<chrono::DateTime<chrono::Utc>>>,
}

impl Loaded {
    /// Columns whose samples are compared.
    fn paired_columns(&self) -> std::ops::Range<usize> {
        let few = self.board.entries.len() <= MOST_PAIRED;
        0..if few { self.columns.len() } else { 0 }
    }

    /// What is behind a cell of one of our columns.
    fn behind(&self, cell: &BoardCell, column: usize) -> Measured {
        let (of, pick) = (&self.columns[column], cell.run_benchmark_id.0);
        Measured {
            pick,
            benchmark: of.benchmark_id,
            filter: of.filter.clone(),
            ingested: self.ingested.get(&pick).copied().flatten(),
        }
    }

    /// The cells of a column with their scores.
    fn measured(&self, column: usize) -> Vec<(Measured, f64)> {
        let cells = self
            .board
            .entries
            .iter()
            .filter_map(|entry| entry.cells[column].as_ref());
        let counting = cells.filter(|cell| cell.counts);
        counting
            .map(|cell| (self.behind(cell, column), cell.value))
            .collect()
    }

    /// The samples of each score beside those of the first of its column that has any in common with another.
    fn beside_first(&self, pairs: &Pairs) -> Vec<PairRow> {
        let mut rows = Vec::new();
        for column in self.paired_columns() {
            let cells = self.answered(column);
            let common = |one: &Measured, other: &Measured| {
                let found = pairs.overlap(one, other)?;
                (found.documents + found.documents_differ > 0).then_some(found)
            };
            let first = cells.iter().find(|(_, one)| {
                cells
                    .iter()
                    .any(|(_, other)| one != other && common(one, other).is_some())
            });
            let Some((reference, of_first)) = first else {
                continue;
            };
            let others = cells.iter().filter(|(_, one)| one != of_first);
            rows.extend(others.filter_map(|(key, one)| {
                let found = common(of_first, one)?;
                Some(PairRow::new(
                    self.columns[column].benchmark_id,
                    key,
                    reference,
                    found,
                ))
            }));
        }
        rows
    }

    /// The entries that have a score in a column, in the order of the board.
    fn answered(&self, column: usize) -> Vec<(Key, Measured)> {
        let entries = self.board.entries.iter();
        let cells = entries.filter_map(|entry| {
            let cell = entry.cells[column].as_ref().filter(|cell| cell.counts)?;
            let key = (entry.model_id.0, entry.checkpoint.clone());
            Some((key, self.behind(cell, column)))
        });
        cells.collect()
    }

    /// Over all benchmarks, and over each for itself.
    fn ranks(&self, pairs: &Pairs) -> Vec<(Option<Uuid>, Ranked)> {
        let mut ranks = rows_of(None, &self.intervals(&self.board, pairs, |column| column));
        for (at, column) in self.columns.iter().enumerate() {
            let one = board::build(std::slice::from_ref(column), &self.rows, &Options::default());
            ranks.extend(rows_of(
                Some(column.benchmark_id),
                &self.intervals(&one, pairs, |_| at),
            ));
        }
        ranks
    }

    /// From samples where there are any for a pair to be compared, else from the scores' own errors. `place` leads from
    /// the columns of `board` to ours.
    fn intervals(&self, board: &Board, pairs: &Pairs, place: impl Fn(usize) -> usize) -> Intervals {
        let paired = board::paired(board, |first, second, column| {
            let of = |entry: &BoardEntry| Some(self.behind(entry.cells[column].as_ref()?, place(column)));
            pairs.difference(&of(first)?, &of(second)?)
        });
        if paired.tests > 0 {
            paired
        } else {
            board::unpaired(board)
        }
    }

    fn forget_others(&self, pairs: &mut Pairs) {
        let cells: Vec<(Measured, f64)> = self
            .paired_columns()
            .flat_map(|column| self.measured(column))
            .collect();
        pairs.keep(&cells.iter().map(|(one, _)| one).collect::<HashSet<_>>());
    }
}

/// Whether a score is the mean of these, or a hundred times it: else the samples say nothing about it.
fn is_mean(samples: &[Answer], value: f64) -> bool {
    if samples.is_empty() {
        return false;
    }
    let mean = samples.iter().map(|s| s.score).sum::<f64>() / samples.len() as f64;
    let near = |scale: f64| (mean * scale - value).abs() <= 1e-3 * scale;
    near(1.0) || near(100.0)
}

fn rows_of(benchmark: Option<Uuid>, found: &Intervals) -> Vec<(Option<Uuid>, Ranked)> {
    let row = |((model_id, variant), (lo, hi)): (&Key, &(u32, u32))| {
        let ranked = Ranked {
            model_id: *model_id,
            checkpoint_variant: variant.clone(),
            rank_lo: i32::try_from(*lo).unwrap_or(i32::MAX),
            rank_hi: i32::try_from(*hi).unwrap_or(i32::MAX),
            tests: i32::try_from(found.tests).unwrap_or(i32::MAX),
        };
        (benchmark, ranked)
    };
    found.places.iter().map(row).collect()
}
