//! Another organization sees and reaches nothing.

use super::runs_stage::{Stage, answer};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn another_organization_sees_and_reaches_nothing() {
    let stage = Stage::new().await;
    let (mine, theirs) = (stage.org("A").await, stage.org("B").await);
    let run = stage.create(&mine, &["sums"], json!({})).await;
    let (_, list) = stage.get("/runs", &theirs.editor).await;
    assert_eq!((list["total"].as_u64(), &list["counts"]), (Some(0), &json!({})));
    let reads = [
        "",
        "/metrics",
        "/metrics?stream=true",
        "/logs",
        "/logs?raw=stdout",
        "/samples",
        "/artifacts",
    ];
    for path in reads {
        let (status, problem) = stage.get(&format!("/runs/{run}{path}"), &theirs.editor).await;
        assert_eq!(
            (status.as_u16(), problem["type"].as_str()),
            (404, Some("/problems/not-found")),
            "{path}"
        );
        // A stream of a run that waits would go on until the run is over.
        if !path.contains("stream") {
            assert_eq!(
                stage.get(&format!("/runs/{run}{path}"), &mine.viewer).await.0,
                200,
                "{path}"
            );
        }
    }
    for path in ["/cancel", "/requeue", "/ticket"] {
        let (status, _) = stage
            .post(&format!("/runs/{run}{path}"), &theirs.editor, &json!({}))
            .await;
        assert_eq!(status, 404, "{path}");
    }
    let rename = stage.request(Method::PATCH, &format!("/runs/{run}"), &theirs.editor);
    assert_eq!(answer(rename.json(&json!({"name": "x"}))).await.0, 404);
    let task = stage.benchmark("more").await;
    let body = json!({"model_id": mine.model, "benchmark_ids": [task]});
    assert_eq!(stage.post("/runs/create", &theirs.editor, &body).await.0, 422);
    assert_eq!(stage.post("/runs/preview", &theirs.editor, &body).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_only_looks() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    let task = stage.benchmark("more").await;
    let body = json!({"model_id": org.model, "benchmark_ids": [task]});
    assert_eq!(stage.post("/runs/create", &org.viewer, &body).await.0, 403);
    assert_eq!(stage.post("/runs/preview", &org.viewer, &body).await.0, 200);
    for path in ["/cancel", "/requeue"] {
        assert_eq!(
            stage
                .post(&format!("/runs/{run}{path}"), &org.viewer, &json!({}))
                .await
                .0,
            403,
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_nothing() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    let paths = [
        "/runs",
        &format!("/runs/{run}"),
        &format!("/runs/{run}/logs"),
        &format!("/runs/{run}/samples"),
    ];
    for path in paths {
        let url = format!("{}/api/v1{path}", stage.url);
        assert_eq!(
            stage.client.get(url).send().await.unwrap().status(),
            401,
            "{path}"
        );
    }
}
