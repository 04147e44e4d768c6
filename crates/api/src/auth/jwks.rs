//! The public keys of a Supabase project, fetched when needed.

use super::jwt::VerifyingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Fetched again after this long.
const FRESH: Duration = Duration::from_secs(600);
/// Largest document that is read.
const MAX_DOCUMENT: usize = 256 * 1024;

#[derive(Default)]
struct Cache {
    keys: Vec<VerifyingKey>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

/// The keys of one address; stale keys are served when it does not answer.
///
/// A token may name any key, so that an unknown one leads to one fetch at most in a while, and
/// nobody with a known one waits for it.
pub(crate) struct Jwks {
    url: String,
    client: reqwest::Client,
    pause: Duration,
    cache: RwLock<Cache>,
    fetching: Mutex<()>,
}

impl Jwks {
    /// The keys at `url`, fetched at most once in a `pause`.
    pub(crate) fn new(url: &str, pause: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            url: url.to_owned(),
            client,
            pause,
            cache: RwLock::default(),
            fetching: Mutex::default(),
        })
    }

    /// The keys as if they had just been fetched.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn holding(keys: &[serde_json::Value]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let keys = keys.iter().filter_map(|k| serde_json::from_value(k.clone()).ok());
        let cache = Cache {
            keys: keys.filter_map(|k| verifying_key(&k)).collect(),
            fetched: Some(Instant::now()),
            tried: Some(Instant::now()),
        };
        let mut jwks = Self::new("http://127.0.0.1:9/", Duration::from_secs(3600)).expect("a client");
        jwks.cache = RwLock::new(cache);
        jwks
    }

    /// The key with this id; without an id, the only one there is.
    pub(crate) async fn find(&self, kid: Option<&str>) -> Option<VerifyingKey> {
        let (known, is_stale) = self.cached(kid);
        if known.is_some() {
            if is_stale && let Ok(_alone) = self.fetching.try_lock() {
                self.refresh().await;
                return self.cached(kid).0;
            }
            return known;
        }
        let _alone = self.fetching.lock().await;
        // Whoever held the lock may have brought it.
        if let (Some(known), _) = self.cached(kid) {
            return Some(known);
        }
        self.refresh().await;
        self.cached(kid).0
    }

    fn cached(&self, kid: Option<&str>) -> (Option<VerifyingKey>, bool) {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let is_stale = cache.fetched.is_none_or(|at| at.elapsed() > FRESH);
        (pick(&cache.keys, kid), is_stale)
    }

    /// Fetches, unless that was tried a moment ago.
    async fn refresh(&self) {
        {
            let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
            if cache.tried.is_some_and(|at| at.elapsed() < self.pause) {
                return;
            }
            cache.tried = Some(Instant::now());
        }
        match self.fetch().await {
            Ok(keys) => {
                let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
                cache.keys = keys;
                cache.fetched = Some(Instant::now());
            }
            Err(error) => {
                tracing::warn!(url = self.url, error = %crate::error::chain(error.as_ref()), "the project's keys cannot be fetched");
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<VerifyingKey>, Box<dyn std::error::Error + Send + Sync>> {
        let mut answer = self.client.get(&self.url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_DOCUMENT {
                return Err(format!("the document has more than {MAX_DOCUMENT} bytes").into());
            }
        }
        let raw: RawSet = serde_json::from_slice(&body)?;
        let keys = raw
            .keys
            .into_iter()
            .filter_map(|k| serde_json::from_value(k).ok());
        Ok(keys.filter_map(|k| verifying_key(&k)).collect())
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

/// Public keys for signatures alone: a shared secret has no place in a JWKS.
fn verifying_key(jwk: &Jwk) -> Option<VerifyingKey> {
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        _ => return None,
    };
    let common = &jwk.common;
    if common.key_algorithm.is_some_and(|a| a != name)
        || common
            .public_key_use
            .as_ref()
            .is_some_and(|u| *u != PublicKeyUse::Signature)
    {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(VerifyingKey {
        kid: common.key_id.clone(),
        algorithm,
        key,
    })
}
