//! The refresh token in a cookie that no script can read.

use crate::auth::public_url;
use crate::config::Config;
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

const NAME: &str = "lmms_refresh";
/// Our page sends this; a foreign one cannot without a preflight, which is never answered.
const WANTED: &str = "Lmms-Cookie";

/// Whether the request asks for the cookie.
pub(super) fn is_wanted(request: &HttpRequest) -> bool {
    request.headers().get(WANTED).is_some_and(|v| v == "1")
}

/// The token in the cookie, when the request may use it.
pub(super) fn token_of(request: &HttpRequest) -> Option<String> {
    if !is_wanted(request) {
        return None;
    }
    request.cookie(NAME).map(|c| c.value().to_owned())
}

/// A cookie with a token.
pub(super) fn holding(config: &Config, token: String) -> Cookie<'static> {
    let seconds = i64::try_from(config.auth.session_lifetime.as_secs()).unwrap_or(i64::MAX);
    base(config, token, Duration::seconds(seconds))
}

/// A cookie that takes the token away.
pub(super) fn cleared(config: &Config) -> Cookie<'static> {
    base(config, String::new(), Duration::ZERO)
}

fn base(config: &Config, value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/auth/v1")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(public_url(config).starts_with("https://"))
        .max_age(age)
        .finish()
}
