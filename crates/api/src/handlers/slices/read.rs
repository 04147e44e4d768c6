//! Slices and what is scored on them.

use super::visible;
use crate::auth::{Principal, Scope};
use crate::db::slices::report::{samples, task};
use crate::db::slices::scores::{Scored, Wanted, committed, of_slice};
use crate::db::{Conn, runs, slices};
use crate::error::{AppError, AppResult};
use crate::slicing::{self, Labelled};
use crate::state::AppState;
use actix_web::web::{Data, Json, Path, Query};
use analysis::mean::reported_ci;
use serde::Deserialize;
use types::{
    BenchmarkId, MAX_PAGE, OrganizationId, Problem, Role, RunId, SMALL_SLICE, SliceId, SliceList,
    SliceMetric, SliceMetricList, SliceReport, SliceView,
};

/// All slices.
#[utoipa::path(get, path = "/api/v1/slices", operation_id = "list_slices", tag = "catalogue",
    responses((status = 200, body = SliceList)))]
pub async fn list_slices(state: Data<AppState>, caller: Principal) -> AppResult<Json<SliceList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let slices = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(slices::list(conn, organization).await?)
        })
        .await?;
    Ok(Json(SliceList { slices }))
}

/// One slice, with how far its samples are known.
#[utoipa::path(get, path = "/api/v1/slices/{slice_id}", operation_id = "get_slice", tag = "catalogue",
    params(("slice_id" = SliceId, Path)), responses((status = 200, body = SliceView), (status = 404, body = Problem)))]
pub async fn get_slice(
    state: Data<AppState>,
    caller: Principal,
    id: Path<SliceId>,
) -> AppResult<Json<SliceView>> {
    let (organization, slice) = state
        .db
        .user(&caller, async |conn: &mut Conn| visible(conn, *id).await)
        .await?;
    caller.require_in(organization, Role::Viewer, Scope::Read)?;
    Ok(Json(slice))
}

/// Which scores of a slice.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetSliceMetrics {
    /// Only of this task.
    benchmark_id: Option<BenchmarkId>,
    /// Only of this run.
    run_id: Option<RunId>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
    /// Without the first of them.
    offset: Option<u32>,
}

/// What runs score on a slice, the newest first.
#[utoipa::path(get, path = "/api/v1/slices/{slice_id}/metrics", operation_id = "get_slice_metrics", tag = "catalogue",
    params(("slice_id" = SliceId, Path), GetSliceMetrics),
    responses((status = 200, body = SliceMetricList), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn get_slice_metrics(
    state: Data<AppState>,
    caller: Principal,
    id: Path<SliceId>,
    query: Query<GetSliceMetrics>,
) -> AppResult<Json<SliceMetricList>> {
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
    let wanted = Wanted {
        benchmark: query.benchmark_id,
        run: query.run_id,
    };
    let (slice, rows) = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let (organization, slice) = visible(conn, *id).await?;
            caller.require_in(organization, Role::Viewer, Scope::Read)?;
            Ok((slice.name, of_slice(conn, *id, wanted, limit, offset).await?))
        })
        .await?;
    Ok(Json(SliceMetricList {
        slice,
        total: rows.first().map_or(0, |row| row.total.unsigned_abs()),
        metrics: rows.into_iter().map(metric).collect(),
    }))
}

fn metric(row: Scored) -> SliceMetric {
    let n = row.sample_count.unwrap_or(0).unsigned_abs();
    let ends = row
        .metric_value
        .zip(row.stderr)
        .and_then(|(value, stderr)| reported_ci(value, stderr, Some(n)));
    SliceMetric {
        run_id: row.run_id.into(),
        run_name: row.run_name,
        model_id: row.model_id.into(),
        model_name: row.model_name,
        checkpoint: row.checkpoint_variant,
        benchmark_id: row.benchmark_id.into(),
        benchmark: row.benchmark,
        run_benchmark_id: row.run_benchmark_id.into(),
        metric_name: row.metric_name,
        filter: row.filter,
        metric_value: row.metric_value,
        stderr: row.stderr,
        low: ends.map(|ends| ends.lo),
        high: ends.map(|ends| ends.hi),
        sample_count: row.sample_count,
        higher_is_better: row.higher_is_better,
        overall: row.overall,
        reason: row.reason,
        small: n < SMALL_SLICE,
    }
}

/// Which task of a run.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetRunSlices {
    /// The task; without it the first one that has samples.
    benchmark_id: Option<BenchmarkId>,
    /// The filter of the task.
    filter: Option<String>,
}

/// The slices of one task of a run against each other, with what chance would give.
#[utoipa::path(get, path = "/api/v1/runs/{run_id}/slices", operation_id = "get_run_slices", tag = "runs",
    params(("run_id" = RunId, Path), GetRunSlices),
    responses((status = 200, body = SliceReport), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn get_run_slices(
    state: Data<AppState>,
    caller: Principal,
    id: Path<RunId>,
    query: Query<GetRunSlices>,
) -> AppResult<Json<SliceReport>> {
    let labelled = state
        .db
        .user(&caller, async |conn: &mut Conn| {
            labelled(conn, &caller, *id, &query).await
        })
        .await?;
    let found = actix_web::web::block(move || slicing::report(&labelled))
        .await
        .map_err(AppError::internal)?;
    Ok(Json(found.map_err(AppError::internal)?))
}

fn no_task(benchmark: Option<BenchmarkId>) -> AppError {
    let what = benchmark.map_or_else(
        || "is missing, and the run has no scored samples at all".to_owned(),
        |id| format!("is `{id}`; expected a task that has scored samples in the run"),
    );
    AppError::field("benchmark_id", what)
}

async fn labelled(
    conn: &mut Conn,
    caller: &Principal,
    run: RunId,
    query: &GetRunSlices,
) -> AppResult<Labelled> {
    let row = runs::find(conn, run)
        .await?
        .ok_or_else(|| AppError::not_found("run", run))?;
    let organization = OrganizationId(row.organization_id);
    caller.require_in(organization, Role::Viewer, Scope::Read)?;
    let filter = query.filter.as_deref().map(|text| text.replace('\0', ""));
    let task = task(conn, run, query.benchmark_id, filter.as_deref())
        .await?
        .ok_or_else(|| no_task(query.benchmark_id))?;
    let all = committed(conn, &[task.run_benchmark_id]).await?;
    let metric = slicing::sole(&all, task.run_benchmark_id, task.benchmark_id, &task.filter).cloned();
    Ok(Labelled {
        run,
        samples: samples(conn, &task).await?,
        slices: slices::list(conn, organization).await?,
        metric,
        task,
    })
}
