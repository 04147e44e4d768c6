//! `GET /runs/{run_id}`

use super::list::name_creators;
use super::{access, totals};
use crate::auth::Principal;
use crate::db::run_benchmarks::{self, Live};
use crate::db::{Conn, attempts, events, metrics, planning, runs};
use crate::error::{AppError, AppResult};
use crate::plan::Resolved;
use crate::state::AppState;
use actix_web::web;
use types::{ApiModelRef, RunConfig, RunDetail, RunId};

/// Everything about one run.
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}",
    tag = "runs", operation_id = "get_run",
    params(("run_id" = String, Path)),
    responses((status = 200, body = RunDetail), (status = 404, body = types::Problem))
)]
pub async fn get_run(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
) -> AppResult<web::Json<RunDetail>> {
    let id = access::run_id(&path)?;
    let mut found = state
        .db
        .user(&principal, async |conn: &mut Conn| detail(conn, id).await)
        .await?;
    name_creators(&state, std::iter::once(&mut found.summary)).await?;
    Ok(web::Json(found))
}

/// The whole of a run, as the caller may see it.
///
/// # Errors
/// 404 when there is none for the caller.
pub(super) async fn detail(conn: &mut Conn, id: RunId) -> AppResult<RunDetail> {
    // First: a run that is over here has nothing left to change in what is read after it.
    let summary = runs::summary(conn, id)
        .await?
        .ok_or_else(|| AppError::not_found("run", id))?;
    let run = access::visible(conn, id).await?;
    let (model_name, backend, model_source) = runs::model_of(conn, run.model_id).await?;
    let resolved: Resolved = serde_json::from_value(run.plan["resolved"].clone()).unwrap_or_default();
    let rows = attempts::of_run(conn, id).await?;
    let scores = metrics::of_run(conn, id, None).await?;
    let model = ApiModelRef {
        id: run.model_id.into(),
        name: model_name,
        backend,
        checkpoint_variant: run.checkpoint_variant.clone(),
        source: resolved.source.or(model_source),
    };
    let config: RunConfig = serde_json::from_value(run.config.clone()).unwrap_or_default();
    let mut benchmarks = run_benchmarks::views(conn, id, &Live::of(&run.live)).await?;
    let leaves: Vec<String> = benchmarks.iter().flat_map(|b| b.leaf_tasks.clone()).collect();
    let sizes = planning::leaf_samples(conn, &leaves).await?;
    let sizes = sizes
        .into_iter()
        .filter_map(|(name, n)| Some((name, u64::try_from(n?).ok()?)));
    totals::fill(&mut benchmarks, &scores, &sizes.collect(), &config);
    Ok(RunDetail {
        model,
        config,
        benchmarks,
        environment: rows.last().map(|a| a.environment.clone()).unwrap_or_default(),
        attempts: rows.into_iter().map(Into::into).collect(),
        metrics_snapshot: metrics::snapshot(&scores),
        commands: serde_json::from_value(run.plan["commands"].clone()).unwrap_or_default(),
        timeline: events::timeline(conn, id.0).await?,
        summary,
    })
}
