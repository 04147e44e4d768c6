//! Errors as the Supabase Auth API words them, which is not RFC 9457.

use crate::db;
use crate::error::chain;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, RETRY_AFTER};
use serde_json::json;
use std::time::Duration;

/// From this version on, errors are `{"code", "message"}`.
const NEW_SHAPE: &str = "2024-01-01";
const VERSION_HEADER: &str = "X-Supabase-Api-Version";

/// Why a call of the Auth API failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthError {
    status: u16,
    code: &'static str,
    message: String,
    /// Seconds.
    retry_after: Option<u64>,
}

/// The result of a call of the Auth API.
pub type AuthResult<T> = Result<T, AuthError>;

impl AuthError {
    /// An error with its status, stable code and text.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Too many attempts; the next one may be made after `wait`.
    pub fn too_many(wait: Duration) -> Self {
        Self {
            retry_after: Some(wait.as_secs().max(1)),
            ..Self::new(429, "over_request_rate_limit", "Request rate limit reached")
        }
    }

    /// Wrong password or unknown user: never which of the two.
    pub fn invalid_credentials() -> Self {
        Self::new(400, "invalid_credentials", "Invalid login credentials")
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The answer, in the shape that the request's API version expects.
    pub fn response(&self, request: &HeaderMap) -> HttpResponse {
        let version = request.get(VERSION_HEADER).and_then(|v| v.to_str().ok());
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header(("x-sb-error-code", self.code));
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        let weak = (self.code == "weak_password").then(|| json!({"reasons": ["length"]}));
        let mut body = match version {
            Some(version) if version >= NEW_SHAPE => {
                response.insert_header((VERSION_HEADER, version));
                json!({"code": self.code, "message": self.message})
            }
            _ => json!({"code": self.status, "error_code": self.code, "msg": self.message}),
        };
        if let Some(weak) = weak {
            body["weak_password"] = weak;
        }
        response.json(body)
    }

    fn unexpected(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "sign-in failed unexpectedly");
        Self::new(
            500,
            "unexpected_failure",
            "Unexpected failure, please check server logs for more information",
        )
    }
}

impl From<db::Error> for AuthError {
    fn from(error: db::Error) -> Self {
        Self::unexpected(&error)
    }
}

impl From<diesel::result::Error> for AuthError {
    fn from(error: diesel::result::Error) -> Self {
        Self::unexpected(&error)
    }
}

impl From<bcrypt::BcryptError> for AuthError {
    fn from(error: bcrypt::BcryptError) -> Self {
        Self::unexpected(&error)
    }
}

impl From<jsonwebtoken::errors::Error> for AuthError {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self::unexpected(&error)
    }
}

impl std::fmt::Display for AuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for AuthError {}
