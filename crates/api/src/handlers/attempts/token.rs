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

/// The attempt in the address, when the request carries its token. It may be over.
///
/// # Errors
/// 401 when the token is not that attempt's, or there is no such attempt.
pub(super) async fn executor(state: &AppState, headers: &HeaderMap, id: &str) -> AppResult<ExecutorRow> {
    let token = bearer(headers)?;
    let refuse = || AppError::Unauthorized("the token is not that of this attempt".to_owned());
    let id: AttemptId = id.parse().map_err(|_| refuse())?;
    let found = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(attempts::find_executor(conn, id).await?) })
        .await?;
    found.filter(|row| is_token_of(row, token)).ok_or_else(refuse)
}

fn is_token_of(row: &ExecutorRow, token: &str) -> bool {
    let hash = Sha256::digest(token.as_bytes());
    bool::from(hash.as_slice().ct_eq(&row.token_hash))
}
