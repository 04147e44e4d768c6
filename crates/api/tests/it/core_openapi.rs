//! The document is the one that is committed, and says truly what needs a signature.

use super::runs_stage::{Stage, answer};
use api::openapi;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Operations that anybody may call; this list may only shrink.
const PUBLIC: &str = include_str!("public_operations.txt");

#[test]
fn the_committed_document_is_current() {
    let committed = include_str!("../../openapi.json");
    assert!(
        openapi::pretty().unwrap() == committed,
        "the API has changed: run `lmms-dash openapi > crates/api/openapi.json` and look at the difference"
    );
}

/// Method, path and id of every operation.
fn operations() -> Vec<(Method, String, String)> {
    let document: Value = serde_json::from_str(&openapi::pretty().unwrap()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            all.push((
                method,
                path.clone(),
                operation["operationId"].as_str().unwrap().to_owned(),
            ));
        }
    }
    all
}

#[test]
fn operation_ids_are_unique() {
    let mut ids: Vec<_> = operations().into_iter().map(|o| o.2).collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

/// The path with something in the place of each parameter.
fn concrete(path: &str) -> String {
    let part = |s: &str| {
        if s.starts_with('{') {
            Uuid::now_v7().to_string()
        } else {
            s.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_signature() {
    let stage = Stage::new().await;
    let public: Vec<&str> = PUBLIC
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .collect();
    let mut open = Vec::new();
    for (method, path, id) in operations() {
        let url = format!("{}{}", stage.url, concrete(&path));
        let request = stage.client.request(method.clone(), url);
        let request = if method == Method::GET {
            request
        } else {
            request.json(&json!({}))
        };
        let (status, problem) = answer(request).await;
        if status == 401 {
            assert_eq!(problem["type"], json!("/problems/unauthorized"), "{id}");
        } else {
            open.push(id);
        }
    }
    open.sort();
    assert_eq!(open, public);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_refuses_the_methods_it_does_not_have() {
    let stage = Stage::new().await;
    let mut methods: BTreeMap<String, Vec<Method>> = BTreeMap::new();
    for (method, path, _) in operations() {
        methods.entry(path).or_default().push(method);
    }
    let all = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    for (path, known) in methods {
        for method in all.iter().filter(|method| !known.contains(method)) {
            let url = format!("{}{}", stage.url, concrete(&path));
            let response = stage.client.request(method.clone(), url).send().await.unwrap();
            assert_eq!(response.status(), 405, "{method} {path}");
            let mut allowed: Vec<&str> = response.headers()["allow"]
                .to_str()
                .unwrap()
                .split(", ")
                .collect();
            let mut expected: Vec<&str> = known.iter().map(Method::as_str).collect();
            allowed.sort_unstable();
            expected.sort_unstable();
            assert_eq!(allowed, expected, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_says_which_are_right() {
    let stage = Stage::new().await;
    let response = stage
        .client
        .delete(format!("{}/api/v1/models", stage.url))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET, POST");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, problem) = answer(stage.client.get(format!("{}/api/v1/nothing", stage.url))).await;
    assert_eq!(
        (status.as_u16(), problem["type"].as_str()),
        (404, Some("/problems/not-found"))
    );
}
