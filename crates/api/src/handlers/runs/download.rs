//! `GET /artifacts/{artifact_id}`: the content of a file, to whoever holds its signed address.

use super::raw;
use crate::db::Conn;
use crate::db::artifacts::{self, ArtifactRow};
use crate::error::{AppError, AppResult};
use crate::serving::attachment;
use crate::state::AppState;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use chrono::Utc;
use futures_util::TryStreamExt;
use serde::Deserialize;
use types::{ArtifactId, LogStream};

/// The signature of an address.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Signed {
    /// Seconds since 1970 when it stops working.
    expires: i64,
    /// Of id and expiry.
    signature: String,
}

fn message(id: ArtifactId, expires: i64) -> String {
    format!("artifact/{id}/{expires}")
}

/// A short-lived address of a file's content, relative to the server.
pub fn signed_url(state: &AppState, id: ArtifactId) -> String {
    let lifetime = state.config.storage.signed_url_lifetime.as_secs();
    let expires = Utc::now().timestamp().saturating_add_unsigned(lifetime);
    let signature = state.keys.sealing.sign(&message(id, expires));
    format!("/api/v1/artifacts/{id}?expires={expires}&signature={signature}")
}

/// The content of a file. The address is made by `list_run_artifacts` and needs no sign-in.
#[utoipa::path(
    get, path = "/api/v1/artifacts/{artifact_id}",
    tag = "runs", operation_id = "download_artifact", security(()),
    params(("artifact_id" = String, Path), Signed),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 403, body = types::Problem))
)]
pub async fn download_artifact(
    state: web::Data<AppState>,
    path: web::Path<String>,
    query: web::Query<Signed>,
) -> AppResult<HttpResponse> {
    let id: ArtifactId = path
        .parse()
        .map_err(|_| AppError::not_found("artifact", &*path))?;
    let valid = state
        .keys
        .sealing
        .verifies(&message(id, query.expires), &query.signature);
    if !valid || query.expires < Utc::now().timestamp() {
        return Err(AppError::Forbidden(
            "the address is not valid, or no longer".to_owned(),
        ));
    }
    let row = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(artifacts::find(conn, id).await?) })
        .await?
        .ok_or_else(|| AppError::not_found("artifact", id))?;
    content(&state, row).await
}

/// Model output is hostile: the browser saves it and never shows it as a page of ours.
async fn content(state: &AppState, row: ArtifactRow) -> AppResult<HttpResponse> {
    let size = u64::try_from(row.file_size).unwrap_or(0);
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CONTENT_DISPOSITION, attachment(&row.name)))
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Cache-Control", "private, no-store"));
    if let Some(stream) = row.file_path.strip_prefix(artifacts::CHUNKED) {
        let stream: LogStream = stream.parse().map_err(AppError::internal)?;
        let attempt = row
            .attempt_id
            .ok_or_else(|| AppError::not_found("artifact", row.id))?;
        let body = raw::bytes(state, attempt, stream, 0..size).await?;
        return Ok(response.no_chunking(size).streaming(body));
    }
    let body = state
        .store
        .read(&row.file_path, None)
        .await
        .map_err(AppError::internal)?;
    let body = body.map_err(|e| actix_web::Error::from(AppError::internal(e)));
    Ok(response.no_chunking(size).streaming(body))
}
