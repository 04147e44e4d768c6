//! Whole runs: a real worker, real executors, and a stand-in for lmms-eval.

use super::runs_stage::{Org, Stage, until};
use reqwest::Method;
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;

async fn stage() -> (Stage, Org) {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    (stage, org)
}

pub(crate) fn go(stage: &Stage, run: &str, epoch: i32) {
    std::fs::write(stage.attempt_dir(run, epoch).join("go"), "").unwrap();
}

/// The names of the benchmarks that were started in an attempt.
pub(crate) fn starts(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("starts")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn statuses(detail: &Value) -> Vec<&str> {
    detail["benchmarks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["status"].as_str().unwrap())
        .collect()
}

pub(crate) async fn running(stage: &Stage, org: &Org, run: &str, benchmark: usize) -> Value {
    stage
        .until_run(org, run, "the benchmark's progress", |d| {
            d["benchmarks"][benchmark]["status"] == "running" && d["benchmarks"][benchmark]["done"] == 2
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_keeps_what_succeeds_and_tells_what_failed() {
    let (stage, org) = stage().await;
    let _working = stage.work();
    let run = stage
        .create(
            &org,
            &["group_g", "boom_b", "filters_f", "odd_o"],
            json!({"seed": 1}),
        )
        .await;
    let detail = stage.until_over(&org, &run).await;
    assert_eq!(
        statuses(&detail),
        ["completed", "failed", "completed", "completed"],
        "{detail:#}"
    );
    assert_eq!(
        (detail["status"].as_str(), detail["outcome"].as_str()),
        (Some("failed"), Some("crashed"))
    );
    let message = detail["error_message"].as_str().unwrap();
    assert!(
        message.starts_with("3 of 4 benchmarks completed; `boom_b`: ") && message.contains("boom"),
        "{message}"
    );
    assert_eq!(
        (detail["completed_tasks"].as_u64(), detail["total_tasks"].as_u64()),
        (Some(4), Some(5))
    );
    assert_eq!(detail["attempts"][0]["state"], "failed");
    assert_eq!(
        (&detail["attempts"][0]["outcome"], &detail["progress_percent"]),
        (&json!("crashed"), &json!(99.0)),
        "an attempt ends for the reason of its run, which is not all there"
    );
    sizes_are_known(&stage, &org, &detail).await;
    assert_eq!(detail["metrics_snapshot"]["group_g"], json!({"acc": 0.6}));
    assert_eq!(
        detail["metrics_snapshot"]["filters_f"],
        json!({"acc,strict": 0.6, "acc,flexible": 0.6})
    );
    assert!(
        detail["benchmarks"][3]["degraded"]
            .as_str()
            .unwrap()
            .contains("1 empty answers")
    );
    metrics_are_stored(&stage, &org, &run).await;
    samples_are_stored(&stage, &org, &run).await;
    raw_output_is_the_file(&stage, &org, &run).await;
    artifacts_are_the_files(&stage, &org, &run).await;
}

/// The number of documents is shown of what is over and of what waits, and told by the catalogue.
async fn sizes_are_known(stage: &Stage, org: &Org, detail: &Value) {
    let sizes = |detail: &Value| {
        let rows = detail["benchmarks"].as_array().unwrap().iter();
        rows.map(|b| (b["done"].as_u64(), b["total"].as_u64()))
            .collect::<Vec<_>>()
    };
    let all = |n| (Some(n), Some(n));
    assert_eq!(sizes(detail), [all(10), (None, None), all(5), all(5)]);
    let group = &detail["benchmarks"][0]["benchmark_id"];
    let (_, known) = stage
        .get(&format!("/benchmarks/{}", group.as_str().unwrap()), &org.viewer)
        .await;
    assert_eq!(known["num_samples"], 10, "{known}");
    let body = json!({"model_id": org.model, "benchmark_ids": [detail["benchmarks"][2]["benchmark_id"]]});
    let (_, preview) = stage.post("/runs/preview", &org.viewer, &body).await;
    assert_eq!(preview["benchmarks"][0]["samples"], 5, "{preview:#}");
    assert!(preview["eta_seconds"].is_u64(), "{preview:#}");
}

async fn metrics_are_stored(stage: &Stage, org: &Org, run: &str) {
    let (_, list) = stage.get(&format!("/runs/{run}/metrics"), &org.viewer).await;
    let rows: Vec<String> = list["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            format!(
                "{} {} {} {}",
                m["benchmark"], m["metric_name"], m["filter"], m["is_group"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "group_g acc none true",
            "group_g_a acc none false",
            "group_g_b acc none false",
            "filters_f acc flexible false",
            "filters_f acc strict false",
            "odd_o acc none false"
        ]
    );
    let stderr = list["metrics"][1]["stderr"].as_f64().unwrap();
    assert!(
        (stderr - (0.3_f64 / 5.0).sqrt()).abs() < 1e-9,
        "sd/sqrt(n) of 1 1 1 0 0 is {stderr}"
    );
    let stream = stage.request(
        Method::GET,
        &format!("/runs/{run}/metrics?stream=true"),
        &org.viewer,
    );
    let text = stream.send().await.unwrap().text().await.unwrap();
    let kinds: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["type"].clone())
        .collect();
    assert_eq!(kinds, vec!["metric_update"; 6]);
}

async fn samples_are_stored(stage: &Stage, org: &Org, run: &str) {
    let (_, all) = stage
        .get(&format!("/runs/{run}/samples?limit=200"), &org.viewer)
        .await;
    assert_eq!(
        (all["total"].as_u64(), all["samples"].as_array().unwrap().len()),
        (Some(25), 25)
    );
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let path = format!("/runs/{run}/samples?limit=7&sort_by=error{cursor}");
        let (status, page) = stage.get(&path, &org.viewer).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(page["samples"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(
        (seen.len(), ids.len()),
        (25, 25),
        "nothing is missed or shown twice"
    );
    assert_eq!(
        (seen[0]["error"].as_f64(), seen[24]["error"].as_f64()),
        (Some(1.0), Some(0.0))
    );
    let first = &all["samples"][0];
    assert_eq!(
        (first["benchmark"].as_str(), first["input"]["text"].as_str()),
        (Some("group_g_a"), Some("What is 0 + 0?"))
    );
    assert_eq!(
        first["ground_truth"], "0",
        "the target names a column of the document"
    );
    let odd = all["samples"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["flags"] == json!(["empty"]))
        .unwrap();
    assert_eq!(
        (odd["benchmark"].as_str(), odd["doc_id"].as_i64()),
        (Some("odd_o"), Some(1))
    );
    let (_, logs) = stage
        .get(
            &format!("/runs/{run}/logs?search=Evaluating%20odd_o"),
            &org.viewer,
        )
        .await;
    assert_eq!(logs["total"], 1, "{logs}");
}

async fn raw_output_is_the_file(stage: &Stage, org: &Org, run: &str) {
    for stream in ["stdout", "stderr"] {
        let file = std::fs::read(stage.attempt_dir(run, 1).join(format!("{stream}.log"))).unwrap();
        let path = format!("/runs/{run}/logs?raw={stream}");
        let bytes = stage
            .request(Method::GET, &path, &org.viewer)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        assert_eq!(
            hex::encode(Sha256::digest(&bytes)),
            hex::encode(Sha256::digest(&file)),
            "{stream}"
        );
        let part = stage
            .request(Method::GET, &path, &org.viewer)
            .header("Range", "bytes=3-9")
            .send()
            .await
            .unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.bytes().await.unwrap(), file[3..10]);
    }
}

async fn artifacts_are_the_files(stage: &Stage, org: &Org, run: &str) {
    let (_, list) = stage.get(&format!("/runs/{run}/artifacts"), &org.viewer).await;
    let results = list["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["name"] == "out/0/m/20260101_000000_results.json")
        .unwrap_or_else(|| panic!("{list:#}"));
    let url = format!("{}{}", stage.url, results["url"].as_str().unwrap());
    let answer = stage.client.get(&url).send().await.unwrap();
    assert!(
        answer.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    assert!(
        answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    let hash = hex::encode(Sha256::digest(answer.bytes().await.unwrap()));
    assert_eq!(results["sha256"], hash.as_str());
    let forged = url.replace("expires=", "expires=9");
    assert_eq!(stage.client.get(forged).send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_processes_give_the_same_metrics() {
    let (stage, org) = stage().await;
    let _working = stage.work();
    let benchmark = stage.benchmark("group_g").await;
    let mut snapshots = Vec::new();
    for isolation in ["model_once", "process_per_benchmark"] {
        let body =
            json!({"model_id": org.model, "benchmark_ids": [benchmark], "config": {"isolation": isolation}});
        let (_, created) = stage.post("/runs/create", &org.editor, &body).await;
        let detail = stage.until_over(&org, created["run_id"].as_str().unwrap()).await;
        assert_eq!(detail["status"], "completed", "{detail:#}");
        snapshots.push(detail["metrics_snapshot"].clone());
    }
    assert_eq!(snapshots[0], snapshots[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_leaves_no_process_and_keeps_what_is_done() {
    let (stage, org) = stage().await;
    let _working = stage.work();
    let run = stage.create(&org, &["first", "wait_w", "last"], json!({})).await;
    let detail = running(&stage, &org, &run, 1).await;
    let attempt = detail["attempts"][0]["id"].as_str().unwrap().to_owned();
    let (status, body) = stage
        .post(&format!("/runs/{run}/cancel"), &org.editor, &json!({}))
        .await;
    assert_eq!(
        (status.as_u16(), body),
        (202, json!({"status": "running", "cancelling": true}))
    );
    let detail = stage.until_over(&org, &run).await;
    assert_eq!(
        (detail["status"].as_str(), detail["outcome"].as_str()),
        (Some("cancelled"), Some("cancelled"))
    );
    assert_eq!(
        statuses(&detail),
        ["completed", "cancelled", "cancelled"],
        "{detail:#}"
    );
    assert_eq!(detail["attempts"][0]["state"], "cancelled");
    assert_eq!(marked_processes(&attempt), 0);
}

/// Processes that carry an attempt's mark.
pub(crate) fn marked_processes(attempt: &str) -> usize {
    let mark = format!("LMMS_RUN_TRACKING_ID={attempt}");
    let environs = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|p| p.path().join("environ"));
    environs
        .filter_map(|path| std::fs::read(path).ok())
        .filter(|environ| environ.split(|b| *b == 0).any(|v| v == mark.as_bytes()))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_executor_is_told_and_a_requeue_repeats_nothing() {
    let (stage, org) = stage().await;
    let _working = stage.work();
    let run = stage.create(&org, &["first", "wait_w"], json!({})).await;
    running(&stage, &org, &run, 1).await;
    say_something_that_nobody_reports(&stage, &run).await;
    kill_keeper(&stage, &run, 1);
    let detail = stage.until_over(&org, &run).await;
    assert_eq!(
        (detail["status"].as_str(), detail["outcome"].as_str()),
        (Some("failed"), Some("lost")),
        "{detail:#}"
    );
    raw_output_is_the_file(&stage, &org, &run).await;
    let (_, logs) = stage
        .get(&format!("/runs/{run}/logs?search=last%20words"), &org.viewer)
        .await;
    assert_eq!(logs["total"], 1, "what nobody has reported is indexed: {logs}");
    assert_eq!(statuses(&detail), ["completed", "failed"]);
    assert_eq!(detail["attempts"][0]["state"], "lost");
    assert_eq!(marked_processes(detail["attempts"][0]["id"].as_str().unwrap()), 0);
    let (status, answer) = stage
        .post(&format!("/runs/{run}/requeue"), &org.editor, &json!({}))
        .await;
    assert_eq!(
        (status.as_u16(), &answer["benchmarks"]),
        (200, &json!(["wait_w"]))
    );
    running(&stage, &org, &run, 1).await;
    go(&stage, &run, 2);
    let detail = stage.until_over(&org, &run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert_eq!(starts(&stage.attempt_dir(&run, 1)), ["first", "wait_w"]);
    assert_eq!(starts(&stage.attempt_dir(&run, 2)), ["wait_w"]);
    let states: Vec<_> = detail["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["state"].clone())
        .collect();
    assert_eq!(states, ["lost", "succeeded"]);
}

/// Ends the reporter of the first attempt, holds the keeper that would start it again, and lets the
/// evaluation print one more line.
async fn say_something_that_nobody_reports(stage: &Stage, run: &str) {
    let folder = stage.attempt_dir(run, 1);
    let keeper = keeper_of(stage, run, 1);
    send(keeper, Signal::STOP);
    let children = std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).unwrap();
    let is_reporter = |pid: &i32| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        program == Path::new(env!("CARGO_BIN_EXE_lmms-dash"))
    };
    let reporter = children
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .find(is_reporter);
    let reporter = reporter.expect("the keeper has a reporter");
    send(reporter, Signal::KILL);
    until("the end of the reporter", || async {
        let state = std::fs::read_to_string(format!("/proc/{reporter}/stat")).unwrap();
        state.contains(") Z ").then_some(())
    })
    .await;
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.join("stdout.log"))
        .unwrap();
    log.write_all(b"last words\n").unwrap();
}

fn send(pid: i32, signal: Signal) {
    rustix::process::kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn keeper_of(stage: &Stage, run: &str, epoch: i32) -> i32 {
    let text = std::fs::read_to_string(stage.attempt_dir(run, epoch).join("pid.json")).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    i32::try_from(record["pid"].as_i64().unwrap()).unwrap()
}

fn kill_keeper(stage: &Stage, run: &str, epoch: i32) {
    send(keeper_of(stage, run, epoch), Signal::KILL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_run_tries_again_by_itself_when_it_may() {
    let (stage, org) = stage().await;
    let _working = stage.work();
    let run = stage
        .create(&org, &["wait_w"], json!({"retry": {"attempt": 1}}))
        .await;
    running(&stage, &org, &run, 0).await;
    kill_keeper(&stage, &run, 1);
    stage
        .until_run(&org, &run, "the second attempt", |d| {
            d["attempts"].as_array().is_some_and(|a| a.len() == 2)
        })
        .await;
    running(&stage, &org, &run, 0).await;
    kill_keeper(&stage, &run, 2);
    let detail = stage.until_over(&org, &run).await;
    assert_eq!(
        (detail["status"].as_str(), detail["outcome"].as_str()),
        (Some("failed"), Some("lost"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_worker_takes_over_and_executes_nothing_again() {
    let (stage, org) = stage().await;
    let working = stage.work();
    let run = stage.create(&org, &["wait_w", "last"], json!({})).await;
    running(&stage, &org, &run, 0).await;
    working.kill().await;
    go(&stage, &run, 1);
    until("the end of the attempt", || async {
        std::fs::exists(stage.attempt_dir(&run, 1).join("exit.json"))
            .unwrap()
            .then_some(())
    })
    .await;
    let (_, detail) = stage.get(&format!("/runs/{run}"), &org.viewer).await;
    assert_eq!(detail["status"], "running", "nobody has looked after it yet");
    let _working = stage.work();
    let detail = stage.until_over(&org, &run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(starts(&stage.attempt_dir(&run, 1)), ["wait_w", "last"]);
    raw_output_is_the_file(&stage, &org, &run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_is_what_runs() {
    let (stage, org) = stage().await;
    let _working = stage.work();
    let benchmark = stage.benchmark("wait_w").await;
    let body = json!({"model_id": org.model, "benchmark_ids": [benchmark], "config": {
        "isolation": "process_per_benchmark", "model_args": {"prompt": "it's \"ü\" -\n x"},
    }});
    let (_, preview) = stage.post("/runs/preview", &org.viewer, &body).await;
    let (_, created) = stage.post("/runs/create", &org.editor, &body).await;
    let run = created["run_id"].as_str().unwrap();
    running(&stage, &org, run, 0).await;
    let argv: Vec<&str> = preview["commands"][0]["argv"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a.as_str().unwrap())
        .collect();
    // The stand-in for the interpreter hands its arguments on.
    let given: Vec<Vec<u8>> = argv[1..].iter().map(|a| a.as_bytes().to_vec()).collect();
    let cmdlines = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|p| std::fs::read(p.path().join("cmdline")).ok());
    let same = cmdlines.filter(|c| {
        let parts: Vec<&[u8]> = c.strip_suffix(&[0]).unwrap_or(c).split(|b| *b == 0).collect();
        parts.ends_with(&given.iter().map(Vec::as_slice).collect::<Vec<_>>())
    });
    assert!(same.count() >= 1, "no process has the arguments {argv:?}");
    go(&stage, run, 1);
    assert_eq!(stage.until_over(&org, run).await["status"], "completed");
}
