//! Who may do what: every operation as every role, against the committed matrix.

use super::runs_stage::{Stage, answer};
use api::openapi;
use reqwest::Method;
use serde_json::{Value, json};
use types::Role;
use uuid::Uuid;

/// One line per operation: its id and the roles that may.
const MATRIX: &str = include_str!("permissions.txt");

/// For executors, which have tokens of their own, and the socket, which has tickets.
const OTHERS: [&str; 4] = ["post_batch", "put_file", "get_attempt_secrets", "follow_run"];

/// A body that is read without a problem, so that only the role decides.
fn body(id: &str, role: Role, model: Uuid, benchmark: Uuid) -> Value {
    match id {
        "create_model" => json!({"name": format!("of {role}"), "backend": "openai"}),
        "create_checkpoint" => json!({"checkpoint_variant": format!("of-{role}")}),
        "create_run" | "preview_run" => json!({"model_id": model, "benchmark_ids": [benchmark]}),
        "rename_run" => json!({"name": "x"}),
        "rename_organization" => json!({"name": format!("of {role}")}),
        "change_member" => json!({"role": "viewer"}),
        "create_token" => json!({"name": "x", "role": "viewer"}),
        "create_invitation" => json!({"email": "eve@example.test", "role": "viewer"}),
        "create_task_folder" => json!({"path": "/no/such/folder"}),
        "put_secret" => json!({"value": "x"}),
        "save_view" => json!({"page": "runs", "name": "x", "query": "status=failed"}),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_allowed_to_the_roles_of_the_matrix() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    let benchmark = stage.benchmark("more").await;
    let document: Value = serde_json::from_str(&openapi::pretty().unwrap()).unwrap();
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((*role, stage.token(org.id.into(), *role).await));
    }
    let mut lines = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            if OTHERS.contains(&id) {
                continue;
            }
            let concrete = path
                .replace("{run_id}", &run)
                .replace("{organization_id}", &org.id.to_string())
                .replace("{model_id}", &org.model.to_string())
                .replace("{name}", "NAME");
            let parts = concrete.split('/').map(|s| {
                if s.starts_with('{') {
                    Uuid::now_v7().to_string()
                } else {
                    s.to_owned()
                }
            });
            let url = format!("{}{}", stage.url, parts.collect::<Vec<_>>().join("/"));
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut may = Vec::new();
            for (role, token) in &tokens {
                let mut request = stage.client.request(method.clone(), &url).bearer_auth(token);
                if method != Method::GET {
                    request = request.json(&body(id, *role, org.model, benchmark));
                }
                let (status, problem) = answer(request).await;
                assert!(status.as_u16() < 500 && status != 401, "{id}: {status} {problem}");
                if status != 403 {
                    may.push(role.as_str());
                }
            }
            lines.push(format!("{id}: {}", may.join(" ")).trim_end().to_owned());
        }
    }
    lines.sort();
    let found = lines.join("\n") + "\n";
    let committed: String = MATRIX
        .split_inclusive('\n')
        .filter(|l| !l.starts_with('#'))
        .collect();
    assert!(found == committed, "the matrix has changed:\n{found}");
}
