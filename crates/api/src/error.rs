//! What a request is answered when it fails: one closed enum, turned into an RFC 9457 problem here.
//!
//! What the client may read and what the log needs are kept apart: `Internal` and database errors
//! say nothing but the request's id to the client, and are logged once with their sources.

use crate::db;
use actix_web::http::{StatusCode, header::ContentType};
use actix_web::{HttpResponse, ResponseError};
use std::fmt;
use types::{FieldError, Problem};

/// After how many seconds a client may try again when something is not there now.
const RETRY_AFTER: &str = "2";
const UNAVAILABLE: (&str, &str, StatusCode) = (
    "unavailable",
    "Not available now",
    StatusCode::SERVICE_UNAVAILABLE,
);

/// Why a request failed.
#[derive(Debug)]
pub enum AppError {
    /// Fields are wrong (422).
    Validation(Vec<FieldError>),
    /// The request cannot be read (400).
    Malformed(String),
    /// Nobody, or somebody unknown, is asking (401).
    Unauthorized(String),
    /// The caller may not do this (403).
    Forbidden(String),
    /// There is no such thing, as far as the caller may know (404).
    NotFound {
        /// What kind of thing, e.g. `run`.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// There is no such route, or not with this method.
    NoRoute(StatusCode),
    /// The thing is in the wrong state (409).
    Conflict(String),
    /// The caller is a member of several organizations and has named none (400).
    OrganizationRequired(String),
    /// The body is too large (413).
    TooLarge(String),
    /// The range cannot be served (416).
    Range(String),
    /// Too many requests (429).
    TooMany(String),
    /// Something that is needed is not there now (503).
    Unavailable(String),
    /// The database failed.
    Db(db::Error),
    /// Anything that should not happen (500).
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a handler.
pub type AppResult<T> = Result<T, AppError>;

impl AppError {
    /// One field that is wrong.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Validation(vec![FieldError::new(field, message)])
    }

    /// There is no such thing.
    pub fn not_found(what: &'static str, id: impl fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    /// The same, or a conflict of this text when something like it is there already.
    #[must_use]
    pub fn or_taken(self, text: impl FnOnce() -> String) -> Self {
        match self {
            Self::Db(db) if db.is_duplicate() => Self::Conflict(text()),
            other => other,
        }
    }

    /// Something that should not happen.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// Slug, title and status.
    fn class(&self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Validation(_) => (
                "validation",
                "Some fields are wrong",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            Self::Malformed(_) => ("malformed", "The request cannot be read", StatusCode::BAD_REQUEST),
            Self::Unauthorized(_) => ("unauthorized", "Sign in first", StatusCode::UNAUTHORIZED),
            Self::Forbidden(_) => ("forbidden", "You may not do this", StatusCode::FORBIDDEN),
            Self::NotFound { .. } => ("not-found", "There is no such thing", StatusCode::NOT_FOUND),
            Self::NoRoute(StatusCode::METHOD_NOT_ALLOWED) => (
                "method-not-allowed",
                "Not with this method",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            Self::NoRoute(_) => ("not-found", "There is no such thing", StatusCode::NOT_FOUND),
            Self::Conflict(_) => ("conflict", "Not in this state", StatusCode::CONFLICT),
            Self::OrganizationRequired(_) => (
                "organization-required",
                "Name an organization",
                StatusCode::BAD_REQUEST,
            ),
            Self::TooLarge(_) => (
                "too-large",
                "The body is too large",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            Self::Range(_) => (
                "range",
                "The range cannot be served",
                StatusCode::RANGE_NOT_SATISFIABLE,
            ),
            Self::TooMany(_) => ("too-many", "Too many requests", StatusCode::TOO_MANY_REQUESTS),
            Self::Unavailable(_) => UNAVAILABLE,
            Self::Db(error) if error.is_unavailable() => UNAVAILABLE,
            Self::Db(_) | Self::Internal(_) => (
                "internal",
                "Something went wrong here",
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Malformed(text)
            | Self::Unauthorized(text)
            | Self::Forbidden(text)
            | Self::Conflict(text)
            | Self::OrganizationRequired(text)
            | Self::TooLarge(text)
            | Self::Range(text)
            | Self::TooMany(text)
            | Self::Unavailable(text) => Some(text.clone()),
            Self::NotFound { what, id } => Some(format!("there is no {what} `{id}`")),
            Self::Validation(errors) => errors.first().map(|e| format!("`{}` {}", e.field, e.message)),
            Self::Db(error) if error.is_unavailable() => Some("the database does not answer".to_owned()),
            Self::NoRoute(_) | Self::Db(_) | Self::Internal(_) => None,
        }
    }

    /// What the client reads.
    pub fn problem(&self) -> Problem {
        let (slug, title, status) = self.class();
        Problem {
            kind: format!("/problems/{slug}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail(),
            errors: match self {
                Self::Validation(errors) => errors.clone(),
                _ => Vec::new(),
            },
            request_id: crate::request_id::current(),
        }
    }

    fn log(&self) {
        match self {
            Self::Db(error) => tracing::error!(error = %chain(error), "database error"),
            Self::Internal(error) => tracing::error!(error = %chain(error.as_ref()), "internal error"),
            other => tracing::debug!(problem = %other, "refused"),
        }
    }
}

/// An error with its sources, outermost first.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (slug, title, _) = self.class();
        match self.detail() {
            Some(detail) => write!(f, "{slug}: {detail}"),
            None => write!(f, "{slug}: {title}"),
        }
    }
}

impl std::error::Error for AppError {}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        self.class().2
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let mut response = HttpResponse::build(self.status_code());
        if matches!(self, Self::Unauthorized(_)) {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header(("Retry-After", RETRY_AFTER));
        }
        response
            .content_type(ContentType(
                "application/problem+json".parse().expect("a constant media type"),
            ))
            .json(self.problem())
    }
}

impl From<db::Error> for AppError {
    fn from(error: db::Error) -> Self {
        Self::Db(error)
    }
}

impl From<diesel::result::Error> for AppError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<serde_json::Error> for AppError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}
