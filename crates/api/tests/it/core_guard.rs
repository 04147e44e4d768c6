//! What holds for every request: addressed to us, within limits, and answered so that no page can abuse it.

use super::runs_stage::{Stage, answer};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use serde_json::json;

/// Headers that every answer has.
const HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

async fn get(stage: &Stage, path: &str) -> Response {
    stage
        .client
        .get(format!("{}{path}", stage.url))
        .send()
        .await
        .unwrap()
}

fn check_policy(headers: &HeaderMap) {
    let policy = headers["content-security-policy"].to_str().unwrap();
    for word in policy.split([' ', ';']) {
        assert!(!word.starts_with("'unsafe-"), "{policy}");
        assert!(!["*", "http:", "https:"].contains(&word), "{policy}");
    }
    for rule in [
        "default-src 'self'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers() {
    let pages = tempfile::tempdir().unwrap();
    std::fs::write(pages.path().join("index.html"), "<!doctype html>").unwrap();
    let folder = pages.path().display().to_string();
    let stage = Stage::with(&[("LMMS_SPA_DIR", &folder)]).await;
    for (path, status) in [
        ("/", 200),
        ("/runs", 200),
        ("/api/v1/config", 200),
        ("/api/v1/docs", 200),
        ("/api/v1/openapi.json", 200),
        ("/api/v1/models", 401),
        ("/api/v1/nothing", 404),
        ("/auth/v1/settings", 200),
        ("/auth/v1/user", 401),
        ("/auth/v1/nothing", 404),
        ("/ws/runs/x", 404),
    ] {
        let response = get(&stage, path).await;
        assert_eq!(response.status(), status, "{path}");
        for (name, value) in HEADERS {
            assert_eq!(response.headers()[name], value, "{path}: {name}");
        }
        assert!(response.headers().contains_key("cache-control"), "{path}");
        assert!(
            !response.headers().contains_key("access-control-allow-origin"),
            "{path}"
        );
        check_policy(response.headers());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_host_is_not_served() {
    let stage = Stage::with(&[("LMMS_ALLOWED_HOSTS", "gpu-box")]).await;
    let url = format!("{}/api/v1/config", stage.url);
    let ask = async |headers: &[(&str, &str)]| {
        let request = stage.client.get(&url);
        let request = headers
            .iter()
            .fold(request, |r, (name, value)| r.header(*name, *value));
        answer(request).await.0.as_u16()
    };
    assert_eq!(ask(&[("host", "gpu-box:8000")]).await, 200);
    assert_eq!(ask(&[("host", "evil.test")]).await, 400);
    // A page of evil.test that resolves to us chooses every header but `Host`.
    for name in ["x-forwarded-host", "forwarded", "x-host", "x-original-host"] {
        let value = if name == "forwarded" {
            "host=localhost"
        } else {
            "localhost"
        };
        assert_eq!(ask(&[("host", "evil.test"), (name, value)]).await, 400, "{name}");
        assert_eq!(ask(&[(name, "evil.test")]).await, 200, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_in_length_and_depth() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let send = async |path: &str, body: String| {
        let request = stage.request(Method::POST, path, &org.editor);
        let request = request.header("content-type", "application/json").body(body);
        answer(request).await
    };
    let long = json!({"name": "x".repeat(2 << 20), "backend": "openai"}).to_string();
    let (status, problem) = send("/models", long).await;
    assert_eq!(
        (status.as_u16(), problem["type"].as_str()),
        (413, Some("/problems/too-large"))
    );
    let deep = format!(
        r#"{{"name":"x","backend":"openai","metadata":{}1{}}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let (status, problem) = send("/models", deep).await;
    assert_eq!(
        (status.as_u16(), problem["type"].as_str()),
        (400, Some("/problems/malformed"))
    );
    let sign_in = stage
        .client
        .post(format!("{}/auth/v1/token?grant_type=password", stage.url))
        .body("x".repeat(1 << 20));
    let (status, problem) = answer(sign_in).await;
    assert_eq!(
        (status.as_u16(), problem["error_code"].as_str()),
        (413, Some("request_too_large"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_bounded() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    for path in [
        "/runs".to_owned(),
        "/benchmarks".to_owned(),
        format!("/runs/{run}/samples"),
        format!("/runs/{run}/logs"),
    ] {
        for (limit, expected) in [
            ("1", 200),
            ("200", 200),
            ("100000", 422),
            ("0", 422),
            ("-1", 422),
            ("x", 422),
        ] {
            let (status, problem) = stage.get(&format!("{path}?limit={limit}"), &org.viewer).await;
            assert_eq!(status, expected, "{path} {limit}: {problem}");
        }
        let (status, _) = stage.get(&format!("{path}?colour=red"), &org.viewer).await;
        assert_eq!(status, 422, "{path}");
    }
}
