//! What holds for every request: it is addressed to us, and its answer cannot be abused by a page.

use crate::auth::public_url;
use crate::config::Config;
use crate::error::AppError;
use crate::state::AppState;
use actix_web::ResponseError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
use actix_web::middleware::Next;
use actix_web::web::Data;

/// Scripts and styles come from us alone, and nothing is inline; WASM needs `wasm-unsafe-eval`.
const CSP: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    media-src 'self'; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Refuses foreign hosts (a page elsewhere that resolves to us) and adds the headers.
///
/// # Errors
/// What the inner service returns.
pub(crate) async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let known = request
        .app_data::<Data<AppState>>()
        .is_some_and(|state| is_ours(&state.config, host_of(&request)));
    let mut response = if known {
        next.call(request).await?.map_into_boxed_body()
    } else {
        let refused = AppError::Malformed(
            "the request is addressed to an unknown host; see `LMMS_ALLOWED_HOSTS`".to_owned(),
        );
        request.into_response(refused.error_response())
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !headers.contains_key("cache-control") {
        headers.insert(
            HeaderName::from_static("cache-control"),
            HeaderValue::from_static("no-store"),
        );
    }
    Ok(response)
}

/// The host that the request itself names: what a page can put into other headers says nothing.
fn host_of(request: &ServiceRequest) -> &str {
    let header = || request.headers().get(HOST).and_then(|v| v.to_str().ok());
    let authority = request.uri().authority().map(Authority::as_str);
    authority.or_else(header).unwrap_or_default()
}

fn is_ours(config: &Config, host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.chars().all(|c| c.is_ascii_digit()))
        .map_or(host, |(n, _)| n);
    let name = name.trim_matches(['[', ']']);
    let public = public_url(config);
    let public = public.split("://").nth(1).unwrap_or_default();
    let public = public.split(['/', ':']).next().unwrap_or_default();
    ["localhost", "127.0.0.1", "::1"].contains(&name)
        || name == config.server.listen.ip().to_string()
        || name.eq_ignore_ascii_case(public)
        || config
            .server
            .allowed_hosts
            .iter()
            .any(|h| h.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    #[test]
    fn only_our_own_names_are_served() {
        let flags = vec![
            ("LMMS_ALLOWED_HOSTS".to_owned(), "gpu-box".to_owned()),
            (
                "LMMS_PUBLIC_URL".to_owned(),
                "https://eval.example.test/".to_owned(),
            ),
        ];
        let config = Config::from_source(&Source::parse(flags, std::iter::empty(), "").unwrap()).unwrap();
        for host in [
            "127.0.0.1:8000",
            "localhost",
            "[::1]:8000",
            "gpu-box:8000",
            "eval.example.test",
        ] {
            assert!(is_ours(&config, host), "{host}");
        }
        for host in ["evil.test", "", "127.0.0.1.evil.test:8000"] {
            assert!(!is_ours(&config, host), "{host}");
        }
    }
}
