//! `GET /runs/{run_id}/artifacts`

use super::access;
use super::download::signed_url;
use crate::auth::Principal;
use crate::db::Conn;
use crate::db::artifacts::{self, ArtifactRow};
use crate::error::AppResult;
use crate::state::AppState;
use actix_web::web;
use types::{ArtifactList, ArtifactType, ArtifactView};

/// The files of a run, each with a short-lived address.
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}/artifacts",
    tag = "runs", operation_id = "list_run_artifacts",
    params(("run_id" = String, Path)),
    responses((status = 200, body = ArtifactList))
)]
pub async fn list_run_artifacts(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
) -> AppResult<web::Json<ArtifactList>> {
    let id = access::run_id(&path)?;
    let rows = state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            access::visible(conn, id).await?;
            Ok(artifacts::of_run(conn, id).await?)
        })
        .await?;
    let artifacts = rows.into_iter().map(|row| view_of(&state, row)).collect();
    Ok(web::Json(ArtifactList { artifacts }))
}

fn view_of(state: &AppState, row: ArtifactRow) -> ArtifactView {
    let ArtifactRow {
        id,
        run_id: _,
        attempt_id,
        run_benchmark_id,
        artifact_type,
        name,
        file_path: _,
        file_size,
        sha256,
        created_at,
    } = row;
    ArtifactView {
        id: id.into(),
        artifact_type: artifact_type.parse().unwrap_or(ArtifactType::Predictions),
        name,
        file_size,
        sha256,
        attempt_id: attempt_id.map(Into::into),
        run_benchmark_id: run_benchmark_id.map(Into::into),
        created_at,
        url: signed_url(state, id.into()),
    }
}
