//! The raw bytes of an attempt's output, put together from its chunks.

use super::access;
use crate::auth::Principal;
use crate::db::artifacts::{self, Chunk};
use crate::db::{Conn, attempts};
use crate::error::{AppError, AppResult};
use crate::serving;
use crate::state::AppState;
use crate::store::Store;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use std::ops::Range;
use types::{LogStream, RunId};
use uuid::Uuid;

/// The bytes of one output of an attempt; the last attempt when none is named.
///
/// # Errors
/// 404 when there is no such attempt for the caller, 416 when the range is not in it.
pub(super) async fn answer(
    state: &AppState,
    principal: &Principal,
    request: &HttpRequest,
    id: RunId,
    stream: LogStream,
    attempt: Option<i32>,
) -> AppResult<HttpResponse> {
    let (found, size) = state
        .db
        .user(principal, async |conn: &mut Conn| -> AppResult<_> {
            access::visible(conn, id).await?;
            let all = attempts::of_run(conn, id).await?;
            let wanted = |a: &&attempts::AttemptRow| attempt.is_none_or(|n| a.epoch == n);
            let Some(found) = all.iter().rfind(wanted).map(|a| a.id) else {
                return Ok((None, 0));
            };
            let size = artifacts::stored_bytes(conn, found, stream).await?;
            Ok((Some(found), u64::try_from(size).unwrap_or(0)))
        })
        .await?;
    match (found, attempt) {
        (Some(found), _) => respond(state, request, found, stream, size).await,
        // A run that has not begun has said nothing yet.
        (None, None) => Ok(HttpResponse::Ok()
            .content_type("application/octet-stream")
            .finish()),
        (None, Some(n)) => Err(AppError::not_found("attempt", n)),
    }
}

async fn respond(
    state: &AppState,
    request: &HttpRequest,
    attempt: Uuid,
    stream: LogStream,
    size: u64,
) -> AppResult<HttpResponse> {
    let (mut response, wanted) = serving::begin(request, size)?;
    let body = bytes(state, attempt, stream, wanted.clone()).await?;
    response
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .content_type("application/octet-stream");
    Ok(response.no_chunking(wanted.end - wanted.start).streaming(body))
}

/// The bytes of a range of an output, chunk by chunk.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn bytes(
    state: &AppState,
    attempt: Uuid,
    output: LogStream,
    range: Range<u64>,
) -> AppResult<impl Stream<Item = Result<Bytes, actix_web::Error>> + use<>> {
    let bound = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let chunks = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            Ok(artifacts::chunks(conn, attempt, output, bound(range.start), bound(range.end)).await?)
        })
        .await?;
    let store = state.store.clone();
    let parts = stream::iter(chunks).then(move |chunk| part(store.clone(), chunk, range.clone()));
    Ok(parts.try_flatten().map_err(actix_web::Error::from))
}

/// The part of one chunk that lies in the range.
async fn part(
    store: Store,
    chunk: Chunk,
    range: Range<u64>,
) -> Result<impl Stream<Item = Result<Bytes, AppError>>, AppError> {
    let offset = u64::try_from(chunk.offset).unwrap_or(0);
    let end = offset + u64::try_from(chunk.length).unwrap_or(0);
    let within = range.start.max(offset) - offset..range.end.min(end) - offset;
    let stream = store
        .read(&chunk.object_key, Some(within))
        .await
        .map_err(AppError::internal)?;
    Ok(stream.map_err(AppError::internal))
}
