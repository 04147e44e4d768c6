//! Hosted sign-in: the browser talks to us, we talk to the project.

use super::cookie;
use crate::auth::AuthError;
use crate::state::AppState;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;

/// Request headers that the project sees.
const SENT: [&str; 4] = [
    "authorization",
    "content-type",
    "x-supabase-api-version",
    "x-client-info",
];
/// Response headers that the browser sees.
const RETURNED: [&str; 4] = [
    "content-type",
    "x-sb-error-code",
    "x-supabase-api-version",
    "cache-control",
];

static CLIENT: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none());
    client.build().ok()
});

/// Passes one request on, and its answer back.
pub(super) async fn forward(state: Data<AppState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let unavailable = || {
        AuthError::new(503, "request_timeout", "The sign-in service does not answer")
            .response(request.headers())
    };
    let Some(outgoing) = outgoing(&state, &request, body) else {
        return unavailable();
    };
    match outgoing.send().await {
        Ok(answer) => incoming(&state, &request, answer).await.unwrap_or_else(|error| {
            tracing::warn!(error = %crate::error::chain(&error), "the sign-in service sent no body");
            unavailable()
        }),
        Err(error) => {
            tracing::warn!(error = %crate::error::chain(&error), "the sign-in service does not answer");
            unavailable()
        }
    }
}

fn outgoing(state: &AppState, request: &HttpRequest, body: Bytes) -> Option<reqwest::RequestBuilder> {
    let project = state.config.auth.supabase_url.as_ref()?.trim_end_matches('/');
    let url = format!("{project}{}", request.uri().path_and_query()?);
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).ok()?;
    let mut outgoing = CLIENT.as_ref()?.request(method, url);
    for name in SENT {
        if let Some(value) = request.headers().get(name) {
            outgoing = outgoing.header(name, value.as_bytes());
        }
    }
    if let Some(key) = &state.config.auth.supabase_anon_key {
        outgoing = outgoing.header("apikey", key.expose());
    }
    Some(match with_cookie(request, &body) {
        Some(text) => outgoing
            .header(header::CONTENT_TYPE.as_str(), "application/json")
            .body(text),
        None => outgoing.body(body),
    })
}

/// The body of a refresh whose token is in the cookie.
fn with_cookie(request: &HttpRequest, body: &[u8]) -> Option<String> {
    if !request.query_string().contains("grant_type=refresh_token") {
        return None;
    }
    let given: Value = serde_json::from_slice(body).unwrap_or_default();
    if given["refresh_token"].as_str().is_some_and(|t| !t.is_empty()) {
        return None;
    }
    let token = cookie::token_of(request)?;
    Some(serde_json::json!({ "refresh_token": token }).to_string())
}

async fn incoming(
    state: &AppState,
    request: &HttpRequest,
    answer: reqwest::Response,
) -> Result<HttpResponse, reqwest::Error> {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    for name in RETURNED {
        if let Some(value) = answer.headers().get(name) {
            response.insert_header((name, value.as_bytes()));
        }
    }
    let body = answer.bytes().await?;
    let mut session: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = session
        .as_object_mut()
        .filter(|_| cookie::is_wanted(request))
        .and_then(|s| s.remove("refresh_token"));
    Ok(match token.as_ref().and_then(Value::as_str) {
        Some(token) => response
            .cookie(cookie::holding(&state.config, token.to_owned()))
            .json(session),
        None => response.body(body),
    })
}
