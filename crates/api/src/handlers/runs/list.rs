//! `GET /runs`

use crate::auth::people::addresses;
use crate::auth::{Principal, Scope};
use crate::db::runs::Creator;
use crate::db::{Conn, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use types::{MAX_PAGE, ModelId, Role, RunList, RunStatus, RunSummary};
use uuid::Uuid;

/// What is listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListRuns {
    /// Statuses, separated by commas.
    status: Option<String>,
    /// Only of this model.
    model_id: Option<ModelId>,
    /// Only the caller's own.
    mine: Option<bool>,
    /// Only created at this time or later.
    since: Option<DateTime<Utc>>,
    /// Only created before this time.
    until: Option<DateTime<Utc>>,
    /// Text in the name of run, model or benchmark.
    search: Option<String>,
    /// Rows of a page, at most 200.
    limit: Option<u32>,
    /// Rows to skip.
    #[param(value_type = Option<u64>)]
    offset: Option<u32>,
}

/// List runs, newest first.
#[utoipa::path(
    get, path = "/api/v1/runs",
    tag = "runs", operation_id = "list_runs", params(ListRuns),
    responses((status = 200, body = RunList))
)]
pub async fn list_runs(
    state: web::Data<AppState>,
    principal: Principal,
    query: web::Query<ListRuns>,
) -> AppResult<web::Json<RunList>> {
    let organization = principal.require(Role::Viewer, Scope::Read)?;
    let query = query.into_inner();
    let filter = runs::Filter {
        organization: Some(organization),
        status: statuses(query.status.as_deref())?,
        model: query.model_id,
        creator: query.mine.unwrap_or(false).then(|| creator(&principal)).flatten(),
        since: query.since,
        until: query.until,
        search: query
            .search
            .filter(|s| !s.trim().is_empty())
            .map(|s| s.trim().replace('\0', "")),
    };
    let limit = page_size(query.limit, 50)?;
    let offset = i64::from(query.offset.unwrap_or(0));
    let mut list = state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            let counts = runs::counts(conn, &filter).await?;
            let listed = |s: &RunStatus| filter.status.is_empty() || filter.status.contains(s);
            Ok(RunList {
                runs: runs::list(conn, &filter, limit, offset).await?,
                total: counts.iter().filter(|(s, _)| listed(s)).map(|(_, n)| n).sum(),
                counts,
            })
        })
        .await?;
    name_creators(&state, list.runs.iter_mut()).await?;
    Ok(web::Json(list))
}

fn creator(principal: &Principal) -> Option<Creator> {
    let user = principal.user_id().map(Creator::User);
    user.or(principal.token_id().map(Creator::Token))
}

/// Says who has created runs that the caller may see.
pub(super) async fn name_creators(
    state: &AppState,
    runs: impl Iterator<Item = &mut RunSummary>,
) -> AppResult<()> {
    let runs: Vec<_> = runs.collect();
    let mut ids: Vec<Uuid> = runs.iter().filter_map(|run| Some(run.created_by?.0)).collect();
    ids.sort_unstable();
    ids.dedup();
    let names = addresses(state, &ids).await?;
    for run in runs {
        run.created_by_name = run.created_by.and_then(|id| names.get(&id.0).cloned());
    }
    Ok(())
}

fn statuses(text: Option<&str>) -> AppResult<Vec<RunStatus>> {
    text.into_iter()
        .flat_map(|t| t.split(','))
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .map(|s| {
            s.parse()
                .map_err(|e: types::UnknownVariant| AppError::field("status", e.to_string()))
        })
        .collect()
}

/// The rows of a page.
///
/// # Errors
/// 422 when it is out of range.
pub(super) fn page_size(limit: Option<u32>, default: u32) -> AppResult<i64> {
    match limit.unwrap_or(default) {
        n @ 1..=MAX_PAGE => Ok(i64::from(n)),
        n => Err(AppError::field(
            "limit",
            format!("is {n}; expected 1 to {MAX_PAGE}"),
        )),
    }
}
