//! `POST /attempts/{attempt_id}/media` and `PUT /attempts/{attempt_id}/media/{sha256}`

use super::files::refused;
use super::token;
use crate::db::Conn;
use crate::db::media;
use crate::error::{AppError, AppResult};
use crate::json;
use crate::media::keep;
use crate::state::AppState;
use actix_web::{HttpRequest, HttpResponse, web};
use types::{MAX_MEDIA_ASKED, MediaHashes, is_sha256};

/// Which of these media are still to be uploaded: those that this organization does not have.
#[utoipa::path(
    post, path = "/api/v1/attempts/{attempt_id}/media",
    tag = "executors", operation_id = "ask_for_media",
    params(("attempt_id" = String, Path)), request_body = MediaHashes,
    responses((status = 200, body = MediaHashes), (status = 401, body = types::Problem))
)]
pub async fn ask_for_media(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> AppResult<web::Json<MediaHashes>> {
    let executor = token::executor(&state, &token::Caller::of(request.headers(), &path)?).await?;
    let asked: MediaHashes = json::read(body).await?;
    if asked.sha256.len() > MAX_MEDIA_ASKED {
        let n = asked.sha256.len();
        return Err(AppError::field(
            "sha256",
            format!("has {n} entries; expected at most {MAX_MEDIA_ASKED}"),
        ));
    }
    if let Some(odd) = asked.sha256.iter().find(|hash| !is_sha256(hash)) {
        return Err(bad_hash(odd));
    }
    let sha256 = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            Ok(media::missing(conn, executor.organization_id, asked.sha256).await?)
        })
        .await?;
    Ok(web::Json(MediaHashes { sha256 }))
}

/// Store a medium under its hash. The same one again changes nothing.
#[utoipa::path(
    put, path = "/api/v1/attempts/{attempt_id}/media/{sha256}",
    tag = "executors", operation_id = "put_medium",
    params(("attempt_id" = String, Path), ("sha256" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 409, body = types::Problem), (status = 413, body = types::Problem))
)]
pub async fn put_medium(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> AppResult<HttpResponse> {
    let (id, sha256) = path.into_inner();
    let executor = token::executor(&state, &token::Caller::of(request.headers(), &id)?).await?;
    if !is_sha256(&sha256) {
        return Err(bad_hash(&sha256));
    }
    if executor.state().is_terminal() {
        return Err(AppError::Conflict(format!("attempt `{id}` is over")));
    }
    let limit = state.config.media.max_file_mb.saturating_mul(1 << 20);
    let stored = state
        .store
        .put_content(body, limit, Some(&sha256))
        .await
        .map_err(refused)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            keep(conn, &state.store, executor.organization_id, &stored)
                .await
                .map_err(AppError::internal)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn bad_hash(text: &str) -> AppError {
    let shown: String = text.chars().take(80).collect();
    AppError::field(
        "sha256",
        format!("is `{shown}`; expected 64 hex digits in lower case"),
    )
}
