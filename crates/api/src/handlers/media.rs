//! `GET /media/{organization_id}/{sha256}`: a medium, to whoever holds its signed address.
//!
//! Outside of the API: no cookie and no header of the caller says who they are, and nothing in the
//! answer can be run. What is not of a type that is shown is a file to save.

use crate::db::Conn;
use crate::db::media::{self, MediumRow};
use crate::error::{AppError, AppResult};
use crate::media::{Address, MAX_THUMBNAIL_SOURCE, Purpose, Signed, sniff};
use crate::serving;
use crate::state::AppState;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, IF_NONE_MATCH, IF_RANGE,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use chrono::Utc;
use futures_util::{TryStreamExt, stream};
use types::{MediaKind, is_sha256};
use uuid::Uuid;

/// Characters of the hash that name a saved file.
const NAME: usize = 16;

/// A medium and what its address was made for.
struct Asked<'a> {
    address: Address<'a>,
    row: MediumRow,
    purpose: Purpose,
    expires: i64,
}

/// A medium of samples, as a whole or in part. The address comes with the samples and needs no sign-in.
#[utoipa::path(
    get, path = "/media/{organization_id}/{sha256}",
    tag = "runs", operation_id = "get_medium", security(()),
    params(("organization_id" = String, Path), ("sha256" = String, Path), Signed),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 304),
        (status = 403, body = types::Problem),
        (status = 416, body = types::Problem),
    )
)]
pub async fn get_medium(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    signed: web::Query<Signed>,
) -> AppResult<HttpResponse> {
    let (organization, sha256) = path.into_inner();
    let refuse = || AppError::Forbidden("the address is not valid, or no longer".to_owned());
    let organization: Uuid = organization.parse().map_err(|_| refuse())?;
    let address = Address {
        organization,
        sha256: &sha256,
    };
    let purpose = address
        .verify(&state.keys.sealing, &signed, Utc::now())
        .filter(|_| is_sha256(&sha256))
        .ok_or_else(refuse)?;
    let row = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            Ok(media::find(conn, organization, &sha256).await?)
        })
        .await?
        .ok_or_else(|| AppError::not_found("medium", &sha256))?;
    let asked = Asked {
        address,
        row,
        purpose,
        expires: signed.expires(),
    };
    asked.answer(&state, &request).await
}

impl Asked<'_> {
    async fn answer(&self, state: &AppState, request: &HttpRequest) -> AppResult<HttpResponse> {
        let tag = format!("\"{}-{}\"", self.address.sha256, self.purpose.as_str());
        if header(request, &IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|t| t.trim() == tag)) {
            let mut response = HttpResponse::NotModified();
            self.describe(&mut response, &tag);
            return Ok(response.finish());
        }
        if self.purpose == Purpose::Thumbnail {
            return self.thumbnail(state, &tag).await;
        }
        self.content(state, request, &tag).await
    }

    async fn content(&self, state: &AppState, request: &HttpRequest, tag: &str) -> AppResult<HttpResponse> {
        let size = u64::try_from(self.row.bytes).unwrap_or(0);
        // A part of what was another content would be a wrong part.
        let whole = header(request, &IF_RANGE).is_some_and(|known| known != tag);
        let (mut response, wanted) = if whole {
            serving::whole(size)
        } else {
            serving::begin(request, size)?
        };
        self.describe(&mut response, tag);
        self.name(&mut response);
        let length = wanted.end - wanted.start;
        if length == 0 {
            return Ok(response.finish());
        }
        let body = state.store.read(&self.row.object_key, Some(wanted)).await;
        let body = body.map_err(AppError::internal)?;
        let body = body.map_err(|e| actix_web::Error::from(AppError::internal(e)));
        Ok(response.no_chunking(length).streaming(body))
    }

    /// Only what is shown is served as what it is.
    fn name(&self, response: &mut HttpResponseBuilder) {
        let shown = self.purpose == Purpose::View
            && self.row.problem.is_none()
            && self.row.kind != MediaKind::Other.as_str();
        let extension = self.row.mime.rsplit('/').next().unwrap_or("bin");
        let extension = match extension {
            "octet-stream" => "bin",
            "jpeg" => "jpg",
            "mpeg" => "mp3",
            "x-msvideo" => "avi",
            other => other,
        };
        let name = format!("{}.{extension}", &self.address.sha256[..NAME]);
        if shown {
            response
                .insert_header((CONTENT_TYPE, self.row.mime.as_str()))
                .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")));
        } else {
            response
                .insert_header((CONTENT_TYPE, "application/octet-stream"))
                .insert_header((CONTENT_DISPOSITION, serving::attachment(&name)));
        }
    }

    /// What holds for every answer: it is nobody's page, and a private cache may keep it for as
    /// long as the address works, for its content never changes.
    fn describe(&self, response: &mut HttpResponseBuilder, tag: &str) {
        let left = self.expires.saturating_sub(Utc::now().timestamp()).max(0);
        response
            .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
            .insert_header(("X-Content-Type-Options", "nosniff"))
            .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
            .insert_header((CACHE_CONTROL, format!("private, max-age={left}, immutable")))
            .insert_header((ETAG, tag));
    }

    async fn thumbnail(&self, state: &AppState, tag: &str) -> AppResult<HttpResponse> {
        let bytes = match &self.row.thumbnail_key {
            Some(key) => state
                .store
                .read_small(key, MAX_THUMBNAIL_SOURCE)
                .await
                .map_err(AppError::internal)?,
            None => self.make_thumbnail(state).await?,
        };
        let bytes = bytes.ok_or_else(|| AppError::not_found("thumbnail", self.address.sha256))?;
        let mut response = HttpResponse::Ok();
        self.describe(&mut response, tag);
        response
            .insert_header((CONTENT_TYPE, sniff(&bytes).mime))
            .insert_header((ACCEPT_RANGES, "none"));
        Ok(response.body(bytes))
    }

    /// Makes the small picture and keeps it, or why there is none, so that it is tried once.
    async fn make_thumbnail(&self, state: &AppState) -> AppResult<Option<Bytes>> {
        let is_image = self.row.kind == MediaKind::Image.as_str() && self.row.problem.is_none();
        if !is_image || self.row.thumbnail_problem.is_some() {
            return Ok(None);
        }
        let source = state
            .store
            .read_small(&self.row.object_key, MAX_THUMBNAIL_SOURCE)
            .await;
        let made = match source.map_err(AppError::internal)? {
            Some(source) => state.thumbnails.make(source).await.map_err(|e| e.to_string()),
            None => Err(format!("it has more than {} MB", MAX_THUMBNAIL_SOURCE >> 20)),
        };
        let (bytes, noted) = match made {
            Ok(made) => {
                let limit = made.len() as u64;
                let bytes = Bytes::from(made);
                let content = stream::iter([Ok::<_, std::io::Error>(bytes.clone())]);
                let stored = state.store.put_content(content, limit, None).await;
                (Some(bytes), Ok(stored.map_err(AppError::internal)?.key))
            }
            Err(problem) => (None, Err(problem)),
        };
        let Address { organization, sha256 } = self.address;
        state
            .db
            .service(async |conn: &mut Conn| -> AppResult<_> {
                Ok(media::set_thumbnail(conn, organization, sha256, noted).await?)
            })
            .await?;
        Ok(bytes)
    }
}

fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}
