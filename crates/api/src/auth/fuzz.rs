//! Tokens of any shape against a verifier that knows an RSA key, whose private half nobody has, and a shared secret.

use super::Identity;
use super::jwks::Jwks;
use super::jwt::{Verifier, VerifyingKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use serde_json::Value;

const SECRET: &[u8] = b"a shared secret of the fuzzer";
const ISSUER: &str = "https://project.example.test/auth/v1";

/// The verifier, with the only token that the RSA key has ever signed.
pub(crate) struct Tokens {
    verifier: Verifier,
    genuine: String,
}

impl Default for Tokens {
    fn default() -> Self {
        let fixture: Value =
            serde_json::from_str(include_str!("fixtures/rs256.json")).expect("a committed file");
        let secret = VerifyingKey {
            kid: None,
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(SECRET),
        };
        let jwks = Jwks::holding(&[fixture["jwk"].clone()]);
        Self {
            verifier: Verifier::of_project(ISSUER, Some(secret), jwks),
            genuine: fixture["token"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

impl Tokens {
    /// Takes the bytes for a token, and for header and claims (one line each) of a token with a good signature.
    pub(crate) async fn check(&self, data: &[u8]) {
        let text = String::from_utf8_lossy(data);
        if self.verifier.verify(&text).await.is_ok() {
            assert_eq!(text, self.genuine, "forged");
        }
        let (header, claims) = text.split_once('\n').unwrap_or(("", &text));
        let header: Header = serde_json::from_str(header).unwrap_or_default();
        let Ok(claims) = serde_json::from_str::<Value>(claims) else {
            return;
        };
        let Ok(signed) = encode(&header, &claims, &EncodingKey::from_secret(SECRET)) else {
            return;
        };
        if let Ok(identity) = self.verifier.verify(&signed).await {
            assert_eq!(header.alg, Algorithm::HS256);
            assert_user(&identity, &claims);
        }
    }
}

fn assert_user(identity: &Identity, claims: &Value) {
    let Identity::User { id, .. } = identity else {
        panic!("a token is never but a user's");
    };
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["iss"], ISSUER);
    assert!(
        claims["sub"].as_str().is_some_and(|sub| sub.parse() == Ok(id.0)),
        "{claims}"
    );
    assert!(claims["exp"].as_f64().is_some_and(|exp| exp > 1.7e9), "{claims}");
}
