//! `POST /runs/{run_id}/cancel`

use super::access;
use crate::auth::Principal;
use crate::db::events::append;
use crate::db::{Conn, run_benchmarks, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde_json::Value;
use types::{CancelAnswer, LiveEvent, RunId, RunStatus, StatusEvent};

/// Stop a run. 200 when it was waiting; 202 when its processes are being stopped.
#[utoipa::path(
    post, path = "/api/v1/runs/{run_id}/cancel",
    tag = "runs", operation_id = "cancel_run",
    params(("run_id" = String, Path)),
    responses((status = 200, body = CancelAnswer), (status = 202, body = CancelAnswer), (status = 409, body = types::Problem))
)]
pub async fn cancel_run(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
) -> AppResult<HttpResponse> {
    let id = access::run_id(&path)?;
    access::changeable(&state, &principal, id).await?;
    let actor = principal.actor();
    state
        .db
        .service(async |conn: &mut Conn| cancel(conn, id, &actor).await)
        .await
}

async fn cancel(conn: &mut Conn, id: RunId, actor: &Value) -> AppResult<HttpResponse> {
    let run = runs::lock(conn, id)
        .await?
        .ok_or_else(|| AppError::not_found("run", id))?;
    if run.status().is_terminal() {
        return Err(AppError::Conflict(format!(
            "run `{id}` is already {}",
            run.status()
        )));
    }
    if runs::cancel_queued(conn, id, actor).await? {
        run_benchmarks::cancel_unfinished(conn, id.0).await?;
        append(conn, id.0, vec![event(RunStatus::Cancelled, false)]).await?;
        runs::audit(conn, run.organization_id, actor, "run.cancel", id).await?;
        return Ok(HttpResponse::Ok().json(CancelAnswer {
            status: RunStatus::Cancelled,
            cancelling: false,
        }));
    }
    if runs::request_cancel(conn, id, actor).await? {
        append(conn, id.0, vec![event(RunStatus::Running, true)]).await?;
        runs::audit(conn, run.organization_id, actor, "run.cancel", id).await?;
        runs::notify_work(conn).await?;
    }
    Ok(HttpResponse::Accepted().json(CancelAnswer {
        status: RunStatus::Running,
        cancelling: true,
    }))
}

fn event(status: RunStatus, cancelling: bool) -> crate::db::events::NewEvent {
    LiveEvent::Status(StatusEvent {
        at: Some(Utc::now()),
        status: Some(status),
        cancelling,
        reason: Some("a user asked to stop it".to_owned()),
        ..StatusEvent::default()
    })
    .into()
}
