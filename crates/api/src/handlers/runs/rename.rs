//! `PATCH /runs/{run_id}`

use super::{access, detail::detail};
use crate::auth::Principal;
use crate::db::{Conn, runs};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::web;
use serde::Deserialize;
use types::{RunDetail, check_name};

/// Changes a run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameRun {
    /// Its new name.
    name: String,
}

/// Change the name of a run.
#[utoipa::path(
    patch, path = "/api/v1/runs/{run_id}",
    tag = "runs", operation_id = "rename_run",
    params(("run_id" = String, Path)), request_body = RenameRun,
    responses((status = 200, body = RunDetail), (status = 422, body = types::Problem))
)]
pub async fn rename_run(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
    body: Json<RenameRun>,
) -> AppResult<web::Json<RunDetail>> {
    let id = access::run_id(&path)?;
    access::changeable(&state, &principal, id).await?;
    let wanted = body.accept()?;
    let name = check_name(&wanted.name).map_err(|e| AppError::field("name", e.to_string()))?;
    state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            if !runs::rename(conn, id, name).await? {
                return Err(AppError::not_found("run", id));
            }
            detail(conn, id).await.map(web::Json)
        })
        .await
}
