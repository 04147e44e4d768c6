//! The leaderboard, over one benchmark or many.

use crate::auth::{Principal, Scope};
use crate::board::{self, Board, Intervals, Mode, Options, Overlap};
use crate::db::board_pairs::{self, PairRow};
use crate::db::{Conn, benchmarks, board as rows, coverage, slices};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use std::collections::HashMap;
use types::{
    BenchmarkId, BoardEntry, BoardNote, CoverageList, LeaderboardView, NoteKind, OrganizationId, Problem,
    RankBasis, RankKind, Role, SliceId, SliceMissing, SliceState, SliceView,
};
use uuid::Uuid;

/// The most benchmarks that can be named.
const MOST_NAMED: usize = 200;

/// What is compared.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetLeaderboard {
    /// Benchmarks or groups, by id, separated by commas; without it those with most scores.
    benchmarks: Option<String>,
    /// Only samples of this slice.
    slice_id: Option<SliceId>,
    /// `best` of each model, `specific` (see `checkpoint`) or `all`.
    checkpoint_mode: Option<CheckpointMode>,
    /// The variant that is compared, for `specific`.
    checkpoint: Option<String>,
    /// `rank`, `score` (of the first column, best first), `last_run` (newest first) or `model`.
    sort_by: Option<BoardSort>,
    /// `primary`: one metric of each benchmark; `all`: every metric.
    metrics: Option<BoardMetrics>,
    /// Whether scores under other conditions count as well.
    lenient: Option<bool>,
}

/// Which checkpoints are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointMode {
    /// The best one of each model.
    #[default]
    Best,
    /// One of each model that has it.
    Specific,
    /// All, each for itself.
    All,
}

/// The order of a leaderboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoardSort {
    /// By rank interval, then by win rate.
    #[default]
    Rank,
    /// By the first column, best first.
    Score,
    /// Newest first.
    LastRun,
    /// By name.
    Model,
}

/// Which metrics have a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoardMetrics {
    /// One of each benchmark.
    #[default]
    Primary,
    /// All of them.
    All,
}

/// The leaderboard over many benchmarks.
#[utoipa::path(get, path = "/api/v1/leaderboard", operation_id = "get_leaderboard", tag = "leaderboard",
    params(GetLeaderboard), responses((status = 200, body = LeaderboardView), (status = 422, body = Problem)))]
pub async fn get_leaderboard(
    state: Data<AppState>,
    caller: Principal,
    query: Query<GetLeaderboard>,
) -> AppResult<Json<LeaderboardView>> {
    let named = named(query.benchmarks.as_deref())?;
    answer(&state, &caller, named, &query).await
}

/// The leaderboard of one benchmark, or of the members of one group.
#[utoipa::path(get, path = "/api/v1/leaderboard/{benchmark_id}", operation_id = "get_benchmark_leaderboard",
    tag = "leaderboard", params(("benchmark_id" = BenchmarkId, Path), GetLeaderboard),
    responses((status = 200, body = LeaderboardView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn get_benchmark_leaderboard(
    state: Data<AppState>,
    caller: Principal,
    id: Path<BenchmarkId>,
    query: Query<GetLeaderboard>,
) -> AppResult<Json<LeaderboardView>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let found = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(benchmarks::find(conn, *id, organization).await?)
        })
        .await?;
    if found.is_none() {
        return Err(AppError::not_found("benchmark", id));
    }
    answer(&state, &caller, Some(vec![id.0]), &query).await
}

/// What has been measured.
#[utoipa::path(get, path = "/api/v1/coverage", operation_id = "get_coverage", tag = "leaderboard",
    responses((status = 200, body = CoverageList)))]
pub async fn get_coverage(state: Data<AppState>, caller: Principal) -> AppResult<Json<CoverageList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let benchmarks = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(coverage::of_organization(conn, organization.0).await?)
        })
        .await?;
    Ok(Json(CoverageList { benchmarks }))
}

