//! Whoever signs tokens: keys of every kind, and a project that serves them.

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use api::auth::Keys;
use api::config::{Config, Source};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A key that signs, and what is public of it.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) signing: EncodingKey,
    /// A JWK; the text of a shared secret has none.
    pub(crate) public: Value,
}

impl Key {
    /// A P-256 key, as an installation with embedded accounts makes one.
    pub(crate) fn es256() -> Self {
        let data = tempfile::tempdir().unwrap();
        let flags = vec![("LMMS_DATA_DIR".to_owned(), data.path().display().to_string())];
        let config = Config::from_source(&Source::parse(flags, std::iter::empty(), "").unwrap()).unwrap();
        let public = Keys::load(&config).unwrap().public_jwk().unwrap();
        let pem = std::fs::read(data.path().join("auth.key")).unwrap();
        Self {
            algorithm: Algorithm::ES256,
            kid: public["kid"].as_str().map(str::to_owned),
            signing: EncodingKey::from_ec_pem(&pem).unwrap(),
            public,
        }
    }

    /// The RSA key of the tests: it signs nothing else.
    pub(crate) fn rs256() -> Self {
        let fixture: Value = serde_json::from_str(include_str!("fixtures/rsa_for_tests.json")).unwrap();
        let der = BASE64.decode(fixture["der"].as_str().unwrap()).unwrap();
        Self {
            algorithm: Algorithm::RS256,
            kid: fixture["jwk"]["kid"].as_str().map(str::to_owned),
            signing: EncodingKey::from_rsa_der(&der),
            public: fixture["jwk"].clone(),
        }
    }

    /// A shared secret.
    pub(crate) fn hs256(secret: &str) -> Self {
        Self {
            algorithm: Algorithm::HS256,
            kid: None,
            signing: EncodingKey::from_secret(secret.as_bytes()),
            public: Value::Null,
        }
    }

    /// The header that this key's tokens have.
    pub(crate) fn header(&self) -> Value {
        let mut header = json!({"alg": self.algorithm, "typ": "JWT"});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    /// Any header and any claims, rightly signed.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_raw(
            &BASE64.encode(header.to_string()),
            &BASE64.encode(claims.to_string()),
        )
    }

    /// Any two texts, rightly signed.
    pub(crate) fn sign_raw(&self, header: &str, claims: &str) -> String {
        let message = format!("{header}.{claims}");
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.signing, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }
}

/// A Supabase project that serves its keys and repeats what it is asked.
pub(crate) struct Project {
    pub(crate) url: String,
    keys: Arc<Mutex<Vec<Value>>>,
    fetches: Arc<AtomicUsize>,
}

impl Project {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys: Arc<Mutex<Vec<Value>>> = Arc::default();
        let fetches: Arc<AtomicUsize> = Arc::default();
        let shared = (Arc::clone(&keys), Arc::clone(&fetches));
        let server = HttpServer::new(move || {
            let (keys, fetches) = shared.clone();
            let jwks = move || {
                fetches.fetch_add(1, Ordering::SeqCst);
                let set = json!({"keys": *keys.lock().unwrap()});
                async move { HttpResponse::Ok().json(set) }
            };
            App::new()
                .route("/auth/v1/.well-known/jwks.json", web::get().to(jwks))
                .default_service(web::to(repeat))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap();
        tokio::spawn(server.run());
        Self { url, keys, fetches }
    }

    /// From now on the project's keys are these.
    pub(crate) fn serve(&self, keys: &[&Key]) {
        *self.keys.lock().unwrap() = keys.iter().map(|k| k.public.clone()).collect();
    }

    /// How often the keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// The claims of somebody's token of this project.
    pub(crate) fn claims(&self) -> Value {
        claims(&format!("{}/auth/v1", self.url))
    }
}

/// The claims of a token that lasts ten minutes.
pub(crate) fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "aud": "authenticated", "role": "authenticated", "sub": uuid::Uuid::now_v7(),
        "exp": chrono::Utc::now().timestamp() + 600,
    })
}

async fn repeat(request: HttpRequest, body: Bytes) -> HttpResponse {
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    HttpResponse::Ok().json(json!({
        "access_token": "a", "refresh_token": "r", "apikey": request.headers().get("apikey").and_then(|v| v.to_str().ok()),
        "path": request.uri().to_string(), "body": given, "cookie": request.headers().contains_key("cookie"),
    }))
}
