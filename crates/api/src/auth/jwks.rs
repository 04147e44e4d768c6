//! The public keys of a Supabase project, fetched when needed.

use super::jwt::VerifyingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Fetched again after this long.
const FRESH: Duration = Duration::from_secs(600);
/// An unknown key id leads to one fetch at most in this time.
const PAUSE: Duration = Duration::from_secs(30);
/// Largest document that is read.
const MAX_DOCUMENT: usize = 256 * 1024;

#[derive(Default)]
struct Cache {
    keys: Vec<VerifyingKey>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

/// The keys of one address; stale keys are served when it does not answer.
pub(crate) struct Jwks {
    url: String,
    client: reqwest::Client,
    cache: Mutex<Cache>,
}

impl Jwks {
    pub(crate) fn new(url: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()?;
        Ok(Self {
            url: url.to_owned(),
            client,
            cache: Mutex::default(),
        })
    }

    /// The keys as if they had just been fetched.
    #[cfg(test)]
    pub(crate) fn holding(keys: &[serde_json::Value]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let keys = keys.iter().map(|k| serde_json::from_value(k.clone()).unwrap());
        let cache = Cache {
            keys: keys.filter_map(|k| verifying_key(&k)).collect(),
            fetched: Some(Instant::now()),
            tried: Some(Instant::now()),
        };
        let mut jwks = Self::new("http://127.0.0.1:9/").unwrap();
        jwks.cache = Mutex::new(cache);
        jwks
    }

    /// The key with this id; without an id, the only one there is.
    pub(crate) async fn find(&self, kid: Option<&str>) -> Option<VerifyingKey> {
        let mut cache = self.cache.lock().await;
        let stale = cache.fetched.is_none_or(|at| at.elapsed() > FRESH);
        let known = pick(&cache.keys, kid);
        let may_try = cache.tried.is_none_or(|at| at.elapsed() > PAUSE);
        if (stale || known.is_none()) && may_try {
            cache.tried = Some(Instant::now());
            match self.fetch().await {
                Ok(keys) => {
                    cache.keys = keys;
                    cache.fetched = Some(Instant::now());
                }
                Err(error) => {
                    tracing::warn!(url = self.url, error = %crate::error::chain(error.as_ref()), "the project's keys cannot be fetched");
                }
            }
            return pick(&cache.keys, kid);
        }
        known
    }

    async fn fetch(&self) -> Result<Vec<VerifyingKey>, Box<dyn std::error::Error + Send + Sync>> {
        let answer = self.client.get(&self.url).send().await?.error_for_status()?;
        let body = answer.bytes().await?;
        if body.len() > MAX_DOCUMENT {
            return Err(format!(
                "the document has {} bytes; expected at most {MAX_DOCUMENT}",
                body.len()
            )
            .into());
        }
        let raw: RawSet = serde_json::from_slice(&body)?;
        let set = JwkSet {
            keys: raw
                .keys
                .into_iter()
                .filter_map(|k| serde_json::from_value(k).ok())
                .collect(),
        };
        Ok(set.keys.iter().filter_map(verifying_key).collect())
    }
}

/// One key of an unknown kind must not make the others unreadable.
#[derive(serde::Deserialize)]
struct RawSet {
    keys: Vec<serde_json::Value>,
}

fn pick(keys: &[VerifyingKey], kid: Option<&str>) -> Option<VerifyingKey> {
    match (kid, keys) {
        (Some(kid), all) => all.iter().find(|k| k.kid.as_deref() == Some(kid)).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}

/// Public keys alone: a shared secret has no place in a JWKS.
fn verifying_key(jwk: &Jwk) -> Option<VerifyingKey> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(VerifyingKey {
        kid: jwk.common.key_id.clone(),
        algorithm,
        key,
    })
}
