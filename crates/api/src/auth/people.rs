//! What others may know of a person.

use crate::db::{Conn, users};
use crate::error::AppResult;
use crate::state::AppState;
use std::collections::HashMap;
use uuid::Uuid;

/// The addresses of people, where this server keeps the accounts. The caller has to be a member of
/// the same organization.
///
/// # Errors
/// When the database does not answer.
pub async fn addresses(state: &AppState, ids: &[Uuid]) -> AppResult<HashMap<Uuid, String>> {
    if ids.is_empty() || !state.keys.is_embedded() {
        return Ok(HashMap::new());
    }
    state
        .db
        .auth(async |conn: &mut Conn| -> AppResult<_> { Ok(users::emails(conn, ids).await?) })
        .await
}
