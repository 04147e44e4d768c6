//! What the Auth API answers: users and sessions as auth-js expects them.

use crate::auth::{AuthError, Keys};
use crate::db::users::UserRow;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, encode};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// An account.
#[derive(Clone, Debug, Serialize)]
pub struct User(Value);

impl From<&UserRow> for User {
    fn from(row: &UserRow) -> Self {
        let email = row.email.clone().unwrap_or_default();
        let mut data = row.raw_user_meta_data.clone().unwrap_or_else(|| json!({}));
        data["sub"] = json!(row.id);
        data["email"] = json!(email);
        data["email_verified"] = json!(true);
        data["phone_verified"] = json!(false);
        let identity = json!({
            "identity_id": row.id, "id": row.id, "user_id": row.id, "identity_data": data, "provider": "email",
            "last_sign_in_at": row.last_sign_in_at, "created_at": row.created_at, "updated_at": row.updated_at,
            "email": email,
        });
        Self(json!({
            "id": row.id, "aud": "authenticated", "role": "authenticated", "email": email, "phone": "",
            "email_confirmed_at": row.email_confirmed_at, "confirmed_at": row.email_confirmed_at,
            "last_sign_in_at": row.last_sign_in_at,
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": data, "identities": [identity],
            "created_at": row.created_at, "updated_at": row.updated_at, "is_anonymous": false,
        }))
    }
}

/// An open session with its tokens.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// A JWT.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Single use; absent when it travels in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Whose it is.
    pub user: User,
}

impl Session {
    /// Signs an access token for a session.
    ///
    /// # Errors
    /// When accounts are not kept here.
    pub(super) fn sign(
        keys: &Keys,
        row: &UserRow,
        session: Uuid,
        refresh_token: String,
        lifetime: Duration,
        now: DateTime<Utc>,
    ) -> Result<Self, AuthError> {
        let signer = keys
            .signer
            .as_ref()
            .ok_or_else(|| AuthError::new(404, "not_found", "Accounts are kept elsewhere"))?;
        let expires_at = now.timestamp() + i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX / 2);
        let claims = json!({
            "iss": keys.issuer, "sub": row.id, "aud": "authenticated", "exp": expires_at, "iat": now.timestamp(),
            "email": row.email.clone().unwrap_or_default(), "phone": "",
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": row.raw_user_meta_data.clone().unwrap_or_else(|| json!({})),
            "role": "authenticated", "aal": "aal1",
            "amr": [{"method": "password", "timestamp": now.timestamp()}],
            "session_id": session, "is_anonymous": false,
        });
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(signer.kid.clone());
        Ok(Self {
            access_token: encode(&header, &claims, &signer.key)?,
            token_type: "bearer",
            expires_in: lifetime.as_secs(),
            expires_at,
            refresh_token: Some(refresh_token),
            user: User::from(row),
        })
    }
}