async fn answer(
    state: &AppState,
    caller: &Principal,
    named: Option<Vec<Uuid>>,
    query: &GetLeaderboard,
) -> AppResult<Json<LeaderboardView>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let options = options(query)?;
    let slice = query.slice_id.map(|s| s.0);
    let all_metrics = query.metrics == Some(BoardMetrics::All);
    state
        .db
        .user(caller, async |conn: &mut Conn| -> AppResult<_> {
            let looked_through = slice_of(conn, organization, query.slice_id).await?;
            let scored = rows::scored(conn, organization.0, slice).await?;
            let wanted = match &named {
                Some(ids) => Some(rows::leaves(conn, organization.0, ids).await?),
                None => None,
            };
            let (columns, more) = board::columns(&scored, wanted.as_deref(), all_metrics);
            let mut benchmarks: Vec<Uuid> = columns.iter().map(|c| c.benchmark_id).collect();
            benchmarks.dedup();
            let scores = rows::scores(conn, organization.0, slice, &benchmarks).await?;
            let mut board = board::build(&columns, &scores, &options);
            let standard = options == Options::default() && slice.is_none() && !all_metrics;
            let stored = match (standard, named.is_none(), benchmarks.as_slice()) {
                (true, true, _) => Some(None),
                (true, false, [one]) => Some(Some(*one)),
                _ => None,
            };
            if slice.is_none() {
                let pairs = board_pairs::list(conn, organization.0, &benchmarks).await?;
                note_pairs(&mut board, &pairs);
            }
            let ranks = rank(conn, organization, stored, &mut board).await?;
            sort(
                &mut board.entries,
                query.sort_by.unwrap_or_default(),
                &board.columns,
            );
            Ok(Json(LeaderboardView {
                benchmark: title(&board),
                missing: missing(conn, organization, looked_through.as_ref(), wanted.as_deref()).await?,
                slice: looked_through.map_or_else(|| "all".to_owned(), |slice| slice.name),
                total: board.total as u64,
                more_columns: more as u64,
                columns: board.columns,
                entries: board.entries,
                ranks,
            }))
        })
        .await
}

/// Says beside a score what of its samples differs from those of the first of its column.
fn note_pairs(board: &mut Board, pairs: &[PairRow]) {
    let names: HashMap<Uuid, String> = board
        .entries
        .iter()
        .map(|entry| (entry.model_id.0, entry.model_name.clone()))
        .collect();
    for pair in pairs {
        let reference = names.get(&pair.reference_id).map_or("the first", String::as_str);
        let notes = pair_notes(&pair.overlap(), reference);
        let own = board
            .entries
            .iter_mut()
            .find(|entry| entry.model_id.0 == pair.model_id && entry.checkpoint == pair.checkpoint_variant);
        let Some(entry) = own else { continue };
        for (column, cell) in board.columns.iter().zip(&mut entry.cells) {
            if let Some(cell) = cell
                .as_mut()
                .filter(|_| column.benchmark_id.0 == pair.benchmark_id)
            {
                cell.notes.extend(notes.iter().cloned());
            }
        }
    }
}

fn pair_notes(found: &Overlap, reference: &str) -> Vec<BoardNote> {
    let mut notes = Vec::new();
    if found.prompts_differ > 0 {
        notes.push(BoardNote {
            kind: NoteKind::Prompts,
            text: format!(
                "prompts differ on {} of {} from those of {reference}",
                grouped(found.prompts_differ),
                grouped(found.prompts_known)
            ),
        });
    }
    if found.documents_differ > 0 {
        notes.push(BoardNote {
            kind: NoteKind::Documents,
            text: format!(
                "{} of {} documents are not those of {reference}: left out of the comparison",
                grouped(found.documents_differ),
                grouped(found.documents + found.documents_differ)
            ),
        });
    }
    notes
}

/// Digits in groups of three, with a space that does not break.
fn grouped(n: u32) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

fn title(board: &Board) -> String {
    match board.columns.as_slice() {
        [] => "no benchmark".to_owned(),
        [one] => one.benchmark.clone(),
        [first, rest @ ..] if rest.iter().all(|c| c.benchmark_id == first.benchmark_id) => {
            first.benchmark.clone()
        }
        many => format!("{} benchmarks", many.len()),
    }
}

/// Stored intervals where the table is one that the worker ranks; else those of the scores' own errors.
async fn rank(
    conn: &mut Conn,
    organization: OrganizationId,
    stored: Option<Option<Uuid>>,
    board: &mut Board,
) -> AppResult<RankBasis> {
    if let Some(benchmark) = stored {
        let found = rows::ranks(conn, organization.0, benchmark).await?;
        let state = rows::state(conn, organization.0).await?;
        if let (false, Some(state)) = (found.is_empty(), state) {
            let tests = found.first().map_or(0, |r| u32::try_from(r.tests).unwrap_or(0));
            let place = |r: rows::Ranked| {
                let place = (r.rank_lo.unsigned_abs(), r.rank_hi.unsigned_abs());
                ((r.model_id, r.checkpoint_variant), place)
            };
            let places = found.into_iter().map(place).collect();
            board::rank(board, &Intervals { places, tests });
            return Ok(RankBasis {
                kind: RankKind::Paired,
                tests,
                at: state.ranked_at,
                outdated: state.changes > state.ranked,
            });
        }
    }
    let found = board::unpaired(board);
    board::rank(board, &found);
    Ok(RankBasis {
        kind: RankKind::Unpaired,
        tests: found.tests,
        at: None,
        outdated: false,
    })
}

