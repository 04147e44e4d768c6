//! Accounts: signing up, signing in, changing one's own.

use super::{AuthError, AuthResult, Session, User, password, sessions};
use crate::auth::tokens::hash;
use crate::db::users::{self, UserChange, UserRow};
use crate::db::{Conn, links, organizations};
use crate::state::AppState;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;
use types::UserId;

/// Largest `user_metadata`, in bytes of JSON.
const MAX_DATA: usize = 16 * 1024;

/// What signing up and signing in take.
#[derive(Deserialize)]
pub struct Credentials {
    /// The address.
    #[serde(default)]
    pub email: String,
    /// The password.
    #[serde(default)]
    pub password: String,
    /// What the user says of themselves; `invitation` holds the secret of one.
    #[serde(default)]
    pub data: Option<Value>,
}

/// What a user may change of their account.
#[derive(Deserialize)]
pub struct UserUpdate {
    /// A new address.
    #[serde(default)]
    pub email: Option<String>,
    /// A new password.
    #[serde(default)]
    pub password: Option<String>,
    /// The old one, needed when there is one.
    #[serde(default)]
    pub current_password: Option<String>,
    /// What the user says of themselves.
    #[serde(default)]
    pub data: Option<Value>,
}

/// Opens a session for the right address and password.
///
/// # Errors
/// 400 when they are not.
pub async fn sign_in(state: &AppState, given: Credentials) -> AuthResult<Session> {
    let email = checked_email(&given.email)?;
    state.sign_in.may_guess(&email, Instant::now())?;
    let row = state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> { Ok(users::find_by_email(conn, &email).await?) })
        .await?;
    let kept = row.as_ref().and_then(|r| r.encrypted_password.clone());
    if !password::verify(given.password, kept).await {
        state.sign_in.wrong(&email, Instant::now());
        return Err(AuthError::invalid_credentials());
    }
    let row = row.ok_or_else(AuthError::invalid_credentials)?;
    if row.banned_until.is_some_and(|until| until > Utc::now()) {
        return Err(AuthError::new(400, "user_banned", "User is banned"));
    }
    open(state, &row).await
}

/// Makes an account, for an invitation or when sign-up is open, and opens a session.
///
/// # Errors
/// 422 when sign-up is closed or the address is taken.
pub async fn sign_up(state: &AppState, given: Credentials) -> AuthResult<Session> {
    if given.email.is_empty() && given.password.is_empty() {
        return Err(AuthError::new(
            422,
            "anonymous_provider_disabled",
            "Anonymous sign-ins are disabled",
        ));
    }
    let email = checked_email(&given.email)?;
    password::check(&given.password)?;
    let mut data = checked_data(given.data)?.unwrap_or_else(|| json!({}));
    let invitation = data.as_object_mut().and_then(|d| d.remove("invitation"));
    let invitation = invitation.as_ref().and_then(Value::as_str).map(hash);
    if invitation.is_none() && !state.config.auth.open_sign_up {
        return Err(AuthError::new(
            422,
            "signup_disabled",
            "Signups not allowed for this instance",
        ));
    }
    let password_hash = password::hash(given.password).await?;
    let row = state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> {
            if users::find_by_email(conn, &email).await?.is_some() {
                return Err(AuthError::new(
                    422,
                    "user_already_exists",
                    "User already registered",
                ));
            }
            let row = users::insert(conn, Some(&email), Some(&password_hash), &data).await?;
            users::upsert_identity(conn, UserId(row.id), &email).await?;
            if let Some(invitation) = &invitation {
                crate::db::act_as_service(conn).await?;
                join(conn, invitation, &row, &email).await?;
            }
            Ok(row)
        })
        .await?;
    open(state, &row).await
}

async fn join(conn: &mut Conn, invitation: &[u8], row: &UserRow, email: &str) -> AuthResult<()> {
    let (organization, role) = links::accept_invitation(conn, invitation, email)
        .await?
        .ok_or_else(|| {
            AuthError::new(
                403,
                "invite_not_found",
                "The invitation is not for this address, was used or has expired",
            )
        })?;
    organizations::add_member(conn, organization, UserId(row.id), role).await?;
    Ok(())
}

/// The account itself.
///
/// # Errors
/// 403 when it is gone.
pub async fn find_user(state: &AppState, id: UserId) -> AuthResult<UserRow> {
    state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> { Ok(users::find(conn, id).await?) })
        .await?
        .ok_or_else(|| AuthError::new(403, "user_not_found", "User from sub claim in JWT does not exist"))
}

/// Changes the caller's own account.
///
/// # Errors
/// 4xx when something given cannot be used.
pub async fn update_user(state: &AppState, id: UserId, given: UserUpdate) -> AuthResult<User> {
    let row = find_user(state, id).await?;
    let email = given.email.as_deref().map(checked_email).transpose()?;
    let data = checked_data(given.data)?;
    let has_password = row.encrypted_password.as_ref().is_some_and(|h| !h.is_empty());
    // Whoever holds a stolen access token must not be able to take the account over.
    if has_password && (given.password.is_some() || email.is_some()) {
        let account = id.to_string();
        state.sign_in.may_guess(&account, Instant::now())?;
        let current = given.current_password.unwrap_or_default();
        if !password::verify(current, row.encrypted_password.clone()).await {
            state.sign_in.wrong(&account, Instant::now());
            return Err(AuthError::new(
                400,
                "current_password_mismatch",
                "Current password is wrong or missing",
            ));
        }
    }
    let encrypted_password = match given.password {
        Some(new) => {
            password::check(&new)?;
            Some(password::hash(new).await?)
        }
        None => None,
    };
    let change = UserChange {
        email,
        encrypted_password,
        raw_user_meta_data: data,
        updated_at: Some(Utc::now()),
    };
    save(state, id, &change).await
}

async fn save(state: &AppState, id: UserId, change: &UserChange) -> AuthResult<User> {
    let taken = || {
        AuthError::new(
            422,
            "email_exists",
            "A user with this email address has already been registered",
        )
    };
    let row = state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> {
            if let Some(email) = &change.email {
                if users::find_by_email(conn, email)
                    .await?
                    .is_some_and(|other| other.id != id.0)
                {
                    return Err(taken());
                }
                users::upsert_identity(conn, id, email).await?;
            }
            Ok(users::update(conn, id, change).await?)
        })
        .await?;
    row.map(|r| User::from(&r))
        .ok_or_else(|| AuthError::new(403, "user_not_found", "User from sub claim in JWT does not exist"))
}

async fn open(state: &AppState, row: &UserRow) -> AuthResult<Session> {
    state
        .db
        .auth(async |conn: &mut Conn| -> AuthResult<_> { sessions::open(state, conn, row).await })
        .await
}

/// An address as it is stored: addresses are compared in lower case, as GoTrue does.
///
/// # Errors
/// 400 when it is none.
pub fn checked_email(email: &str) -> AuthResult<String> {
    let email = email.trim().to_lowercase();
    let plausible = email.len() <= 254
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if !plausible {
        return Err(AuthError::new(
            400,
            "validation_failed",
            "Unable to validate email address: invalid format",
        ));
    }
    Ok(email)
}

fn checked_data(data: Option<Value>) -> AuthResult<Option<Value>> {
    match data {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) if Value::Object(map.clone()).to_string().len() <= MAX_DATA => {
            Ok(Some(Value::Object(map)))
        }
        Some(_) => Err(AuthError::new(
            400,
            "validation_failed",
            "data must be a JSON object of at most 16 kB",
        )),
    }
}
