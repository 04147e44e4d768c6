//! What executors may say, and what they may not.

use super::runs_stage::{Org, Stage, answer};
use api::db::{Conn, Error, attempts, queue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use uuid::Uuid;

pub(super) const TOKEN: &str = "00ff00ff";

/// A run whose attempt was made by hand.
pub(super) struct Scene {
    pub(super) stage: Stage,
    org: Org,
    run: String,
    pub(super) attempt: Uuid,
    picks: Vec<String>,
}

pub(super) async fn scene() -> Scene {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let run = stage.create(&org, &["one", "two"], json!({})).await;
    let (attempt, owner) = (Uuid::now_v7(), Uuid::now_v7());
    let id: Uuid = run.parse().unwrap();
    stage
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<(), Error> {
            let claimed = queue::claim(conn, id, owner, Duration::from_secs(600))
                .await?
                .unwrap();
            let new = attempts::NewAttempt {
                id: attempt,
                organization_id: claimed.organization_id,
                run_id: id,
                epoch: claimed.epoch,
                engine: "local",
                engine_name: "test".into(),
                host: None,
                directory: None,
                gpus: vec![],
                token_hash: Sha256::digest(TOKEN).to_vec(),
            };
            Ok(attempts::insert(conn, new).await?)
        })
        .await
        .unwrap();
    let (_, detail) = stage.get(&format!("/runs/{run}"), &org.viewer).await;
    let picks = detail["benchmarks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["id"].as_str().unwrap().to_owned())
        .collect();
    Scene {
        stage,
        org,
        run,
        attempt,
        picks,
    }
}

impl Scene {
    async fn batch(&self, no: i64, epoch: i32, news: Value, lines: Value) -> (StatusCode, Value) {
        let body =
            json!({"batch_no": no, "epoch": epoch, "news": news, "lines": lines, "offsets": {"stdout": no}});
        let path = format!("/attempts/{}/batches", self.attempt);
        answer(self.stage.request(Method::POST, &path, TOKEN).json(&body)).await
    }

    async fn put(&self, name: &str, body: &'static [u8]) -> (StatusCode, Value) {
        let path = format!("/attempts/{}/files/{name}", self.attempt);
        answer(self.stage.request(Method::PUT, &path, TOKEN).body(body)).await
    }

    async fn detail(&self) -> Value {
        self.stage
            .get(&format!("/runs/{}", self.run), &self.org.viewer)
            .await
            .1
    }
}

fn line(text: &str) -> Value {
    json!({"timestamp": "2026-01-01T00:00:00Z", "level": "ERROR", "message": text, "stream": "stderr", "attempt": 1, "byte_offset": 0})
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_count_once_in_order_and_for_their_attempt() {
    let s = scene().await;
    let begun =
        json!([{"kind": "benchmark_started", "run_benchmark_id": s.picks[0], "at": "2026-01-01T00:00:00Z"}]);
    let (status, first) = s
        .batch(1, 1, begun.clone(), json!([line("a\u{0}b"), line("c")]))
        .await;
    assert_eq!(
        (status.as_u16(), first["next_batch_no"].as_i64()),
        (200, Some(2)),
        "{first}"
    );
    let seq = s.detail().await["last_seq"].as_i64();
    let (status, again) = s.batch(1, 1, begun, json!([line("a")])).await;
    assert_eq!((status.as_u16(), again), (200, first));
    assert_eq!(
        s.detail().await["last_seq"].as_i64(),
        seq,
        "a repeated batch writes nothing"
    );
    let (status, gap) = s.batch(3, 1, json!([]), json!([])).await;
    assert_eq!((status.as_u16(), gap["next_batch_no"].as_i64()), (409, Some(2)));
    let (status, old) = s.batch(2, 0, json!([]), json!([line("from the past")])).await;
    assert_eq!((status.as_u16(), old["order"].as_str()), (200, Some("fenced")));
    let (_, logs) = s
        .stage
        .get(&format!("/runs/{}/logs?level=ERROR", s.run), &s.org.viewer)
        .await;
    let texts: Vec<&str> = logs["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["message"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["a\u{FFFD}b", "c"]);
    let path = format!("/attempts/{}/batches", s.attempt);
    let stranger = s
        .stage
        .request(Method::POST, &path, "11")
        .json(&json!({"batch_no": 2, "epoch": 1}));
    assert_eq!(answer(stranger).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_that_of_the_run() {
    let s = scene().await;
    let at = "2026-01-01T00:00:00Z";
    let news = json!([
        {"kind": "started", "host": "h", "pid": 7, "at": at},
        {"kind": "benchmark_started", "run_benchmark_id": s.picks[0], "at": at},
        {"kind": "progress", "run_benchmark_id": s.picks[0], "done": 5, "total": 10, "items_per_second": 2.5,
         "eta_seconds": 2.0, "phase": "inferring", "at": at},
    ]);
    let (status, body) = s.batch(1, 1, news, json!([])).await;
    assert_eq!(status, 200, "{body}");
    let detail = s.detail().await;
    assert_eq!(detail["progress_percent"], 25.0);
    assert_eq!(
        (
            detail["current_benchmark"].as_str(),
            detail["items_per_second"].as_f64()
        ),
        (Some("one"), Some(2.5))
    );
    assert_eq!(
        detail["eta_seconds"],
        Value::Null,
        "the second benchmark has no past"
    );
    assert_eq!(
        (
            &detail["benchmarks"][0]["done"],
            &detail["benchmarks"][0]["phase"]
        ),
        (&json!(5), &json!("inferring"))
    );
    assert_eq!(detail["attempts"][0]["state"], "running");
    let (_, cancel) = s
        .stage
        .post(&format!("/runs/{}/cancel", s.run), &s.org.editor, &json!({}))
        .await;
    assert_eq!(cancel["cancelling"], true);
    let (_, answer) = s.batch(2, 1, json!([]), json!([])).await;
    assert_eq!(answer["order"], "cancel");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_put_together_without_gap_or_overlap() {
    let s = scene().await;
    let put =
        async |offset: u64, body: &'static [u8]| s.put(&format!("stdout.log?offset={offset}"), body).await;
    assert_eq!(put(0, b"hello ").await, (StatusCode::OK, json!({"offset": 6})));
    assert_eq!(put(0, b"hello ").await, (StatusCode::OK, json!({"offset": 6})));
    assert_eq!(put(9, b"x").await, (StatusCode::CONFLICT, json!({"offset": 6})));
    assert_eq!(put(3, b"lo world").await, (StatusCode::OK, json!({"offset": 11})));
    let raw = s.stage.request(
        Method::GET,
        &format!("/runs/{}/logs?raw=stdout", s.run),
        &s.org.viewer,
    );
    assert_eq!(raw.send().await.unwrap().text().await.unwrap(), "hello world");
    let beyond = s.stage.request(
        Method::GET,
        &format!("/runs/{}/logs?raw=stdout", s.run),
        &s.org.viewer,
    );
    assert_eq!(
        beyond.header("Range", "bytes=99-").send().await.unwrap().status(),
        416
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_have_a_place_and_a_hash() {
    let s = scene().await;
    let hash = hex::encode(Sha256::digest(b"{}"));
    assert_eq!(
        s.put(&format!("out/0/m/a%2Bb.json?sha256={hash}"), b"{}").await.0,
        200
    );
    assert_eq!(
        s.put(&format!("out/0/m/a%2Bb.json?sha256={hash}"), b"{}").await.0,
        200
    );
    assert_eq!(s.put(&format!("out/0/b.json?sha256={hash}"), b"[]").await.0, 422);
    for name in [
        "token",
        "out/0/%2e%2e/%2e%2e/token",
        "out/0/..%2f..%2ftoken",
        "job.json",
        "out/x/a",
    ] {
        let (status, body) = s.put(name, b"{}").await;
        assert!(matches!(status.as_u16(), 404 | 422), "{name}: {status} {body}");
    }
    let (_, list) = s
        .stage
        .get(&format!("/runs/{}/artifacts", s.run), &s.org.viewer)
        .await;
    let names: Vec<&str> = list["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["out/0/m/a+b.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_over_hears_so() {
    let s = scene().await;
    let attempt = s.attempt;
    s.stage
        .state
        .db
        .service(async |conn: &mut Conn| {
            let (state, outcome) = (types::AttemptState::Lost, types::Outcome::Lost);
            attempts::end(conn, attempt, state, outcome, None, None)
                .await
                .map_err(Error::from)
        })
        .await
        .unwrap();
    let (status, body) = s.batch(1, 1, json!([]), json!([line("late")])).await;
    assert_eq!((status.as_u16(), body["order"].as_str()), (200, Some("fenced")));
    assert_eq!(s.put("stdout.log?offset=0", b"late").await.0, 409);
    let secrets = s.stage.get(&format!("/attempts/{attempt}/secrets"), TOKEN).await;
    assert_eq!(secrets.0, 409);
}
