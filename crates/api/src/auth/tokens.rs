//! API tokens: `lmmsd_<id>_<secret>`, of which the database keeps only a hash of the secret.

use super::{Identity, Scope};
use crate::db::{Conn, tokens};
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

/// Whose token this is.
///
/// # Errors
/// 401 when it is unknown, revoked or expired.
pub async fn identify(state: &AppState, text: &str) -> AppResult<Identity> {
    let refuse = || AppError::Unauthorized("the API token is unknown, revoked or expired".to_owned());
    let (id, secret) = parse(text).ok_or_else(refuse)?;
    let row = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(tokens::find_live(conn, id).await?) })
        .await?
        .ok_or_else(refuse)?;
    if !bool::from(row.secret_hash.as_slice().ct_eq(&hash(secret))) {
        return Err(refuse());
    }
    Ok(Identity::Token {
        id,
        organization_id: row.organization_id.into(),
        role: row.role.parse().map_err(AppError::internal)?,
        scopes: row
            .scopes
            .iter()
            .filter_map(|s| s.parse::<Scope>().ok())
            .collect(),
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
