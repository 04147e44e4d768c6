//! Parts of a resource (RFC 9110, section 14).

use crate::error::{AppError, AppResult};
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use std::ops::Range;

/// The beginning of an answer to a request for all or a part of `size` bytes, and which bytes follow.
///
/// # Errors
/// 416 when there are no such bytes.
pub fn begin(request: &HttpRequest, size: u64) -> AppResult<(HttpResponseBuilder, Range<u64>)> {
    let Some(range) = requested(request, size)? else {
        return Ok(whole(size));
    };
    let mut response = HttpResponse::PartialContent();
    let shown = format!("bytes {}-{}/{size}", range.start, range.end - 1);
    response
        .insert_header((CONTENT_RANGE, shown))
        .insert_header((ACCEPT_RANGES, "bytes"));
    Ok((response, range))
}

/// The beginning of an answer with all of `size` bytes.
pub fn whole(size: u64) -> (HttpResponseBuilder, Range<u64>) {
    let mut response = HttpResponse::Ok();
    response.insert_header((ACCEPT_RANGES, "bytes"));
    (response, 0..size)
}

/// The range that a request asks for; `None` for all of it.
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
