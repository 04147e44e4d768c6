//! `GET /runs`

use crate::auth::{Principal, Scope};
use crate::db::{Conn, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web;
use serde::Deserialize;
use types::{MAX_PAGE, ModelId, Role, RunList, RunStatus};

/// What is listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListRuns {
    /// Statuses, separated by commas.
    status: Option<String>,
    /// Only of this model.
    model_id: Option<ModelId>,
    /// Text in the name of run, model or benchmark.
    search: Option<String>,
    /// Rows of a page, at most 200.
    limit: Option<u32>,
    /// Rows to skip.
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
        search: query
            .search
            .filter(|s| !s.trim().is_empty())
            .map(|s| s.trim().replace('\0', "")),
    };
    let limit = page_size(query.limit, 50)?;
    let offset = i64::from(query.offset.unwrap_or(0));
    state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            let counts = runs::counts(conn, &filter).await?;
            let listed = |s: &RunStatus| filter.status.is_empty() || filter.status.contains(s);
            Ok(web::Json(RunList {
                runs: runs::list(conn, &filter, limit, offset).await?,
                total: counts.iter().filter(|(s, _)| listed(s)).map(|(_, n)| n).sum(),
                counts,
            }))
        })
        .await
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
