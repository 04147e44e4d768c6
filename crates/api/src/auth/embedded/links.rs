//! The one-time link that opens the first owner's account, as Jupyter prints one.

use super::{AuthError, AuthResult, Session, sessions};
use crate::auth::tokens::hash;
use crate::db::{Conn, links, organizations, users};
use crate::state::AppState;
use chrono::{Duration, Utc};
use serde_json::json;
use types::{Role, UserId};

/// What the first organization is called until someone renames it.
const FIRST_ORGANIZATION: &str = "My organization";

/// The first owner; made, with the first organization, when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn ensure_first_owner(state: &AppState) -> AuthResult<UserId> {
    let known = state
        .db
        .service(async |conn: &mut Conn| -> AuthResult<_> { Ok(users::first_owner(conn).await?) })
        .await?;
    if let Some(owner) = known {
        return Ok(owner);
    }
    let user = state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> {
            Ok(users::insert(conn, None, None, &json!({})).await?)
        })
        .await?;
    let user = UserId(user.id);
    state
        .db
        .service(async |conn: &mut Conn| -> AuthResult<_> {
            let organization = organizations::insert(conn, FIRST_ORGANIZATION, false).await?;
            organizations::add_member(conn, organization, user, Role::Owner).await?;
            Ok(())
        })
        .await?;
    Ok(user)
}

/// A new link's secret for `user`.
///
/// # Errors
/// When the database does not answer.
pub async fn mint_link(state: &AppState, user: UserId) -> AuthResult<String> {
    let secret = hex::encode(rand::random::<[u8; 32]>());
    let lifetime = Duration::from_std(state.config.auth.link_lifetime).unwrap_or(Duration::minutes(15));
    state
        .db
        .service(async |conn: &mut Conn| -> AuthResult<_> {
            Ok(links::insert(conn, &hash(&secret), user, Utc::now() + lifetime).await?)
        })
        .await?;
    Ok(secret)
}

/// Trades a link's secret for a session, once.
///
/// # Errors
/// 403 when it was used, has expired or never was.
pub async fn redeem_link(state: &AppState, secret: &str) -> AuthResult<Session> {
    let refused = || {
        AuthError::new(
            403,
            "otp_expired",
            "The sign-in link has been used or has expired; start the server again for a new one",
        )
    };
    let user = state
        .db
        .service(async |conn: &mut Conn| -> AuthResult<_> { Ok(links::redeem(conn, &hash(secret)).await?) })
        .await?
        .ok_or_else(refused)?;
    state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> {
            let row = users::find(conn, user).await?.ok_or_else(refused)?;
            sessions::open(state, conn, &row).await
        })
        .await
}
