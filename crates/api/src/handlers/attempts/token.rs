//! Whether an executor is who it says.

use crate::auth::bearer;
use crate::db::Conn;
use crate::db::attempts::{self, ExecutorRow};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::http::header::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use types::AttemptId;

/// Who a request says it is.
pub(super) struct Caller<'a> {
    /// The attempt in the address.
    pub(super) attempt: AttemptId,
    token: &'a str,
}

impl<'a> Caller<'a> {
    /// # Errors
    /// 401 when there is no token, or nothing that could be an attempt.
    pub(super) fn of(headers: &'a HeaderMap, id: &str) -> AppResult<Self> {
        let token = bearer(headers)?;
        let attempt = id.parse().map_err(|_| refused())?;
        Ok(Self { attempt, token })
    }

    /// What was found with the attempt, when the request carries its token.
    ///
    /// # Errors
    /// 401 when the token is not that attempt's, or there is no such attempt.
    pub(super) fn check<T>(&self, found: Option<T>, attempt: impl Fn(&T) -> &ExecutorRow) -> AppResult<T> {
        found
            .filter(|found| is_token_of(attempt(found), self.token))
            .ok_or_else(refused)
    }
}

/// The attempt of a caller. It may be over.
///
/// # Errors
/// As [`Caller::check`].
pub(super) async fn executor(state: &AppState, caller: &Caller<'_>) -> AppResult<ExecutorRow> {
    let found = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            Ok(attempts::find_executor(conn, caller.attempt).await?)
        })
        .await?;
    caller.check(found, |attempt| attempt)
}

fn refused() -> AppError {
    AppError::Unauthorized("the token is not that of this attempt".to_owned())
}

fn is_token_of(row: &ExecutorRow, token: &str) -> bool {
    let hash = Sha256::digest(token.as_bytes());
    bool::from(hash.as_slice().ct_eq(&row.token_hash))
}
