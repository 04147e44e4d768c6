//! `GET /runs/{run_id}/samples`

use super::{access, list::page_size};
use crate::auth::Principal;
use crate::db::Conn;
use crate::db::samples::{self, Cursor, Filter, Sort};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web;
use serde::Deserialize;
use types::{BenchmarkId, RunBenchmarkId, SamplePage};

/// Which samples, and in which order.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetSamples {
    /// Only of this task, or of this picked group.
    benchmark_id: Option<BenchmarkId>,
    /// Only of this picked row.
    run_benchmark_id: Option<RunBenchmarkId>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Samples of a page, at most 200.
    limit: Option<u32>,
    /// `index` (as in the file), `error` (largest first) or `confidence` (least first).
    sort_by: Option<SortBy>,
}

/// What samples are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// As in the file.
    #[default]
    Index,
    /// Largest error first.
    Error,
    /// Least confidence first.
    Confidence,
}

impl From<SortBy> for Sort {
    fn from(by: SortBy) -> Self {
        match by {
            SortBy::Index => Self::Index,
            SortBy::Error => Self::Error,
            SortBy::Confidence => Self::Confidence,
        }
    }
}

/// A page of samples.
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}/samples",
    tag = "runs", operation_id = "get_run_samples",
    params(("run_id" = String, Path), GetSamples),
    responses((status = 200, body = SamplePage))
)]
pub async fn get_run_samples(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
    query: web::Query<GetSamples>,
) -> AppResult<web::Json<SamplePage>> {
    let id = access::run_id(&path)?;
    let limit = page_size(query.limit, 20)?;
    let cursor = query.cursor.as_deref().map(cursor_of).transpose()?;
    let filter = Filter {
        benchmark: query.benchmark_id,
        pick: query.run_benchmark_id,
    };
    let sort = Sort::from(query.sort_by.unwrap_or_default());
    state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            access::visible(conn, id).await?;
            let (found, next) = samples::page(conn, id, &filter, sort, cursor.as_ref(), limit).await?;
            Ok(web::Json(SamplePage {
                samples: found,
                total: u64::try_from(samples::count(conn, id, &filter).await?).unwrap_or(0),
                next_cursor: next.map(|c| c.id.to_string()),
            }))
        })
        .await
}

/// A cursor is the last sample's id: its sort key is looked up, so it cannot be wrong.
fn cursor_of(text: &str) -> AppResult<Cursor> {
    let id = text.parse().map_err(|_| {
        AppError::field(
            "cursor",
            format!("is `{text}`; expected one that a page returned"),
        )
    })?;
    Ok(Cursor { id })
}
