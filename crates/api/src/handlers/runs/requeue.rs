//! `POST /runs/{run_id}/requeue`

use super::{access, create::queued_event};
use crate::auth::Principal;
use crate::db::events::append;
use crate::db::{Conn, progress, run_benchmarks, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web;
use serde_json::Value;
use types::{RequeueAnswer, RunId, RunStatus};

/// Put a run that is over back into the queue, for all its benchmarks that are not completed.
#[utoipa::path(
    post, path = "/api/v1/runs/{run_id}/requeue",
    tag = "runs", operation_id = "requeue_run",
    params(("run_id" = String, Path)),
    responses((status = 200, body = RequeueAnswer), (status = 409, body = types::Problem))
)]
pub async fn requeue_run(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
) -> AppResult<web::Json<RequeueAnswer>> {
    let id = access::run_id(&path)?;
    access::changeable(&state, &principal, id).await?;
    let actor = principal.actor();
    state
        .db
        .service(async |conn: &mut Conn| requeue(conn, id, &actor).await.map(web::Json))
        .await
}

async fn requeue(conn: &mut Conn, id: RunId, actor: &Value) -> AppResult<RequeueAnswer> {
    let run = runs::lock(conn, id)
        .await?
        .ok_or_else(|| AppError::not_found("run", id))?;
    if !run.status().is_terminal() {
        return Err(AppError::Conflict(format!(
            "run `{id}` is {}, not over",
            run.status()
        )));
    }
    let benchmarks = run_benchmarks::reset_unfinished(conn, id.0).await?;
    if benchmarks.is_empty() {
        return Err(AppError::Conflict(format!(
            "every benchmark of run `{id}` is completed"
        )));
    }
    let percent = progress::committed(run.completed_tasks, run.total_tasks);
    runs::requeue(conn, id, percent).await?;
    append(conn, id.0, vec![queued_event()]).await?;
    runs::audit(conn, run.organization_id, actor, "run.requeue", id).await?;
    runs::notify_work(conn).await?;
    Ok(RequeueAnswer {
        status: RunStatus::Queued,
        benchmarks,
    })
}