fn sort(entries: &mut [BoardEntry], by: BoardSort, columns: &[types::BoardColumn]) {
    let up = columns.first().and_then(|c| c.higher_is_better) != Some(false);
    // Those without a score come last in either direction.
    let worth = |e: &BoardEntry| e.score.map_or(f64::NEG_INFINITY, |s| if up { s } else { -s });
    match by {
        BoardSort::Rank => {}
        BoardSort::Score => entries.sort_by(|a, b| worth(b).total_cmp(&worth(a))),
        BoardSort::LastRun => entries.sort_by_key(|e| std::cmp::Reverse(e.last_run)),
        BoardSort::Model => entries.sort_by_key(|e| e.model_name.to_lowercase()),
    }
}

fn options(query: &GetLeaderboard) -> AppResult<Options> {
    let checkpoint = query.checkpoint.as_deref().filter(|c| !c.trim().is_empty());
    let mode = match (query.checkpoint_mode.unwrap_or_default(), checkpoint) {
        (CheckpointMode::Best, _) => Mode::Best,
        (CheckpointMode::All, _) => Mode::All,
        (CheckpointMode::Specific, Some(variant)) => Mode::Specific(variant.trim().to_owned()),
        (CheckpointMode::Specific, None) => {
            return Err(AppError::field(
                "checkpoint",
                "is missing; `specific` expects a checkpoint",
            ));
        }
    };
    Ok(Options {
        mode,
        lenient: query.lenient.unwrap_or(false),
    })
}

fn named(text: Option<&str>) -> AppResult<Option<Vec<Uuid>>> {
    let parts: Vec<&str> = text
        .into_iter()
        .flat_map(|t| t.split(','))
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .collect();
    if parts.len() > MOST_NAMED {
        return Err(AppError::field(
            "benchmarks",
            format!("names {}; expected at most {MOST_NAMED}", parts.len()),
        ));
    }
    let id = |part: &&str| {
        part.parse().map_err(|_| {
            AppError::field(
                "benchmarks",
                format!("names `{part}`; expected ids separated by commas"),
            )
        })
    };
    let ids = parts.iter().map(id).collect::<AppResult<Vec<Uuid>>>()?;
    Ok(Some(ids).filter(|ids| !ids.is_empty()))
}

/// The slice that is looked through; none for all samples.
async fn slice_of(
    conn: &mut Conn,
    organization: OrganizationId,
    slice: Option<SliceId>,
) -> AppResult<Option<SliceView>> {
    let Some(id) = slice else {
        return Ok(None);
    };
    let all = slices::list(conn, organization).await?;
    let found = all.into_iter().find(|s| s.id == id);
    found.map(Some).ok_or_else(|| {
        AppError::field(
            "slice_id",
            format!("is `{id}`; expected a slice of the organization"),
        )
    })
}

/// What has a score, but not on the slice.
async fn missing(
    conn: &mut Conn,
    organization: OrganizationId,
    slice: Option<&SliceView>,
    benchmarks: Option<&[Uuid]>,
) -> AppResult<Vec<SliceMissing>> {
    let Some(slice) = slice else {
        return Ok(Vec::new());
    };
    let found = slices::scores::missing(conn, organization.0, slice.id.0, benchmarks).await?;
    let view = |row: slices::scores::Missing| SliceMissing {
        benchmark_id: row.benchmark_id.into(),
        benchmark: row.benchmark,
        reason: row.reason.unwrap_or_else(|| unsaid(slice).to_owned()),
        entries: row.entries.unsigned_abs(),
    };
    Ok(found.into_iter().map(view).collect())
}

/// Why a slice has no score where nobody has said anything.
fn unsaid(slice: &SliceView) -> &'static str {
    match slice.state {
        SliceState::Done => "its runs have no samples in the slice",
        SliceState::Failed => "the rule of the slice cannot be used",
        SliceState::Pending | SliceState::Running => "its samples have not all been looked at yet",
    }
}
