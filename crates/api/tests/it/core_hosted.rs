//! Sign-in by a project elsewhere: its keys, its secret, and requests that are passed on to it.

use super::issuer::{Key, Project};
use super::runs_stage::{Stage, answer, until};
use serde_json::{Value, json};

async fn status(stage: &Stage, token: &str) -> u16 {
    stage.get("/me", token).await.0.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_keys_are_fetched_and_an_unknown_one_is_looked_for_once() {
    let project = Project::start();
    let ours = Key::es256();
    project.serve(&[&ours]);
    let stage = Stage::with(&[("SUPABASE_URL", &project.url)]).await;
    let valid = ours.token(&project.claims());
    assert_eq!(status(&stage, &valid).await, 200);
    let stranger = Key {
        kid: ours.kid.clone(),
        ..Key::es256()
    };
    assert_eq!(status(&stage, &stranger.token(&project.claims())).await, 401);
    let shared = Key::hs256("secret");
    assert_eq!(status(&stage, &shared.token(&project.claims())).await, 401);
    // A key that appears later is not found before the pause is over, however often it is named.
    let late = Key::es256();
    project.serve(&[&ours, &late]);
    for _ in 0..20 {
        assert_eq!(status(&stage, &late.token(&project.claims())).await, 401);
    }
    assert_eq!(project.fetches(), 1);
    // The known one needs no fetch.
    project.serve(&[]);
    assert_eq!(status(&stage, &valid).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_kind_may_be_rotated() {
    let project = Project::start();
    let (elliptic, rsa, next) = (Key::es256(), Key::rs256(), Key::es256());
    project.serve(&[&elliptic, &rsa]);
    let settings = [
        ("SUPABASE_URL", project.url.as_str()),
        ("SUPABASE_JWT_SECRET", "secret"),
        ("LMMS_JWKS_PAUSE", "50ms"),
    ];
    let stage = Stage::with(&settings).await;
    for key in [&elliptic, &rsa, &Key::hs256("secret")] {
        assert_eq!(status(&stage, &key.token(&project.claims())).await, 200);
    }
    let token = next.token(&project.claims());
    assert_eq!(status(&stage, &token).await, 401);
    project.serve(&[&rsa, &next]);
    until("the new key", || async {
        (status(&stage, &token).await == 200).then_some(())
    })
    .await;
    assert_eq!(
        status(&stage, &elliptic.token(&project.claims())).await,
        401,
        "a key that was taken away verifies nothing"
    );
    assert_eq!(status(&stage, &rsa.token(&project.claims())).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_not_for_signatures_verify_nothing() {
    let project = Project::start();
    let (mut secret, mut encrypting, mut other) = (Key::hs256("secret"), Key::es256(), Key::rs256());
    secret.kid = Some("shared".into());
    secret.public = json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": "c2VjcmV0"});
    encrypting.public["use"] = json!("enc");
    other.public["alg"] = json!("RS512");
    project.serve(&[&secret, &encrypting, &other]);
    let stage = Stage::with(&[("SUPABASE_URL", &project.url)]).await;
    for key in [secret, encrypting, other] {
        assert_eq!(status(&stage, &key.token(&project.claims())).await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_legacy_secret_verifies_its_own_tokens_alone() {
    let project = Project::start();
    let stage = Stage::with(&[("SUPABASE_URL", &project.url), ("SUPABASE_JWT_SECRET", "secret")]).await;
    let right = Key::hs256("secret").token(&project.claims());
    assert_eq!(status(&stage, &right).await, 200);
    let wrong = Key::hs256("other").token(&project.claims());
    assert_eq!(status(&stage, &wrong).await, 401);
    let (_, config) = answer(stage.client.get(format!("{}/api/v1/config", stage.url))).await;
    assert_eq!(config["auth"], json!("supabase"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_is_passed_on_and_the_refresh_token_stays_in_the_cookie() {
    let project = Project::start();
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
