//! Access tokens: which key verifies one is decided by the key, never by the token.
//!
//! Keys of a JWKS verify ES256 and RS256 alone, the legacy secret HS256 alone, so that a public
//! key can never be taken for a shared secret.

use super::Identity;
use super::jwks::Jwks;
use crate::config::AuthConfig;
use crate::error::{AppError, AppResult};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use types::UserId;
use uuid::Uuid;

/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 30;
/// Longest token that is looked at.
const MAX_TOKEN: usize = 16 * 1024;

/// A key with the only algorithm it may be used for.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    pub(crate) kid: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

enum Source {
    Own(VerifyingKey),
    Project {
        secret: Option<VerifyingKey>,
        jwks: Jwks,
    },
}

/// Checks access tokens.
pub(crate) struct Verifier {
    issuer: String,
    source: Source,
}

impl Verifier {
    /// For tokens that this installation signs.
    pub(crate) fn embedded(issuer: &str, kid: &str, key: DecodingKey) -> Self {
        let key = VerifyingKey {
            kid: Some(kid.to_owned()),
            algorithm: Algorithm::ES256,
            key,
        };
        Self {
            issuer: issuer.to_owned(),
            source: Source::Own(key),
        }
    }

    /// For tokens of a Supabase project.
    pub(crate) fn hosted(issuer: &str, config: &AuthConfig) -> Result<Self, reqwest::Error> {
        let secret = config.supabase_jwt_secret.as_ref().map(|s| VerifyingKey {
            kid: None,
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(s.expose().as_bytes()),
        });
        let jwks = Jwks::new(&format!("{issuer}/.well-known/jwks.json"))?;
        Ok(Self {
            issuer: issuer.to_owned(),
            source: Source::Project { secret, jwks },
        })
    }

    /// Whose token it is.
    pub(crate) async fn verify(&self, token: &str) -> AppResult<Identity> {
        if token.len() > MAX_TOKEN {
            return Err(refused("is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("cannot be read"))?;
        let key = self.key_for(header.alg, header.kid.as_deref()).await?;
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&["authenticated"]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = decode::<Value>(token, &key.key, &validation)
            .map_err(|e| refused(reason(e.kind())))?
            .claims;
        identity_of(claims)
    }

    async fn key_for(&self, algorithm: Algorithm, kid: Option<&str>) -> AppResult<VerifyingKey> {
        let key = match &self.source {
            Source::Own(key) => Some(key.clone()).filter(|k| kid.is_none() || k.kid.as_deref() == kid),
            Source::Project { secret, .. } if algorithm == Algorithm::HS256 => secret.clone(),
            Source::Project { jwks, .. } => jwks.find(kid).await,
        };
        key.filter(|k| k.algorithm == algorithm)
            .ok_or_else(|| refused("is signed by a key that is not ours"))
    }
}

fn refused(why: &str) -> AppError {
    AppError::Unauthorized(format!("the access token {why}"))
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::ExpiredSignature => "has expired",
        ErrorKind::ImmatureSignature => "is not valid yet",
        ErrorKind::InvalidIssuer => "comes from another issuer",
        ErrorKind::InvalidAudience => "is meant for another audience",
        ErrorKind::InvalidSignature => "has a wrong signature",
        _ => "is not valid",
    }
}

/// A client's token is always a user's: never let one choose the service role.
fn identity_of(claims: Value) -> AppResult<Identity> {
    let id = claims["sub"].as_str().and_then(|s| Uuid::parse_str(s).ok());
    let id = id.ok_or_else(|| refused("names no user"))?;
    if claims["role"] != "authenticated" {
        return Err(refused("has another role than `authenticated`"));
    }
    let email = claims["email"]
        .as_str()
        .filter(|e| !e.is_empty())
        .map(str::to_owned);
    Ok(Identity::User {
        id: UserId(id),
        email,
        claims,
    })
}
