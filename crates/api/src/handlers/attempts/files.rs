//! `PUT /attempts/{attempt_id}/files/{name}`

use super::token;
use crate::db::Conn;
use crate::db::artifacts;
use crate::db::attempts::{self, ExecutorRow};
use crate::error::{AppError, AppResult};
use crate::ingest::files::{Place, register};
use crate::state::AppState;
use crate::store::StoreError;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use types::{LogStream, MAX_LOG_CHUNK};

/// Where the bytes belong, or what they hash to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PutFile {
    /// Of a log: where this chunk begins.
    offset: Option<u64>,
    /// Of a file: the hash of its content.
    sha256: Option<String>,
}

/// Store a chunk of `stdout.log` or `stderr.log`, or a file below `out/<order>/`.
#[utoipa::path(
    put, path = "/api/v1/attempts/{attempt_id}/files/{name}",
    tag = "executors", operation_id = "put_file",
    params(("attempt_id" = String, Path), ("name" = String, Path), PutFile),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200), (status = 409), (status = 413, body = types::Problem))
)]
pub async fn put_file(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> AppResult<HttpResponse> {
    let (id, name) = path.into_inner();
    let executor = token::executor(&state, &token::Caller::of(request.headers(), &id)?).await?;
    // Read here, not by an extractor: only an executor is told what is wrong with it.
    let query = web::Query::<PutFile>::from_query(request.query_string())
        .map_err(|e| AppError::field("query", e.to_string()))?;
    if executor.state().is_terminal() {
        return Err(AppError::Conflict(format!("attempt `{id}` is over")));
    }
    if let Some(stream) = log_of(&name) {
        let offset = query
            .offset
            .ok_or_else(|| AppError::field("offset", "is missing; expected where the chunk begins"))?;
        let bytes = chunk_of(body).await?;
        return put_chunk(&state, &executor, stream, offset, bytes).await;
    }
    let place = Place::parse(&name).ok_or_else(|| {
        AppError::field(
            "name",
            format!("is `{name}`; expected `stdout.log`, `stderr.log` or `out/<order>/<path>`"),
        )
    })?;
    let limit = state.config.storage.max_upload_mb.saturating_mul(1 << 20);
    let stored = state
        .store
        .put_content(body, limit, query.sha256.as_deref())
        .await
        .map_err(refused)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            Ok(register(conn, &owner_of(&executor), &place, &stored).await?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "sha256": stored.sha256, "size": stored.size })))
}

fn owner_of(executor: &ExecutorRow) -> crate::ingest::files::Owner {
    crate::ingest::files::Owner {
        organization: executor.organization_id,
        run: executor.run_id,
        attempt: executor.id,
    }
}

fn log_of(name: &str) -> Option<LogStream> {
    match name {
        "stdout.log" => Some(LogStream::Stdout),
        "stderr.log" => Some(LogStream::Stderr),
        _ => None,
    }
}

pub(super) fn refused(error: StoreError) -> AppError {
    match error {
        StoreError::TooLarge(_) => AppError::TooLarge(format!("the file {error}")),
        StoreError::Hash { .. } => AppError::field("sha256", error.to_string()),
        StoreError::Upload(_) => AppError::Malformed(error.to_string()),
        StoreError::Store(_) | StoreError::Folder(_) => AppError::internal(error),
    }
}

async fn chunk_of(body: web::Payload) -> AppResult<Bytes> {
    match body.to_bytes_limited(MAX_LOG_CHUNK).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(AppError::Malformed(format!("the upload ended early: {error}"))),
        Err(_) => Err(AppError::TooLarge(format!(
            "a chunk has at most {MAX_LOG_CHUNK} bytes"
        ))),
    }
}

/// Appends a chunk. What is known already is left out; a gap is answered with where it begins.
async fn put_chunk(
    state: &AppState,
    executor: &ExecutorRow,
    stream: LogStream,
    offset: u64,
    bytes: Bytes,
) -> AppResult<HttpResponse> {
    state
        .db
        .service(async |conn: &mut Conn| {
            // Two reporters of one attempt take turns.
            attempts::take_turn(conn, executor.id.into()).await?;
            append_chunk(conn, state, executor, stream, offset, bytes).await
        })
        .await
}

async fn append_chunk(
    conn: &mut Conn,
    state: &AppState,
    executor: &ExecutorRow,
    stream: LogStream,
    offset: u64,
    bytes: Bytes,
) -> AppResult<HttpResponse> {
    let stored = artifacts::stored_bytes(conn, executor.id, stream).await?;
    let stored = u64::try_from(stored).unwrap_or(0);
    if offset > stored {
        return Ok(HttpResponse::Conflict().json(json!({ "offset": stored })));
    }
    let known = usize::try_from(stored - offset)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let new = bytes.slice(known..);
    if new.is_empty() {
        return Ok(HttpResponse::Ok().json(json!({ "offset": stored })));
    }
    let end = store_chunk(conn, state, executor, stream, stored, new).await?;
    Ok(HttpResponse::Ok().json(json!({ "offset": end })))
}

async fn store_chunk(
    conn: &mut Conn,
    state: &AppState,
    executor: &ExecutorRow,
    stream: LogStream,
    at: u64,
    bytes: Bytes,
) -> AppResult<u64> {
    crate::ingest::files::append_log(conn, &state.store, &owner_of(executor), stream, at, bytes)
        .await
        .map_err(AppError::internal)
}
