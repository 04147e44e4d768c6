//! The raw bytes of an attempt's output, put together from its chunks.

use super::access;
use crate::auth::Principal;
use crate::db::artifacts::{self, Chunk};
use crate::db::{Conn, attempts};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use crate::store::Store;
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
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
    let range = requested(request, size)?;
    let wanted = range.clone().unwrap_or(0..size);
    let body = bytes(state, attempt, stream, wanted.clone()).await?;
    let mut response = match &range {
        Some(r) => {
            let mut partial = HttpResponse::PartialContent();
            partial.insert_header((CONTENT_RANGE, format!("bytes {}-{}/{size}", r.start, r.end - 1)));
            partial
        }
        None => HttpResponse::Ok(),
    };
    response
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .content_type("application/octet-stream");
    Ok(response.no_chunking(wanted.end - wanted.start).streaming(body))
}

fn requested(request: &HttpRequest, size: u64) -> AppResult<Option<Range<u64>>> {
    let Some(header) = request.headers().get(RANGE).and_then(|h| h.to_str().ok()) else {
        return Ok(None);
    };
    range_of(header, size)
        .map_err(|()| AppError::Range(format!("`{header}` is not within the {size} bytes there are")))
}

/// One range of bytes; several, or another unit, are answered with the whole, as HTTP allows.
fn range_of(header: &str, size: u64) -> Result<Option<Range<u64>>, ()> {
    let Some(spec) = header.strip_prefix("bytes=").filter(|s| !s.contains(',')) else {
        return Ok(None);
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Ok(None);
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) => first..size.min(last.saturating_add(1)),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(suffix)) if first.is_empty() => size.saturating_sub(suffix)..size,
        _ => return Ok(None),
    };
    if range.start >= range.end {
        Err(())
    } else {
        Ok(Some(range))
    }
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

#[cfg(test)]
mod tests {
    use super::range_of;

    #[test]
    fn ranges_are_read_as_http_says() {
        assert_eq!(range_of("bytes=0-9", 100), Ok(Some(0..10)));
        assert_eq!(range_of("bytes=90-", 100), Ok(Some(90..100)));
        assert_eq!(range_of("bytes=-10", 100), Ok(Some(90..100)));
        assert_eq!(range_of("bytes=50-999", 100), Ok(Some(50..100)));
        assert_eq!(range_of("bytes=100-", 100), Err(()));
        assert_eq!(range_of("bytes=-5", 0), Err(()));
        assert_eq!(range_of("bytes=1-2,4-5", 100), Ok(None));
        assert_eq!(range_of("lines=1-2", 100), Ok(None));
    }
}
