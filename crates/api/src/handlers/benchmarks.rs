//! The benchmark catalogue.

use crate::auth::{Principal, Scope};
use crate::db::{Conn, benchmarks, indexed};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::web::{self, Data, Path, Query};
use serde::Deserialize;
use types::{
    BenchmarkId, BenchmarkKind, BenchmarkList, BenchmarkView, MAX_PAGE, Modality, Problem, Role,
    UpdateBenchmark, check_name,
};

/// Longest description, in bytes.
const MAX_DESCRIPTION: usize = 4000;

/// What is listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListBenchmarks {
    /// Only of this category.
    category: Option<String>,
    /// Only of this modality.
    modality: Option<String>,
    /// Only tasks, groups or tags.
    kind: Option<String>,
    /// Text in name or description.
    search: Option<String>,
    /// Only with this label.
    tag: Option<String>,
    /// Rows of a page, at most 200.
    limit: Option<u32>,
    /// Rows to skip.
    #[param(value_type = Option<u64>)]
    offset: Option<u32>,
}

/// The catalogue, or the part that is asked for.
#[utoipa::path(get, path = "/api/v1/benchmarks", operation_id = "list_benchmarks", tag = "catalogue", params(ListBenchmarks),
    responses((status = 200, body = BenchmarkList), (status = 422, body = Problem)))]
pub async fn list_benchmarks(
    state: Data<AppState>,
    caller: Principal,
    query: Query<ListBenchmarks>,
) -> AppResult<web::Json<BenchmarkList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let query = query.into_inner();
    let limit = match query.limit.unwrap_or(MAX_PAGE) {
        n @ 1..=MAX_PAGE => i64::from(n),
        n => {
            return Err(AppError::field(
                "limit",
                format!("is {n}; expected 1 to {MAX_PAGE}"),
            ));
        }
    };
    let offset = i64::from(query.offset.unwrap_or(0));
    let filter = benchmarks::Filter {
        organization: Some(organization),
        category: cleaned(query.category),
        modality: parsed::<Modality>("modality", query.modality)?,
        kind: parsed::<BenchmarkKind>("kind", query.kind)?,
        search: cleaned(query.search),
        tag: cleaned(query.tag),
    };
    state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let indexed = indexed::state(conn).await?;
            let (problems, lmms_eval_version) = indexed
                .map(|s| {
                    (
                        serde_json::from_value(s.problems).unwrap_or_default(),
                        s.lmms_eval_version,
                    )
                })
                .unwrap_or_default();
            Ok(web::Json(BenchmarkList {
                benchmarks: benchmarks::list(conn, &filter, limit, offset).await?,
                total: benchmarks::count(conn, &filter).await?,
                lmms_eval_version,
                problems,
            }))
        })
        .await
}

/// A benchmark.
#[utoipa::path(get, path = "/api/v1/benchmarks/{benchmark_id}", operation_id = "get_benchmark", tag = "catalogue",
    params(("benchmark_id" = BenchmarkId, Path)),
    responses((status = 200, body = BenchmarkView), (status = 404, body = Problem)))]
pub async fn get_benchmark(
    state: Data<AppState>,
    caller: Principal,
    id: Path<BenchmarkId>,
) -> AppResult<web::Json<BenchmarkView>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let found = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(benchmarks::find(conn, *id, organization).await?)
        })
        .await?;
    found
        .map(web::Json)
        .ok_or_else(|| AppError::not_found("benchmark", id))
}

/// Correct what no task file says, for one's own organization.
#[utoipa::path(patch, path = "/api/v1/benchmarks/{benchmark_id}", operation_id = "update_benchmark", tag = "catalogue",
    params(("benchmark_id" = BenchmarkId, Path)), request_body = UpdateBenchmark,
    responses((status = 200, body = BenchmarkView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn update_benchmark(
    state: Data<AppState>,
    caller: Principal,
    id: Path<BenchmarkId>,
    wanted: Json<UpdateBenchmark>,
) -> AppResult<web::Json<BenchmarkView>> {
    let organization = caller.require(Role::Editor, Scope::Models)?;
    let wanted = wanted.accept()?;
    if let Some(category) = &wanted.category {
        check_name(category).map_err(|e| AppError::field("category", e.to_string()))?;
    }
    if let Some(text) = wanted
        .description
        .as_ref()
        .filter(|d| d.len() > MAX_DESCRIPTION || d.contains('\0'))
    {
        let message = format!(
            "has {} bytes; expected text of at most {MAX_DESCRIPTION}",
            text.len()
        );
        return Err(AppError::field("description", message));
    }
    let found = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            if benchmarks::find(conn, *id, organization).await?.is_none() {
                return Ok(None);
            }
            benchmarks::correct(conn, *id, organization, &wanted).await?;
            Ok(benchmarks::find(conn, *id, organization).await?)
        })
        .await?;
    found
        .map(web::Json)
        .ok_or_else(|| AppError::not_found("benchmark", id))
}

fn cleaned(text: Option<String>) -> Option<String> {
    text.map(|t| t.trim().replace('\0', "")).filter(|t| !t.is_empty())
}

fn parsed<T: std::str::FromStr<Err = types::UnknownVariant>>(
    field: &str,
    text: Option<String>,
) -> AppResult<Option<T>> {
    cleaned(text)
        .map(|t| {
            t.parse()
                .map_err(|e: types::UnknownVariant| AppError::field(field, e.to_string()))
        })
        .transpose()
}
