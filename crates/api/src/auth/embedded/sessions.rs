//! Sessions: opening, refreshing, ending.

use super::{AuthError, AuthResult, Session};
use crate::auth::{Identity, bearer};
use crate::db::users::{self, UserRow};
use crate::db::{Conn, sessions};
use crate::state::AppState;
use actix_web::http::header::HeaderMap;
use chrono::{Duration, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use types::UserId;
use uuid::Uuid;

/// A token used twice within this time was probably used by two tabs.
const REUSE_SECONDS: i64 = 10;

/// The signed-in caller of the Auth API.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// In which session.
    pub session: Uuid,
}

/// Which sessions a sign-out ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOut {
    /// All of the user.
    Global,
    /// This one.
    Local,
    /// All but this one.
    Others,
}

/// Whose `Authorization` header this is, and that their session is still open.
///
/// # Errors
/// 401 without a token, 403 with a bad one, as GoTrue answers.
pub async fn caller(state: &AppState, headers: &HeaderMap) -> AuthResult<Caller> {
    let token = bearer(headers).map_err(|_| {
        AuthError::new(
            401,
            "no_authorization",
            "This endpoint requires a valid Bearer token",
        )
    })?;
    let identity = state
        .keys
        .verify(token)
        .await
        .map_err(|e| AuthError::new(403, "bad_jwt", format!("invalid JWT: {e}")))?;
    let Identity::User { id, claims, .. } = identity else {
        return Err(AuthError::new(403, "bad_jwt", "invalid JWT: not a user's"));
    };
    let gone = || {
        AuthError::new(
            403,
            "session_not_found",
            "Session from session_id claim in JWT does not exist",
        )
    };
    let session = session_of(&claims).ok_or_else(gone)?;
    let open = state
        .db
        .service(async |conn: &mut Conn| -> AuthResult<_> { Ok(sessions::is_open(conn, session, id).await?) })
        .await?;
    if !open {
        return Err(gone());
    }
    Ok(Caller { user: id, session })
}

/// The session that one of our own access tokens names.
pub(crate) fn session_of(claims: &Value) -> Option<Uuid> {
    claims["session_id"].as_str().and_then(|s| s.parse().ok())
}

/// Opens a session.
pub(super) async fn open(state: &AppState, conn: &mut Conn, user: &UserRow) -> AuthResult<Session> {
    let session = sessions::insert(conn, UserId(user.id)).await?;
    users::touch_sign_in(conn, UserId(user.id)).await?;
    issue(state, conn, user, session, None).await
}

async fn issue(
    state: &AppState,
    conn: &mut Conn,
    user: &UserRow,
    session: Uuid,
    parent: Option<&str>,
) -> AuthResult<Session> {
    let token = hex::encode(rand::random::<[u8; 24]>());
    sessions::insert_token(conn, session, UserId(user.id), &hash(&token), parent).await?;
    let lifetime = state.config.auth.access_token_lifetime;
    Session::sign(&state.keys, user, session, token, lifetime, Utc::now())
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Trades a refresh token for a new session.
///
/// A token that was used before is either a lost answer (its successor was never used, or it is
/// seconds old) or theft: then the whole session ends.
///
/// # Errors
/// 400 when the token is unknown, used up or its session is over.
pub async fn refresh(state: &AppState, token: &str) -> AuthResult<Session> {
    let presented = hash(token);
    let answer = state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> { rotate(state, conn, &presented).await })
        .await?;
    answer.ok_or_else(|| {
        AuthError::new(
            400,
            "refresh_token_already_used",
            "Invalid Refresh Token: Already Used",
        )
    })
}

/// `None` when the session had to be ended: that must be committed, so it is no error here.
async fn rotate(state: &AppState, conn: &mut Conn, presented: &str) -> AuthResult<Option<Session>> {
    let unknown = || {
        AuthError::new(
            400,
            "refresh_token_not_found",
            "Invalid Refresh Token: Refresh Token Not Found",
        )
    };
    let row = sessions::find_token(conn, presented).await?.ok_or_else(unknown)?;
    let (Some(session), Some(user)) = (
        row.session_id,
        row.user_id.and_then(|id| Uuid::parse_str(&id).ok()),
    ) else {
        return Err(unknown());
    };
    // The row lock of the session makes refreshes of one session wait for each other.
    if !sessions::touch(conn, session).await? {
        return Err(AuthError::new(
            400,
            "session_not_found",
            "Invalid Refresh Token: Session Not Found",
        ));
    }
    let idle = Duration::from_std(state.config.auth.session_lifetime).unwrap_or(Duration::MAX);
    if row.updated_at.is_some_and(|at| Utc::now() - at > idle) {
        sessions::delete(conn, session).await?;
        return Ok(None);
    }
    if !sessions::revoke_token(conn, presented).await? && !may_reuse(conn, presented).await? {
        sessions::delete(conn, session).await?;
        return Ok(None);
    }
    let user = users::find(conn, UserId(user))
        .await?
        .filter(|u| u.banned_until.is_none_or(|at| at < Utc::now()));
    let user = user.ok_or_else(|| AuthError::new(400, "user_banned", "User is banned"))?;
    issue(state, conn, &user, session, Some(presented))
        .await
        .map(Some)
}

/// Whether a used token may be traded again; its unused successor is used up then.
async fn may_reuse(conn: &mut Conn, presented: &str) -> AuthResult<bool> {
    let used = sessions::find_token(conn, presented)
        .await?
        .and_then(|t| t.updated_at);
    let fresh = used.is_some_and(|at| Utc::now() - at < Duration::seconds(REUSE_SECONDS));
    Ok(sessions::revoke_unused_child(conn, presented).await? || fresh)
}

/// Ends sessions of the caller.
///
/// # Errors
/// When the database does not answer.
pub async fn sign_out(state: &AppState, caller: Caller, which: SignOut) -> AuthResult<()> {
    state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> {
            match which {
                SignOut::Local => sessions::delete(conn, caller.session).await?,
                SignOut::Others => sessions::delete_of(conn, caller.user, Some(caller.session)).await?,
                SignOut::Global => sessions::delete_of(conn, caller.user, None).await?,
            }
            Ok(())
        })
        .await
}
