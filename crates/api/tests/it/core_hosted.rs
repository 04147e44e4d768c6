//! Sign-in by a project elsewhere: its keys, its secret, and requests that are passed on to it.

use super::runs_stage::{Stage, answer};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use api::auth::Keys;
use api::config::{Config, Source};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A project that serves its keys and repeats what it is asked.
struct Project {
    url: String,
    keys: Arc<Mutex<Vec<Value>>>,
}

async fn start() -> Project {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let keys: Arc<Mutex<Vec<Value>>> = Arc::default();
    let shared = Arc::clone(&keys);
    let server = HttpServer::new(move || {
        let keys = Arc::clone(&shared);
        let jwks = move || {
            let set = json!({"keys": *keys.lock().unwrap()});
            async move { HttpResponse::Ok().json(set) }
        };
        App::new()
            .route("/auth/v1/.well-known/jwks.json", web::get().to(jwks))
            .default_service(web::to(repeat))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    tokio::spawn(server);
    Project { url, keys }
}

async fn repeat(request: HttpRequest, body: Bytes) -> HttpResponse {
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    HttpResponse::Ok().json(json!({
        "access_token": "a", "refresh_token": "r", "apikey": request.headers().get("apikey").and_then(|v| v.to_str().ok()),
        "path": request.uri().to_string(), "body": given, "cookie": request.headers().contains_key("cookie"),
    }))
}

/// A key of its own, as an installation with embedded accounts makes one.
fn key() -> (EncodingKey, Value, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().display().to_string();
    let flags = vec![("LMMS_DATA_DIR".to_owned(), folder)];
    let config = Config::from_source(&Source::parse(flags, std::iter::empty(), "").unwrap()).unwrap();
    let jwk = Keys::load(&config).unwrap().public_jwk().unwrap();
    let pem = std::fs::read(data.path().join("auth.key")).unwrap();
    (EncodingKey::from_ec_pem(&pem).unwrap(), jwk, data)
}

fn token(project: &Project, algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey) -> String {
    let claims = json!({
        "iss": format!("{}/auth/v1", project.url), "aud": "authenticated", "role": "authenticated",
        "sub": uuid::Uuid::now_v7(), "exp": chrono::Utc::now().timestamp() + 600,
    });
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    encode(&header, &claims, key).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_keys_are_fetched_and_an_unknown_one_is_looked_for_once() {
    let project = start().await;
    let (ours, jwk, _data) = key();
    let kid = jwk["kid"].as_str().unwrap().to_owned();
    project.keys.lock().unwrap().push(jwk);
    let stage = Stage::with(&[("SUPABASE_URL", &project.url)]).await;
    let valid = token(&project, Algorithm::ES256, Some(&kid), &ours);
    assert_eq!(stage.get("/me", &valid).await.0, 200);
    let (stranger, _, _other) = key();
    let forged = token(&project, Algorithm::ES256, Some(&kid), &stranger);
    assert_eq!(stage.get("/me", &forged).await.0, 401);
    let secret = EncodingKey::from_secret(b"secret");
    assert_eq!(
        stage
            .get("/me", &token(&project, Algorithm::HS256, None, &secret))
            .await
            .0,
        401
    );
    // A key that appears later is not found before the pause is over.
    let (late, late_jwk, _late) = key();
    let late_kid = late_jwk["kid"].as_str().unwrap().to_owned();
    project.keys.lock().unwrap().push(late_jwk);
    assert_eq!(
        stage
            .get("/me", &token(&project, Algorithm::ES256, Some(&late_kid), &late))
            .await
            .0,
        401
    );
    // The known one needs no fetch.
    project.keys.lock().unwrap().clear();
    assert_eq!(stage.get("/me", &valid).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_legacy_secret_verifies_its_own_tokens_alone() {
    let project = start().await;
    let stage = Stage::with(&[("SUPABASE_URL", &project.url), ("SUPABASE_JWT_SECRET", "secret")]).await;
    let right = token(
        &project,
        Algorithm::HS256,
        None,
        &EncodingKey::from_secret(b"secret"),
    );
    assert_eq!(stage.get("/me", &right).await.0, 200);
    let wrong = token(
        &project,
        Algorithm::HS256,
        None,
        &EncodingKey::from_secret(b"other"),
    );
    assert_eq!(stage.get("/me", &wrong).await.0, 401);
    let (_, config) = answer(stage.client.get(format!("{}/api/v1/config", stage.url))).await;
    assert_eq!(config["auth"], json!("supabase"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_is_passed_on_and_the_refresh_token_stays_in_the_cookie() {
    let project = start().await;
    let stage = Stage::with(&[("SUPABASE_URL", &project.url), ("SUPABASE_ANON_KEY", "public")]).await;
    let url = format!("{}/auth/v1/token?grant_type=refresh_token", stage.url);
    let request = stage
        .client
        .post(&url)
        .header("Lmms-Cookie", "1")
        .header("Cookie", "lmms_refresh=kept")
        .json(&json!({}));
    let response = request.send().await.unwrap();
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("lmms_refresh=r;")
    );
    let seen: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(seen["body"], json!({"refresh_token": "kept"}));
    assert_eq!(
        (&seen["apikey"], &seen["refresh_token"], &seen["cookie"]),
        (&json!("public"), &Value::Null, &json!(false))
    );
    assert_eq!(seen["path"], json!("/auth/v1/token?grant_type=refresh_token"));
}
