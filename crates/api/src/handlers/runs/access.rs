//! Finding a run that the caller may see, and checking what they may do with it.

use super::rights;
use crate::auth::{Principal, Scope};
use crate::db::{Conn, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use types::{OrganizationId, Role, RunId};

/// The run in the address, which must be a UUID.
///
/// # Errors
/// 404 when it is none: no run has such an id.
pub(crate) fn run_id(text: &str) -> AppResult<RunId> {
    text.parse().map_err(|_| AppError::not_found("run", text))
}

/// The run, as row-level security shows it.
///
/// # Errors
/// 404 when there is none for the caller.
pub(crate) async fn visible(conn: &mut Conn, id: RunId) -> AppResult<runs::RunRow> {
    runs::find(conn, id)
        .await?
        .ok_or_else(|| AppError::not_found("run", id))
}

/// Whether somebody who follows the run may still see it: their session or token may be over by now,
/// and they may no longer be a member. The answer may be half as old as the time between two such questions.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn may_still_see(state: &AppState, principal: &Principal, id: RunId) -> AppResult<bool> {
    let (key, within) = (rights::key(principal, id), state.config.server.recheck / 2);
    if state.rights.is_fresh(&key, within) {
        return Ok(true);
    }
    let may = may_see_now(state, principal, id).await?;
    if may {
        state.rights.note(key, within);
    }
    Ok(may)
}

async fn may_see_now(state: &AppState, principal: &Principal, id: RunId) -> AppResult<bool> {
    let found = match principal.clone().with_memberships(state).await {
        Ok(principal) => {
            state
                .db
                .user(&principal, async |conn: &mut Conn| visible(conn, id).await)
                .await
        }
        Err(error) => Err(error),
    };
    match found {
        Ok(_) => Ok(true),
        Err(AppError::NotFound { .. } | AppError::Unauthorized(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The run, when the caller may change it.
///
/// # Errors
/// 404 when the caller may not see it, 403 when they may only see it.
pub(super) async fn changeable(
    state: &AppState,
    principal: &Principal,
    id: RunId,
) -> AppResult<runs::RunRow> {
    let run = state
        .db
        .user(principal, async |conn: &mut Conn| visible(conn, id).await)
        .await?;
    principal.require_in(OrganizationId(run.organization_id), Role::Editor, Scope::Runs)?;
    Ok(run)
}
