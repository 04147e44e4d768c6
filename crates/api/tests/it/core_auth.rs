//! Who comes in: links, passwords, refresh tokens, access tokens, API tokens.

use super::runs_stage::{Stage, answer};
use api::auth::embedded::{ensure_first_owner, mint_link};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use types::Role;

const AUTH: &str = "/auth/v1";

async fn call(
    stage: &Stage,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Value,
) -> (StatusCode, Value) {
    let mut request = stage
        .client
        .request(method, format!("{}{AUTH}{path}", stage.url))
        .json(&body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    answer(request).await
}

/// A session of the first owner, by the link.
async fn owner(stage: &Stage) -> Value {
    let user = ensure_first_owner(&stage.state).await.unwrap();
    let secret = mint_link(&stage.state, user).await.unwrap();
    let (status, session) = call(stage, Method::POST, "/link", None, json!({"secret": secret})).await;
    assert_eq!(status, 200, "{session}");
    session
}

fn text<'a>(session: &'a Value, field: &str) -> &'a str {
    session[field].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_the_first_owners_account_once() {
    let stage = Stage::new().await;
    let user = ensure_first_owner(&stage.state).await.unwrap();
    assert_eq!(ensure_first_owner(&stage.state).await.unwrap(), user);
    let secret = mint_link(&stage.state, user).await.unwrap();
    let body = json!({"secret": secret});
    let (status, session) = call(&stage, Method::POST, "/link", None, body.clone()).await;
    assert_eq!(status, 200, "{session}");
    let (status, again) = call(&stage, Method::POST, "/link", None, body).await;
    assert_eq!(
        (status.as_u16(), again["error_code"].as_str()),
        (403, Some("otp_expired"))
    );
    let (status, me) = stage.get("/me", text(&session, "access_token")).await;
    assert_eq!(status, 200);
    assert_eq!(
        (
            me["needs_password"].as_bool(),
            me["organizations"][0]["role"].as_str()
        ),
        (Some(true), Some("owner"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_chooses_address_and_password_and_signs_in_with_them() {
    let stage = Stage::new().await;
    let session = owner(&stage).await;
    let token = text(&session, "access_token");
    let weak = json!({"password": "short"});
    let (status, problem) = call(&stage, Method::PUT, "/user", Some(token), weak).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (422, Some("weak_password"))
    );
    let chosen = json!({"email": "Ada@Example.test", "password": "correct horse"});
    let (status, user) = call(&stage, Method::PUT, "/user", Some(token), chosen).await;
    assert_eq!(
        (status.as_u16(), user["email"].as_str()),
        (200, Some("ada@example.test"))
    );
    let grant = "/token?grant_type=password";
    let right = json!({"email": "ada@example.test", "password": "correct horse"});
    let (status, session) = call(&stage, Method::POST, grant, None, right.clone()).await;
    assert_eq!(status, 200);
    assert!(!text(&session, "refresh_token").is_empty());
    for wrong in [
        json!({"email": "ada@example.test", "password": "wrong"}),
        json!({"email": "eve@example.test", "password": "x"}),
    ] {
        let (status, problem) = call(&stage, Method::POST, grant, None, wrong).await;
        assert_eq!(
            (status.as_u16(), problem["error_code"].as_str()),
            (400, Some("invalid_credentials"))
        );
    }
    let change = json!({"password": "another horse"});
    let (status, problem) = call(&stage, Method::PUT, "/user", Some(token), change).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (400, Some("current_password_mismatch"))
    );
    let (_, me) = stage.get("/me", token).await;
    assert_eq!(me["needs_password"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_works_once_and_theft_ends_the_session() {
    let stage = Stage::new().await;
    let first = owner(&stage).await;
    let refresh = |token: String| {
        let stage = &stage;
        async move {
            call(
                stage,
                Method::POST,
                "/token?grant_type=refresh_token",
                None,
                json!({"refresh_token": token}),
            )
            .await
        }
    };
    let (status, second) = refresh(text(&first, "refresh_token").to_owned()).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    // The answer was lost: its successor was never used, so the old one still trades.
    let (status, third) = refresh(text(&first, "refresh_token").to_owned()).await;
    assert_eq!(status, 200, "{third}");
    let (status, fourth) = refresh(text(&third, "refresh_token").to_owned()).await;
    assert_eq!(status, 200, "{fourth}");
    age_tokens(&stage).await;
    let (status, problem) = refresh(text(&first, "refresh_token").to_owned()).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (400, Some("refresh_token_already_used"))
    );
    let (status, _) = refresh(text(&fourth, "refresh_token").to_owned()).await;
    assert_eq!(status, 400, "the family is gone");
    for session in [&first, &third, &fourth] {
        let access = text(session, "access_token");
        assert_eq!(stage.get("/me", access).await.0, 401, "its access tokens too");
    }
    let (status, problem) = refresh("unknown".to_owned()).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (400, Some("refresh_token_not_found"))
    );
}

/// Beyond the time in which a second use counts as another tab.
async fn age_tokens(stage: &Stage) {
    let sql = "update auth.refresh_tokens set updated_at = updated_at - interval '1 minute' where revoked";
    stage.superuser().await.batch_execute(sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_token_travels_in_a_cookie_when_the_page_asks() {
    let stage = Stage::new().await;
    let user = ensure_first_owner(&stage.state).await.unwrap();
    let secret = mint_link(&stage.state, user).await.unwrap();
    let url = format!("{}{AUTH}/link", stage.url);
    let response = stage
        .client
        .post(url)
        .header("Lmms-Cookie", "1")
        .json(&json!({"secret": secret}))
        .send()
        .await
        .unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for word in ["HttpOnly", "SameSite=Strict", "Path=/auth/v1"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let session: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(session["refresh_token"], Value::Null);
    let pair = cookie.split(';').next().unwrap();
    let refresh = || {
        stage
            .client
            .post(format!("{}{AUTH}/token?grant_type=refresh_token", stage.url))
            .header("Cookie", pair)
            .json(&json!({}))
    };
    let (status, _) = answer(refresh()).await;
    assert_eq!(
        status, 400,
        "a foreign page can send the cookie but not the header"
    );
    let (status, session) = answer(refresh().header("Lmms-Cookie", "1")).await;
    assert_eq!(status, 200, "{session}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_out_session_is_over() {
    let stage = Stage::new().await;
    let session = owner(&stage).await;
    let token = text(&session, "access_token");
    assert_eq!(
        call(&stage, Method::GET, "/user", Some(token), json!({})).await.0,
        200
    );
    assert_eq!(stage.get("/me", token).await.0, 200);
    assert_eq!(
        call(
            &stage,
            Method::POST,
            "/logout?scope=local",
            Some(token),
            json!({})
        )
        .await
        .0,
        204
    );
    assert_eq!(
        stage.get("/me", token).await.0,
        401,
        "the access token is over as well"
    );
    let (status, problem) = call(&stage, Method::GET, "/user", Some(token), json!({})).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (403, Some("session_not_found"))
    );
    let body = json!({"refresh_token": session["refresh_token"]});
    assert_eq!(
        call(
            &stage,
            Method::POST,
            "/token?grant_type=refresh_token",
            None,
            body
        )
        .await
        .0,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_needs_an_invitation_unless_it_is_open() {
    let closed = Stage::new().await;
    let body = json!({"email": "eve@example.test", "password": "correct horse"});
    let (status, problem) = call(&closed, Method::POST, "/signup", None, body.clone()).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (422, Some("signup_disabled"))
    );
    let open = Stage::with(&[("LMMS_OPEN_SIGN_UP", "true")]).await;
    let (status, session) = call(&open, Method::POST, "/signup", None, body.clone()).await;
    assert_eq!(status, 200, "{session}");
    let (_, me) = open.get("/me", text(&session, "access_token")).await;
    assert_eq!(me["organizations"], json!([]));
    let (status, problem) = call(&open, Method::POST, "/signup", None, body).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (422, Some("user_already_exists"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_lets_one_address_in_once() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let admin = stage.token(org.id.into(), Role::Admin).await;
    let body = json!({"email": "Eve@example.test", "role": "editor"});
    assert_eq!(stage.post("/invitations", &org.editor, &body).await.0, 403);
    let more = json!({"email": "eve@example.test", "role": "owner"});
    assert_eq!(stage.post("/invitations", &admin, &more).await.0, 403);
    let (status, made) = stage.post("/invitations", &admin, &body).await;
    assert_eq!(status, 201, "{made}");
    let data = json!({"invitation": made["secret"]});
    let sign_up = |email: &str| {
        let body = json!({"email": email, "password": "correct horse", "data": data});
        call(&stage, Method::POST, "/signup", None, body)
    };
    assert_eq!(sign_up("mallory@example.test").await.0, 403);
    let (status, session) = sign_up("eve@example.test").await;
    assert_eq!(status, 200, "{session}");
    let (_, me) = stage.get("/me", text(&session, "access_token")).await;
    assert_eq!(me["organizations"][0]["role"], json!("editor"));
    assert_eq!(sign_up("mallory@example.test").await.0, 403);
    let (_, list) = stage.get("/invitations", &admin).await;
    assert!(list["invitations"][0]["accepted_at"].is_string(), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_attempts_of_an_address_are_held_off() {
    let stage = Stage::with(&[("LMMS_SIGN_IN_LIMIT", "2")]).await;
    let guess = || call(&stage, Method::POST, "/link", None, json!({"secret": "guess"}));
    assert_eq!((guess().await.0.as_u16(), guess().await.0.as_u16()), (403, 403));
    let (status, problem) = guess().await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (429, Some("over_request_rate_limit"))
    );
    let body = json!({"secret": "guess"});
    let response = stage.client.post(format!("{}{AUTH}/link", stage.url)).json(&body);
    let response = response.send().await.unwrap();
    let seconds: u64 = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_passwords_close_an_account_for_a_while() {
    let stage = Stage::with(&[("LMMS_OPEN_SIGN_UP", "true"), ("LMMS_ACCOUNT_LIMIT", "2")]).await;
    let with = |email: &str, password: &str| json!({"email": email, "password": password});
    for email in ["ada@example.test", "eve@example.test"] {
        let body = with(email, "correct horse");
        assert_eq!(call(&stage, Method::POST, "/signup", None, body).await.0, 200);
    }
    let sign_in = async |email: &str, password: &str| {
        let grant = "/token?grant_type=password";
        let (status, _) = call(&stage, Method::POST, grant, None, with(email, password)).await;
        status.as_u16()
    };
    for expected in [400, 400, 429] {
        assert_eq!(sign_in("Ada@example.test", "guess").await, expected);
    }
    assert_eq!(sign_in("ada@example.test", "correct horse").await, 429);
    assert_eq!(sign_in("eve@example.test", "correct horse").await, 200);
    // An address without an account is no different: nobody learns who has one.
    for expected in [400, 400, 429] {
        assert_eq!(sign_in("nobody@example.test", "guess").await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn api_tokens_are_shown_once_narrowed_and_revoked() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let admin = stage.token(org.id.into(), Role::Admin).await;
    let (status, made) = stage
        .post(
            "/tokens",
            &admin,
            &json!({"name": "ci", "role": "editor", "scopes": ["runs"]}),
        )
        .await;
    assert_eq!(status, 201, "{made}");
    let secret = text(&made, "secret");
    assert_eq!(stage.get("/runs", secret).await.0, 200);
    let (status, problem) = stage
        .post("/models", secret, &json!({"name": "m", "backend": "openai"}))
        .await;
    assert_eq!(
        (status.as_u16(), problem["type"].as_str()),
        (403, Some("/problems/forbidden"))
    );
    let (_, list) = stage.get("/tokens", &admin).await;
    assert!(!list.to_string().contains(secret.rsplit('_').next().unwrap()));
    assert_eq!(
        stage
            .post("/tokens", &admin, &json!({"name": "x", "role": "owner"}))
            .await
            .0,
        403
    );
    assert_eq!(stage.get("/tokens", &org.editor).await.0, 403);
    let path = format!("/tokens/{}", text(&made, "id"));
    assert_eq!(answer(stage.request(Method::DELETE, &path, &admin)).await.0, 204);
    assert_eq!(stage.get("/runs", secret).await.0, 401);
    let last = if admin.ends_with('0') { '1' } else { '0' };
    let guessed = format!("{}{last}", &admin[..admin.len() - 1]);
    assert_eq!(stage.get("/runs", &guessed).await.0, 401);
}
