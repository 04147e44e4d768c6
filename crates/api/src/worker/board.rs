//! Ranks with their doubt, found again after scores have changed.

use crate::board::{self, Board, Intervals, Key, Options, Samples};
use crate::db::board::{Ranked, Score, Scored, State, outdated, sample_scores, scored, scores, store};
use crate::db::{self, Conn, Db};
use uuid::Uuid;

/// The most models whose samples are compared pair by pair; above it the scores' own errors decide.
const MOST_PAIRED: usize = 80;
/// The most documents of a benchmark that are compared.
const MOST_DOCUMENTS: i64 = 20_000;

/// Finds the ranks of every organization whose scores have changed.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn refresh(db: &Db) -> Result<(), db::Error> {
    let stale = db
        .service(async |conn: &mut Conn| Ok::<_, db::Error>(outdated(conn).await?))
        .await?;
    for state in stale {
        refresh_one(db, state).await?;
    }
    Ok(())
}

async fn refresh_one(db: &Db, state: State) -> Result<(), db::Error> {
    let (board, samples) = db
        .service(async |conn: &mut Conn| load(conn, state.organization_id).await)
        .await?;
    let found = tokio::task::spawn_blocking(move || all_ranks(&board, &samples)).await;
    let Ok(ranks) = found else {
        tracing::warn!("the leaderboard's ranks could not be found");
        return Ok(());
    };
    db.service(async |conn: &mut Conn| Ok::<_, db::Error>(store(conn, &state, &ranks).await?))
        .await
}

/// The board as it is shown when nobody chooses, with the samples behind it.
async fn load(conn: &mut Conn, organization: Uuid) -> Result<(Loaded, Samples), db::Error> {
    let known = scored(conn, organization, None).await?;
    let (columns, _) = board::columns(&known, None, false);
    let benchmarks: Vec<Uuid> = columns.iter().map(|c| c.benchmark_id).collect();
    let rows = scores(conn, organization, None, &benchmarks).await?;
    let board = board::build(&columns, &rows, &Options::default());
    let mut samples = Samples::new();
    if board.entries.len() <= MOST_PAIRED {
        for entry in &board.entries {
            for (at, cell) in entry.cells.iter().enumerate() {
                let Some(cell) = cell.as_ref().filter(|c| c.counts) else {
                    continue;
                };
                let of = &columns[at];
                let pick = cell.run_benchmark_id.0;
                let found = sample_scores(conn, pick, of.benchmark_id, &of.filter, MOST_DOCUMENTS).await?;
                if is_mean(&found, cell.value) {
                    samples.insert(((entry.model_id.0, entry.checkpoint.clone()), at), found);
                }
            }
        }
    }
    Ok((Loaded { columns, rows, board }, samples))
}

/// What the ranks of one organization are found from.
struct Loaded {
    columns: Vec<Scored>,
    rows: Vec<Score>,
    board: Board,
}

/// Whether a score is the mean of these, or a hundred times it: else the samples say nothing about it.
fn is_mean(samples: &[(i64, f64)], value: f64) -> bool {
    if samples.is_empty() {
        return false;
    }
    let mean = samples.iter().map(|s| s.1).sum::<f64>() / samples.len() as f64;
    let near = |scale: f64| (mean * scale - value).abs() <= 1e-3 * scale;
    near(1.0) || near(100.0)
}

/// Over all benchmarks, and over each for itself.
fn all_ranks(loaded: &Loaded, samples: &Samples) -> Vec<(Option<Uuid>, Ranked)> {
    let mut ranks = rows_of(None, &intervals(&loaded.board, samples));
    for (at, column) in loaded.columns.iter().enumerate() {
        let one = board::build(std::slice::from_ref(column), &loaded.rows, &Options::default());
        let mut own = Samples::new();
        for ((key, _), found) in samples.iter().filter(|((_, column), _)| *column == at) {
            own.insert((key.clone(), 0), found.clone());
        }
        ranks.extend(rows_of(Some(column.benchmark_id), &intervals(&one, &own)));
    }
    ranks
}

/// From samples where there are any for a pair to be compared, else from the scores' own errors.
fn intervals(board: &Board, samples: &Samples) -> Intervals {
    let paired = board::paired(board, samples);
    if paired.tests > 0 {
        paired
    } else {
        board::unpaired(board)
    }
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
