//! Creating, previewing, listing, cancelling and requeueing without a worker.

use super::runs_stage::{Org, Stage, answer, fields};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

async fn stage() -> (Stage, Org) {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    (stage, org)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named() {
    let (stage, org) = stage().await;
    let task = stage.benchmark("sums").await;
    let group = stage
        .benchmark_of("all_sums", &["sums".into(), "more_sums".into()])
        .await;
    let base = json!({"model_id": org.model, "benchmark_ids": [task]});
    let with = |pointer: &str, value: Value| {
        let mut body = base.clone();
        match pointer.split_once('.') {
            Some((outer, inner)) => body[outer][inner] = value,
            None => body[pointer] = value,
        }
        body
    };
    let stranger = Uuid::now_v7();
    let cases = [
        (with("model_id", json!(stranger)), "model_id"),
        (with("benchmark_ids", json!([stranger])), "benchmark_ids[0]"),
        (with("benchmark_ids", json!([])), "benchmark_ids"),
        (with("benchmark_ids", json!([task, task])), "benchmark_ids[1]"),
        (with("benchmark_ids", json!([group, task])), "benchmark_ids[1]"),
        (with("checkpoint_variant", json!("--nope")), "checkpoint_variant"),
        (with("name", json!(" ")), "name"),
        (with("colour", json!("red")), "colour"),
        (with("config.temperature", json!(11)), "config.temperature"),
        (with("config.limit", json!(0)), "config.limit"),
        (with("config.shotz", json!(1)), "config.shotz"),
        (with("config.batch_size", json!("many")), "config.batch_size"),
        (
            with("config.compute_profile", json!("8xH100")),
            "config.compute_profile",
        ),
        (
            with("config.model_args", json!({"api_key": "sk-0123456789abcdef0123"})),
            "config.model_args.api_key",
        ),
        (
            with("config.model_args", json!({"prompt": "--tui"})),
            "config.model_args.prompt",
        ),
        (
            with("config.model_args", json!({"prompt": "a, b"})),
            "config.model_args.prompt",
        ),
        (
            with("config.environment", json!({"HF_TOKEN": {"secret": "missing"}})),
            "config.environment.HF_TOKEN",
        ),
        (
            with("config.environment", json!({"1X": "a"})),
            "config.environment.1X",
        ),
    ];
    for (body, field) in cases {
        let (status, problem) = stage.post("/runs/create", &org.editor, &body).await;
        assert_eq!(
            (status.as_u16(), fields(&problem)),
            (422, vec![field]),
            "{body} gave {problem}"
        );
        assert_eq!(problem["type"], "/problems/validation");
    }
    let (_, list) = stage.get("/runs", &org.viewer).await;
    assert_eq!(list["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_creates_nothing() {
    let (stage, org) = stage().await;
    let task = stage.benchmark("sums").await;
    let body = json!({"model_id": org.model, "benchmark_ids": [task], "config": {"seed": 1}});
    let create = |body: &Value, key: &str| {
        let request = stage.request(Method::POST, "/runs/create", &org.editor);
        answer(request.header("Idempotency-Key", key).json(body))
    };
    let (first, again) = tokio::join!(create(&body, "k"), create(&body, "k"));
    assert_eq!((first.0.as_u16(), again.0.as_u16()), (201, 201));
    assert_eq!(first.1, again.1);
    let other = json!({"model_id": org.model, "benchmark_ids": [task], "config": {"seed": 2}});
    let (status, problem) = create(&other, "k").await;
    assert_eq!(
        (status.as_u16(), fields(&problem)),
        (422, vec!["Idempotency-Key"])
    );
    assert_eq!(create(&other, "l").await.0, 201);
    let (_, list) = stage.get("/runs", &org.viewer).await;
    assert_eq!(list["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_what_would_run() {
    let (stage, org) = stage().await;
    let task = stage.benchmark("sums").await;
    let group = stage.benchmark("group_g").await;
    let body = json!({"model_id": org.model, "benchmark_ids": [group, task], "config": {
        "limit": 8, "shots": 2, "temperature": 0, "model_args": {"num_concurrent": 1}, "compute_profile": "2xA100",
    }});
    let (status, preview) = stage.post("/runs/preview", &org.viewer, &body).await;
    assert_eq!(status, 200, "{preview}");
    assert_eq!(preview["total_tasks"], 3);
    assert_eq!(preview["total_samples"], Value::Null);
    assert_eq!(preview["eta_seconds"], Value::Null);
    let command = &preview["commands"][0];
    assert!(command["argv"][0].as_str().unwrap().ends_with("/fixtures/python"));
    assert_eq!(command["argv"][1], "driver.py");
    let argv: Vec<&str> = command["benchmarks"][0]["argv"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a.as_str().unwrap())
        .collect();
    let line = argv.join(" ");
    assert!(
        line.contains("--tasks group_g --model_args model_version=demo,num_concurrent=1"),
        "{line}"
    );
    assert!(
        line.contains("--gen_kwargs temperature=0.0 --limit 8 --output_path out/0"),
        "{line}"
    );
    let codes: Vec<&str> = preview["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "limit_incomparable",
            "profile_unsatisfiable",
            "fewshot_unsupported",
            "fewshot_unsupported"
        ]
    );
    assert!(
        preview["config_yaml"]
            .as_str()
            .unwrap()
            .contains("tasks: \"group_g\"")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_run_is_listed_found_and_renamed() {
    let (stage, org) = stage().await;
    let first = stage.create(&org, &["sums"], json!({})).await;
    let second = stage.create(&org, &["group_g", "other"], json!({})).await;
    let (_, list) = stage
        .get("/runs?status=queued,running&limit=1", &org.viewer)
        .await;
    assert_eq!(
        (list["total"].as_u64(), list["counts"]["queued"].as_u64()),
        (Some(2), Some(2))
    );
    let row = &list["runs"][0];
    assert_eq!(
        (row["id"].as_str(), row["queue_position"].as_u64()),
        (Some(second.as_str()), Some(2))
    );
    assert_eq!(row["benchmark_names"], json!(["group_g", "other"]));
    assert_eq!(row["benchmark_counts"]["pending"], 2);
    for (search, n) in [("GROUP", 1), ("demo model", 2), ("100%", 0)] {
        let (_, found) = stage
            .get(
                &format!("/runs?search={}", search.replace('%', "%25")),
                &org.viewer,
            )
            .await;
        assert_eq!(found["total"], n, "{search}");
    }
    let (status, problem) = stage.get("/runs?status=late", &org.viewer).await;
    assert_eq!((status.as_u16(), fields(&problem)), (422, vec!["status"]));
    let path = format!("/runs/{first}");
    let renamed = answer(
        stage
            .request(Method::PATCH, &path, &org.editor)
            .json(&json!({"name": " mine "})),
    )
    .await;
    assert_eq!(
        (renamed.0.as_u16(), renamed.1["name"].as_str()),
        (200, Some("mine"))
    );
    let refused = answer(
        stage
            .request(Method::PATCH, &path, &org.viewer)
            .json(&json!({"name": "x"})),
    )
    .await;
    assert_eq!(refused.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_run_is_cancelled_at_once_and_requeued() {
    let (stage, org) = stage().await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    let (status, _) = stage
        .post(&format!("/runs/{run}/requeue"), &org.editor, &json!({}))
        .await;
    assert_eq!(status, 409);
    let (status, body) = stage
        .post(&format!("/runs/{run}/cancel"), &org.editor, &json!({}))
        .await;
    assert_eq!((status.as_u16(), body), (200, json!({"status": "cancelled"})));
    let (status, _) = stage
        .post(&format!("/runs/{run}/cancel"), &org.editor, &json!({}))
        .await;
    assert_eq!(status, 409);
    let (_, detail) = stage.get(&format!("/runs/{run}"), &org.viewer).await;
    assert_eq!(
        (
            detail["status"].as_str(),
            detail["benchmarks"][0]["status"].as_str()
        ),
        (Some("cancelled"), Some("cancelled"))
    );
    let (status, body) = stage
        .post(&format!("/runs/{run}/requeue"), &org.editor, &json!({}))
        .await;
    assert_eq!(
        (status.as_u16(), body),
        (200, json!({"status": "queued", "benchmarks": ["sums"]}))
    );
    let (_, detail) = stage.get(&format!("/runs/{run}"), &org.viewer).await;
    assert_eq!(detail["benchmarks"][0]["status"], "pending");
    let states: Vec<&str> = detail["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["queued", "cancelled", "queued"]);
}
