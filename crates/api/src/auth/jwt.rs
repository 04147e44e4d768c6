//! Access tokens: which key verifies one is decided by the key, never by the token.
//!
//! Keys of a JWKS verify ES256 and RS256 alone, the legacy secret HS256 alone, so that a public
//! key can never be taken for a shared secret.

use super::Identity;
use super::jwks::Jwks;
use crate::config::AuthConfig;
use crate::error::{AppError, AppResult};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
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
        let jwks = Jwks::new(&format!("{issuer}/.well-known/jwks.json"), config.jwks_pause)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            source: Source::Project { secret, jwks },
        })
    }

    /// For tokens of a project with these keys.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_project(issuer: &str, secret: Option<VerifyingKey>, jwks: Jwks) -> Self {
        Self {
            issuer: issuer.to_owned(),
            source: Source::Project { secret, jwks },
        }
    }

    /// Whose token it is.
    pub(crate) async fn verify(&self, token: &str) -> AppResult<Identity> {
        if token.len() > MAX_TOKEN {
            return Err(refused("is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("cannot be read"))?;
        check_kind(&header)?;
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

/// A signed token of another kind is no access token, and what we are told to understand and do not
/// must not be passed over (RFC 7515, `crit`).
fn check_kind(header: &Header) -> AppResult<()> {
    let is_jwt = |typ: &String| typ.eq_ignore_ascii_case("jwt");
    if header.typ.as_ref().is_some_and(|t| !is_jwt(t)) || header.cty.is_some() {
        return Err(refused("is a token of another kind"));
    }
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(refused("asks for what is not understood here"));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A public key and a token that it verifies until the year 2286; the private half was thrown away.
    fn fixture() -> (Value, String) {
        let fixture: Value = serde_json::from_str(include_str!("fixtures/rs256.json")).unwrap();
        (
            fixture["jwk"].clone(),
            fixture["token"].as_str().unwrap().to_owned(),
        )
    }

    fn verifier(keys: &[Value], secret: Option<&str>) -> Verifier {
        let secret = secret.map(|s| VerifyingKey {
            kid: None,
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(s.as_bytes()),
        });
        Verifier::of_project(
            "https://project.example.test/auth/v1",
            secret,
            Jwks::holding(keys),
        )
    }

    #[tokio::test]
    async fn an_rsa_key_of_the_project_verifies() {
        let (jwk, token) = fixture();
        let Identity::User { id, email, .. } = verifier(&[jwk], None).verify(&token).await.unwrap() else {
            panic!("expected a user");
        };
        assert_eq!(id.to_string(), "5f0c2f0e-7a51-4f6e-9a8b-1f0d2c3b4a59");
        assert_eq!(email.as_deref(), Some("ada@example.test"));
    }

    #[tokio::test]
    async fn a_key_verifies_its_own_algorithm_alone() {
        let (jwk, token) = fixture();
        let claims = token.split('.').nth(1).unwrap();
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.kid = Some("rsa-1".to_owned());
        // Signed with the public key's own text as if that were a shared secret.
        let n = jwk["n"].as_str().unwrap();
        let confused = jsonwebtoken::encode(
            &header,
            &json!({"iss": "https://project.example.test/auth/v1", "aud": "authenticated", "role": "authenticated",
                "sub": "5f0c2f0e-7a51-4f6e-9a8b-1f0d2c3b4a59", "exp": 9_999_999_999_u64}),
            &jsonwebtoken::EncodingKey::from_secret(n.as_bytes()),
        )
        .unwrap();
        verifier(std::slice::from_ref(&jwk), None)
            .verify(&confused)
            .await
            .unwrap_err();
        verifier(std::slice::from_ref(&jwk), Some("secret"))
            .verify(&confused)
            .await
            .unwrap_err();
        verifier(&[], Some(n)).verify(&confused).await.unwrap();
        verifier(&[], Some("secret")).verify(&token).await.unwrap_err();
        let forged = format!("{}.{claims}.AAAA", token.split('.').next().unwrap());
        verifier(&[jwk], None).verify(&forged).await.unwrap_err();
    }
}
