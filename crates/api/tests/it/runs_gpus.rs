//! GPUs, by the runner's stub of the NVIDIA library: one for one run at a time.

use super::runs_stage::{Stage, fake_gpus, fields};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Compiles the stub.
pub(crate) fn library(folder: &Path) -> String {
    let library = folder.join("libnvidia-ml-stub.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runner/tests/it/fixtures/nvml.c");
    let mut cc = Command::new("cc");
    assert!(
        cc.args(["-shared", "-fPIC", "-w", "-o"])
            .arg(&library)
            .arg(source)
            .status()
            .unwrap()
            .success()
    );
    library.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpu_is_given_to_one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let gpus =
        "NVIDIA A100-SXM4-80GB|GPU-aaaa|81559|10|0|0|\nNVIDIA GeForce RTX 4070|GPU-bbbb|8188|10|0|0|\n";
    std::fs::write(fake_gpus(), gpus).unwrap();
    let library = library(folder.path());
    let stage = Stage::with(&[("LMMS_NVML_LIB", &library)]).await;
    let org = stage.org("A").await;
    let _working = stage.work();
    super::runs_stage::until("the report of the GPUs", || async {
        let (_, system) = stage.get("/system", &org.viewer).await;
        (system["gpus"].as_array()?.len() == 2).then_some(())
    })
    .await;
    let profile = json!({"compute_profile": "A100"});
    let first = stage.create(&org, &["wait_a"], profile.clone()).await;
    let detail = stage
        .until_run(&org, &first, "the first run", |d| d["benchmarks"][0]["done"] == 2)
        .await;
    assert_eq!(detail["gpu_device_id"], "cuda:0");
    assert_eq!(detail["attempts"][0]["gpus"], json!(["GPU-aaaa"]));
    let second = stage.create(&org, &["wait_b"], profile).await;
    let plain = stage.create(&org, &["quick"], json!({})).await;
    assert_eq!(
        stage.until_over(&org, &plain).await["status"],
        "completed",
        "runs without GPUs pass"
    );
    assert_eq!(
        stage.get(&format!("/runs/{second}"), &org.viewer).await.1["status"],
        "queued"
    );
    let task = stage.benchmark("more").await;
    let body =
        json!({"model_id": org.model, "benchmark_ids": [task], "config": {"compute_profile": "2xA100"}});
    let (status, problem) = stage.post("/runs/create", &org.editor, &body).await;
    assert_eq!(
        (status.as_u16(), fields(&problem)),
        (422, vec!["config.compute_profile"])
    );
    stage
        .post(&format!("/runs/{first}/cancel"), &org.editor, &json!({}))
        .await;
    assert_eq!(stage.until_over(&org, &first).await["status"], "cancelled");
    let detail = stage
        .until_run(&org, &second, "the second run", |d| {
            d["benchmarks"][0]["done"] == 2
        })
        .await;
    assert_eq!(detail["attempts"][0]["gpus"], json!(["GPU-aaaa"]));
    stage
        .post(&format!("/runs/{second}/cancel"), &org.editor, &json!({}))
        .await;
    stage.until_over(&org, &second).await;
}
