//! `/auth/v1`: the small part of the Supabase Auth API that the product needs, against our own
//! accounts, or forwarded to the project when sign-in is hosted.

mod cookie;
mod forward;

use crate::auth::embedded::{self, AuthError, AuthResult, Credentials, Session, SignOut, UserUpdate};
use crate::state::AppState;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::time::Instant;

/// Largest body here.
const MAX_BODY: usize = 64 * 1024;

/// The routes of the embedded sign-in.
pub fn embedded_routes(cfg: &mut ServiceConfig) {
    cfg.app_data(web::PayloadConfig::new(MAX_BODY))
        .route("/signup", web::post().to(sign_up))
        .route("/token", web::post().to(create_token))
        .route("/link", web::post().to(redeem_link))
        .route("/user", web::get().to(get_user))
        .route("/user", web::put().to(update_user))
        .route("/logout", web::post().to(sign_out))
        .route("/.well-known/jwks.json", web::get().to(get_jwks))
        .route("/settings", web::get().to(get_settings))
        .route("/health", web::get().to(get_health))
        .default_service(web::to(no_route));
}

/// The routes of the hosted sign-in: everything goes to the project.
pub fn hosted_routes(cfg: &mut ServiceConfig) {
    cfg.app_data(web::PayloadConfig::new(MAX_BODY))
        .default_service(web::to(forward::forward));
}

/// A body, or that it is too large: which is answered like every other problem here.
type Body = Result<Bytes, actix_web::Error>;

#[derive(Deserialize)]
struct GrantQuery {
    grant_type: Option<String>,
}

#[derive(Deserialize)]
struct RefreshBody {
    #[serde(default)]
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct LinkBody {
    #[serde(default)]
    secret: String,
}

#[derive(Deserialize)]
struct ScopeQuery {
    scope: Option<String>,
}

async fn sign_up(state: Data<AppState>, request: HttpRequest, body: Body) -> HttpResponse {
    let answer = async {
        count(&state, &request)?;
        embedded::sign_up(&state, read::<Credentials>(&body)?).await
    };
    opened(&state, &request, answer.await)
}

async fn create_token(
    state: Data<AppState>,
    request: HttpRequest,
    grant: Query<GrantQuery>,
    body: Body,
) -> HttpResponse {
    let answer = async {
        match grant.grant_type.as_deref() {
            Some("password") => {
                count(&state, &request)?;
                embedded::sign_in(&state, read::<Credentials>(&body)?).await
            }
            Some("refresh_token") => {
                let token = refresh_token(&request, &body)?;
                embedded::refresh(&state, &token).await
            }
            _ => Err(AuthError::new(
                400,
                "invalid_credentials",
                "unsupported_grant_type",
            )),
        }
    };
    opened(&state, &request, answer.await)
}

/// Trades the secret of a sign-in link for a session.
async fn redeem_link(state: Data<AppState>, request: HttpRequest, body: Body) -> HttpResponse {
    let answer = async {
        count(&state, &request)?;
        embedded::redeem_link(&state, &read::<LinkBody>(&body)?.secret).await
    };
    opened(&state, &request, answer.await)
}

async fn get_user(state: Data<AppState>, request: HttpRequest) -> HttpResponse {
    let answer = async {
        let caller = embedded::caller(&state, request.headers()).await?;
        let row = embedded::find_user(&state, caller.user).await?;
        Ok(embedded::User::from(&row))
    };
    respond(
        request.headers(),
        answer.await.map(|user| HttpResponse::Ok().json(user)),
    )
}

async fn update_user(state: Data<AppState>, request: HttpRequest, body: Body) -> HttpResponse {
    let answer = async {
        let caller = embedded::caller(&state, request.headers()).await?;
        count(&state, &request)?;
        embedded::update_user(&state, caller.user, read::<UserUpdate>(&body)?).await
    };
    respond(
        request.headers(),
        answer.await.map(|user| HttpResponse::Ok().json(user)),
    )
}

async fn sign_out(state: Data<AppState>, request: HttpRequest, query: Query<ScopeQuery>) -> HttpResponse {
    let which = match query.scope.as_deref() {
        Some("local") => SignOut::Local,
        Some("others") => SignOut::Others,
        _ => SignOut::Global,
    };
    let answer = async {
        let caller = embedded::caller(&state, request.headers()).await?;
        embedded::sign_out(&state, caller, which).await
    };
    let done = answer.await.map(|()| {
        let mut response = HttpResponse::NoContent();
        if which != SignOut::Others {
            response.cookie(cookie::cleared(&state.config));
        }
        response.finish()
    });
    respond(request.headers(), done)
}

async fn get_jwks(state: Data<AppState>) -> HttpResponse {
    let keys: Vec<_> = state.keys.public_jwk().into_iter().collect();
    HttpResponse::Ok()
        .insert_header(("Cache-Control", "public, max-age=600"))
        .json(json!({ "keys": keys }))
}

async fn get_settings(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "external": {"email": true, "phone": false, "anonymous_users": false},
        "disable_signup": !state.config.auth.open_sign_up, "mailer_autoconfirm": true, "phone_autoconfirm": false,
        "sms_provider": "", "mfa_enabled": false, "saml_enabled": false,
    }))
}

async fn get_health() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "version": env!("CARGO_PKG_VERSION"), "name": "lmms-dash", "description": "The embedded part of the Auth API",
    }))
}

async fn no_route(request: HttpRequest) -> HttpResponse {
    AuthError::new(404, "not_found", "There is no such endpoint here").response(request.headers())
}

/// The token in the body, else the one in the cookie when our own page asks.
fn refresh_token(request: &HttpRequest, body: &Body) -> AuthResult<String> {
    let given = if matches!(body, Ok(bytes) if bytes.is_empty()) {
        None
    } else {
        read::<RefreshBody>(body)?.refresh_token
    };
    given
        .filter(|t| !t.is_empty())
        .or_else(|| cookie::token_of(request))
        .ok_or_else(|| AuthError::new(400, "validation_failed", "refresh_token required"))
}

fn count(state: &AppState, request: &HttpRequest) -> AuthResult<()> {
    let address = request.peer_addr().map(|a| a.ip());
    state.sign_in.attempt(address, Instant::now())
}

fn read<T: DeserializeOwned>(body: &Body) -> AuthResult<T> {
    let body = body.as_ref().map_err(|_| {
        AuthError::new(
            413,
            "request_too_large",
            format!("The body has more than {MAX_BODY} bytes, or was cut off"),
        )
    })?;
    serde_json::from_slice(body).map_err(|e| {
        AuthError::new(
            400,
            "bad_json",
            format!("Could not parse request body as JSON: {e}"),
        )
    })
}

/// An opened session; its refresh token goes into the cookie when the request asks for that.
fn opened(state: &AppState, request: &HttpRequest, answer: AuthResult<Session>) -> HttpResponse {
    let opened = answer.map(|mut session| {
        let mut response = HttpResponse::Ok();
        response.insert_header(("Cache-Control", "no-store"));
        if cookie::is_wanted(request)
            && let Some(token) = session.refresh_token.take()
        {
            response.cookie(cookie::holding(&state.config, token));
        }
        response.json(session)
    });
    respond(request.headers(), opened)
}

fn respond(request: &HeaderMap, answer: AuthResult<HttpResponse>) -> HttpResponse {
    answer.unwrap_or_else(|error| error.response(request))
}
