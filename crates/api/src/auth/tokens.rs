//! API tokens: `lmmsd_<id>_<secret>`, of which the database keeps only a hash of the secret.

use super::{Identity, Membership, Scope};
use crate::db::Conn;
use crate::db::tokens::{self, TokenSecretRow};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use types::ApiTokenId;
use uuid::Uuid;

/// What every API token begins with.
pub const PREFIX: &str = "lmmsd_";

/// A new token's text and the hash that is kept.
pub fn mint(id: ApiTokenId) -> (String, Vec<u8>) {
    let secret = hex::encode(rand::random::<[u8; 32]>());
    let hash = hash(&secret);
    (format!("{PREFIX}{}_{secret}", id.0.simple()), hash)
}

/// What is kept of a secret with 256 random bits: such a secret needs no salt and no slow hash.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Whose token this is, and the organization it belongs to.
///
/// # Errors
/// 401 when it is unknown, revoked or expired.
pub async fn identify(state: &AppState, text: &str) -> AppResult<(Identity, Membership)> {
    let (id, secret) = parse(text).ok_or_else(refused)?;
    let row = live(state, id).await?;
    if !bool::from(row.secret_hash.as_slice().ct_eq(&hash(secret))) {
        return Err(refused());
    }
    let membership = membership_of(&row)?;
    let identity = Identity::Token {
        id,
        organization_id: membership.organization_id,
        role: membership.role,
        scopes: row
            .scopes
            .iter()
            .filter_map(|s| s.parse::<Scope>().ok())
            .collect(),
    };
    Ok((identity, membership))
}

/// What a token may do as of now.
///
/// # Errors
/// 401 when it is revoked or expired.
pub async fn membership(state: &AppState, id: ApiTokenId) -> AppResult<Membership> {
    membership_of(&live(state, id).await?)
}

async fn live(state: &AppState, id: ApiTokenId) -> AppResult<TokenSecretRow> {
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(tokens::find_live(conn, id).await?) })
        .await?
        .ok_or_else(refused)
}

fn refused() -> AppError {
    AppError::Unauthorized("the API token is unknown, revoked or expired".to_owned())
}

fn membership_of(row: &TokenSecretRow) -> AppResult<Membership> {
    Ok(Membership {
        organization_id: row.organization_id.into(),
        name: row.organization.clone(),
        role: row.role.parse().map_err(AppError::internal)?,
        demo: row.demo,
    })
}

fn parse(text: &str) -> Option<(ApiTokenId, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    Some((ApiTokenId(Uuid::parse_str(id).ok()?), secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_token_is_read_back() {
        let id = ApiTokenId(Uuid::now_v7());
        let (text, kept) = mint(id);
        let (read, secret) = parse(&text).unwrap();
        assert_eq!(read, id);
        assert_eq!(hash(secret), kept);
        assert!(parse("lmmsd_nonsense").is_none());
    }
}
