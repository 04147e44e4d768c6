//! Who is asking, and what they may do.

pub mod embedded;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod jwks;
mod jwt;
mod keys;
pub mod people;
mod principal;
pub mod run_secrets;
mod seal;
pub mod tokens;

pub use embedded::{AuthError, SignInLimiter};
pub use keys::{KeyError, Keys, public_url};
pub use principal::{Identity, Membership, ORGANIZATION_HEADER, Principal, Scope};
pub use seal::SealingKey;

use crate::error::{AppError, AppResult};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};

/// The credential of an `Authorization: Bearer` header.
///
/// # Errors
/// 401 when there is none.
pub fn bearer(headers: &HeaderMap) -> AppResult<&str> {
    headers
        .get(AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, credential)| credential.trim())
        .filter(|credential| !credential.is_empty())
        .ok_or_else(|| AppError::Unauthorized("there is no `Authorization: Bearer` header".to_owned()))
}
